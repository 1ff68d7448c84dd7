using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>What is to be had at a path.</summary>
/// <param name="Path">The whole path.</param>
/// <param name="Parameters">Names of those that it takes.</param>
/// <param name="Serve">Answers.</param>
/// <param name="IsOpen">Also for those who show no token.</param>
/// <param name="IsForWatchers">For those who start, stop and watch processes: answered also when there are too many requests.</param>
internal sealed record Route(string Path, IReadOnlyCollection<string> Parameters, Func<HttpContext, Task> Serve, bool IsOpen = false, bool IsForWatchers = false);

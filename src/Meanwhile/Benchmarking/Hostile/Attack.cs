namespace Meanwhile.Benchmarking.Hostile;

/// <summary>Something that a hostile client does to a server.</summary>
/// <param name="Key">For the command line.</param>
/// <param name="Name">What it does, in a few words.</param>
/// <param name="HeldBy">The limit or rule of ours that holds it.</param>
/// <param name="RunAsync">Does it. What it has connected stays so until it is over.</param>
/// <param name="PrepareAsync">What comes before, and is not measured; null for nothing.</param>
internal sealed record Attack(
    string Key, string Name, string HeldBy, Func<Attacker, CancellationToken, Task> RunAsync, Func<Attacker, CancellationToken, Task>? PrepareAsync = null)
{
    /// <summary>Of the server.</summary>
    public ServerTerms Terms { get; init; } = new();

    /// <summary>Nobody can be served meanwhile, whatever the server does: only what comes after is judged.</summary>
    public bool EndsService { get; init; }
}

/// <summary>How a server is started.</summary>
/// <param name="HasUsers">Clients have to say who they are.</param>
/// <param name="HasHeapLimit">The heap may not grow beyond 256 MiB, as in a small container.</param>
/// <param name="AccessList">Who may do what; null for everybody everything.</param>
internal sealed record ServerTerms(bool HasUsers = true, bool HasHeapLimit = false, string? AccessList = null);

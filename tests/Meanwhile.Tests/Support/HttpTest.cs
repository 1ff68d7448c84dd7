using System.Text.Json;
using System.Text.RegularExpressions;

namespace Meanwhile.Tests.Support;

/// <summary>A test that asks the real program over HTTP.</summary>
public abstract partial class HttpTest : ProgramTest
{
    private protected static readonly HttpClient Client = new();

    /// <summary>An aggregator with its own broker, and where it listens.</summary>
    private protected Task<(RunningProgram Program, Uri Http, int Mqtt)> ServeAsync(params string[] more) => ServeAsync([], more);

    /// <inheritdoc cref="ServeAsync(string[])"/>
    private protected async Task<(RunningProgram Program, Uri Http, int Mqtt)> ServeAsync((string Name, string Value)[] environment, params string[] more)
    {
        var program = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--http", "127.0.0.1:0", .. more], environment);
        await program.SaysAsync("read back");
        return (program, AddressOf(program), MqttPortOf(program));
    }

    /// <summary>Where the embedded broker of a program listens.</summary>
    internal static int MqttPortOf(RunningProgram program) => int.Parse(MqttPort().Match(program.Error).Groups[1].Value);

    private protected static Uri AddressOf(RunningProgram program) => new(HttpAddress().Match(program.Error).Groups[1].Value);

    private protected static async Task<JsonElement> JsonAsync(Uri address, string path)
    {
        var text = await Client.GetStringAsync(new Uri(address, path), TestContext.Current.CancellationToken);
        return JsonElement.Parse(text);
    }

    /// <summary>The status of an answer that is a problem, and its detail.</summary>
    private protected static async Task<(int Status, string Detail)> ProblemAsync(HttpRequestMessage request)
    {
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonElement.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal((int)answer.StatusCode, problem.GetProperty("status").GetInt32());
        Assert.NotEqual("", problem.GetProperty("title").GetString());
        return ((int)answer.StatusCode, problem.GetProperty("detail").GetString()!);
    }

    private protected static Task<(int Status, string Detail)> ProblemAsync(Uri address, string path) => ProblemAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(address, path)));

    private protected static async Task<int> StatusAsync(Uri address, string path)
    {
        using var answer = await Client.GetAsync(new Uri(address, path), TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }

    [GeneratedRegex(@"serving dashboard, API, metrics and health at (\S+)")]
    private static partial Regex HttpAddress();

    [GeneratedRegex(@"127\.0\.0\.1:(\d+): the embedded broker is listening")]
    private static partial Regex MqttPort();
}

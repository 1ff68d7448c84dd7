using System.Diagnostics;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Programs of others. Where one is missing its tests are skipped; with MEANWHILE_REQUIRE_PEERS=1, as in CI, they fail.</summary>
internal static class Peers
{
    /// <summary>Starts one whose output can be read.</summary>
    public static Process Start(string name, params string[] arguments) => Start(name, arguments, environment: []);

    /// <summary>Starts one with something in its environment.</summary>
    public static Process Start(string name, string[] arguments, params (string Name, string Value)[] environment)
    {
        if (Find(name) is not { } path)
        {
            if (Environment.GetEnvironmentVariable("MEANWHILE_REQUIRE_PEERS") == "1")
                Assert.Fail($"{name} is not installed (MEANWHILE_REQUIRE_PEERS is set)");
            Assert.Skip($"{name} is not installed");
            throw new UnreachableException();
        }
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (variable, value) in environment)
            start.Environment[variable] = value;
        return Process.Start(start)!;
    }

    /// <summary>Whether there is such a program.</summary>
    public static bool IsThere(string name) => Find(name) is not null;

    /// <summary>Waits for the end of one, which has to be a good one.</summary>
    /// <returns>What it wrote to standard output.</returns>
    public static async Task<string> EndAsync(this Process process)
    {
        using (process)
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, await error);
            return await output;
        }
    }

    private static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}

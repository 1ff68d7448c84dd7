using System.Diagnostics;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Programs of others. Where one is missing its tests are skipped; with MEANWHILE_REQUIRE_PEERS=1, as in CI, they fail.</summary>
internal static class Peers
{
    /// <summary>Starts one whose output can be read.</summary>
    public static Process Start(string name, params string[] arguments)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is not { } path)
        {
            if (Environment.GetEnvironmentVariable("MEANWHILE_REQUIRE_PEERS") == "1")
                Assert.Fail($"{name} is not installed (MEANWHILE_REQUIRE_PEERS is set)");
            Assert.Skip($"{name} is not installed");
            throw new UnreachableException();
        }
        return Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
    }

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
}

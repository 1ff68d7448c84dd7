using System.Diagnostics.CodeAnalysis;

namespace Meanwhile.Tests.Support;

/// <summary>Programs of others that some tests need. Where one is missing they are skipped; with MEANWHILE_REQUIRE_PEERS=1, as in CI, they fail.</summary>
internal static class Peers
{
    private static readonly bool AreRequired = Environment.GetEnvironmentVariable("MEANWHILE_REQUIRE_PEERS") == "1";

    /// <summary>Ends the test unless a condition holds.</summary>
    public static void Require([DoesNotReturnIf(false)] bool condition, string reason)
    {
        if (condition)
            return;
        if (AreRequired)
            Assert.Fail($"{reason} (MEANWHILE_REQUIRE_PEERS is set)");
        Assert.Skip(reason);
    }

    /// <summary>The path of a program; daemons are found even where PATH leaves them out.</summary>
    public static string RequireProgram(string name)
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin"];
        var path = folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        Require(path is not null, $"{name} is not installed");
        return path;
    }
}

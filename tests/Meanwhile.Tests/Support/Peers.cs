namespace Meanwhile.Tests.Support;

/// <summary>Programs of others that a test needs. Where they are missing the test is skipped, but not in CI.</summary>
internal static class Peers
{
    private static readonly string[] Folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/usr/local/sbin", "/usr/bin"];

    /// <summary>Skips the test for a reason, unless peers are required.</summary>
    public static void Require(bool condition, string reason)
    {
        if (condition)
            return;
        if (Environment.GetEnvironmentVariable("MEANWHILE_REQUIRE_PEERS") == "1")
            Assert.Fail(reason + ", and MEANWHILE_REQUIRE_PEERS is 1");
        Assert.Skip(reason);
    }

    /// <summary>The path of a program.</summary>
    public static string RequireProgram(string name)
    {
        var path = Array.Find([.. Folders.Select(folder => Path.Combine(folder, name))], File.Exists);
        Require(path is not null, $"{name} is not installed");
        return path!;
    }
}

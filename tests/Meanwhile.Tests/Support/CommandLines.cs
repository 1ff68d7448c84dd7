namespace Meanwhile.Tests.Support;

/// <summary>The processes of this machine, as they were started.</summary>
internal static class CommandLines
{
    /// <summary>The command lines of those that have a text, such as the folder of a test, there or in their environment.</summary>
    public static IEnumerable<string> With(string text) => Directory.EnumerateDirectories("/proc")
        .Select(process => (Line: TextOf(Path.Combine(process, "cmdline")), Environment: TextOf(Path.Combine(process, "environ"))))
        .Where(process => process.Line.Contains(text, StringComparison.Ordinal) || process.Environment.Contains(text, StringComparison.Ordinal))
        .Select(process => process.Line);

    private static string TextOf(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // No process, one that has ended, or somebody else's.
        }
    }
}

namespace Meanwhile.Access;

/// <summary>The lines of a file for people.</summary>
internal static class TextLines
{
    /// <summary>Those that say something, trimmed, with their numbers; not the empty ones and those that begin with #.</summary>
    public static IEnumerable<(int Number, string Line)> Of(string text) => text.Split('\n')
        .Select((line, index) => (index + 1, line.Trim()))
        .Where(line => line.Item2 is not ("" or ['#', ..]));
}

using Meanwhile.Logging;

namespace Meanwhile.Access;

/// <summary>The file of users: lines <c>NAME:HASH</c>, as <c>meanwhile passwd</c> writes them; empty ones and those that begin with # say nothing.</summary>
internal static class UserFile
{
    /// <summary>Reads users.</summary>
    /// <exception cref="FormatException">A line is none.</exception>
    public static IReadOnlyDictionary<string, PasswordHash> Parse(string text)
    {
        var users = new Dictionary<string, PasswordHash>(StringComparer.Ordinal);
        foreach (var (number, line) in TextLines.Of(text))
        {
            var name = NameOf(line);
            if (!IsName(name) || line.Length == name.Length || PasswordHash.TryParse(line[(name.Length + 1)..]) is not { } hash)
                throw new FormatException($"line {number} is no user: expected NAME:HASH as meanwhile passwd writes it");
            if (!users.TryAdd(name, hash))
                throw new FormatException($"line {number} names '{PlainFormatter.OneLine(name)}' again: expected each user once");
        }
        return users;
    }

    /// <summary>Whether a user may be called so.</summary>
    public static bool IsName(string text) => text.Length > 0 && text.Trim() == text && text[0] != '#' && !text.Any(c => c == ':' || char.IsControl(c));

    /// <summary>The text with a user added, changed, or taken out; all else stays as it is.</summary>
    /// <param name="text">What the file holds.</param>
    /// <param name="user">Whose line.</param>
    /// <param name="hash">Null takes the user out.</param>
    public static string With(string text, string user, PasswordHash? hash)
    {
        List<string> lines = [.. text.ReplaceLineEndings("\n").Split('\n')];
        if (lines[^1].Length == 0)
            lines.RemoveAt(lines.Count - 1);
        var index = lines.FindIndex(line => NameOf(line.Trim()) == user && !line.TrimStart().StartsWith('#'));
        if (index >= 0)
            lines.RemoveAt(index);
        if (hash is not null)
            lines.Insert(index >= 0 ? index : lines.Count, $"{user}:{hash}");
        return string.Concat(lines.Select(line => line + "\n"));
    }

    private static string NameOf(string line) => line.IndexOf(':', StringComparison.Ordinal) is var colon and >= 0 ? line[..colon] : line;
}

namespace Meanwhile.Access;

/// <summary>What a rule lets a client do.</summary>
[Flags]
internal enum AccessKind
{
    /// <summary>Nothing, whatever other rules say.</summary>
    Deny = 0,

    /// <summary>Get messages.</summary>
    Read = 1,

    /// <summary>Send messages.</summary>
    Write = 2,

    /// <summary>Both.</summary>
    ReadWrite = Read | Write,
}

/// <summary>One line of an access list.</summary>
/// <param name="Kind">What it lets a client do.</param>
/// <param name="Filter">With which topics; in a pattern, %u stands for the user's name and %c for the client identifier.</param>
internal readonly record struct AccessRule(AccessKind Kind, string Filter)
{
    private const string User = "%u";
    private const string Client = "%c";

    /// <summary>Whether a filter has to be filled in.</summary>
    public static bool IsPattern(string filter) => filter.Contains(User, StringComparison.Ordinal) || filter.Contains(Client, StringComparison.Ordinal);

    /// <summary>The rule for one client; null when it cannot be filled in.</summary>
    public AccessRule? For(string? user, string clientId)
    {
        // Names that would make levels or wildcards of their own would reach into what is others'.
        if ((Filter.Contains(User, StringComparison.Ordinal) && !IsLevel(user)) || (Filter.Contains(Client, StringComparison.Ordinal) && !IsLevel(clientId)))
            return null;
        // In one go: the name of a user may hold %c.
        var parts = Filter.Split(User).Select(part => part.Replace(Client, clientId, StringComparison.Ordinal));
        return this with { Filter = string.Join(user, parts) };
    }

    private static bool IsLevel(string? name) => name is { Length: > 0 } && name.AsSpan().IndexOfAny('/', '+', '#') < 0;
}

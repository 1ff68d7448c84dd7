using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Access;

/// <summary>
/// The file that says who may do what, in the form that mosquitto's has: <c>user NAME</c>, after it <c>topic read|write|readwrite|deny FILTER</c>, and for everybody
/// <c>pattern … FILTER</c>, with %u and %c. Topics before the first user are for clients without a name. What is not allowed is forbidden.
/// </summary>
internal sealed class AccessList
{
    private const string Expected = "expected 'user NAME', 'topic read|write|readwrite|deny FILTER' or 'pattern read|write|readwrite|deny FILTER'";

    private static readonly Dictionary<string, AccessKind> Kinds = new(StringComparer.Ordinal)
    {
        ["read"] = AccessKind.Read,
        ["write"] = AccessKind.Write,
        ["readwrite"] = AccessKind.ReadWrite,
        ["deny"] = AccessKind.Deny,
    };

    private readonly List<AccessRule> _patterns = []; // With something to be filled in.
    private readonly RuleTree _everybody = new();
    private readonly RuleTree _nobody = new();
    private readonly Dictionary<string, RuleTree> _users = new(StringComparer.Ordinal);

    private AccessList()
    {
    }

    /// <summary>Reads an access list.</summary>
    /// <exception cref="FormatException">A line cannot be understood.</exception>
    public static AccessList Parse(string text)
    {
        var list = new AccessList();
        var current = list._nobody;
        foreach (var (number, line) in TextLines.Of(text))
        {
            var (word, rest) = FirstWord(line);
            if (word == "user" && UserFile.IsName(rest))
                current = list.RulesOf(rest);
            else if (word is "topic" or "pattern" && ParseRule(rest) is { } rule)
                list.Add(rule, word == "topic" ? current : null, number);
            else
                throw new FormatException($"line {number} cannot be understood: {Expected}");
        }
        return list;
    }

    /// <summary>What one client may do.</summary>
    /// <param name="user">Its user; null for none.</param>
    /// <param name="clientId">What it calls itself.</param>
    public ClientRules For(string? user, string clientId)
    {
        var own = new RuleTree();
        foreach (var pattern in _patterns)
        {
            if (pattern.For(user, clientId) is { } rule)
                own.Add(rule);
            else if (pattern.Kind == AccessKind.Deny)
                return ClientRules.Nothing; // What it must not do cannot be said, so it may do nothing.
        }
        return new ClientRules(user is null ? [_nobody, _everybody, own] : _users.TryGetValue(user, out var users) ? [users, _everybody, own] : [_everybody, own]);
    }

    // After 'topic' for one user, after 'pattern' for all.
    private void Add(AccessRule rule, RuleTree? ofUser, int line)
    {
        if (!AccessRule.IsPattern(rule.Filter))
            (ofUser ?? _everybody).Add(rule);
        else if (ofUser is null)
            _patterns.Add(rule);
        else
            throw new FormatException($"line {line}: %u and %c stand for nothing after 'topic': expected 'pattern'");
    }

    // Without a kind it is both, and then the filter has to be one word: else a kind that is misspelt would be part of it.
    private static AccessRule? ParseRule(string text)
    {
        var (word, rest) = FirstWord(text);
        var filter = rest.Length > 0 ? rest : word;
        var kind = AccessKind.ReadWrite;
        if (rest.Length > 0 && !Kinds.TryGetValue(word, out kind))
            return null;
        return Topic.IsFilter(filter) && !filter.StartsWith("$share/", StringComparison.Ordinal) ? new AccessRule(kind, filter) : null;
    }

    private static (string Word, string Others) FirstWord(string text)
    {
        var end = text.AsSpan().IndexOfAny(' ', '\t');
        return end < 0 ? (text, "") : (text[..end], text[end..].Trim());
    }

    private RuleTree RulesOf(string user)
    {
        if (!_users.TryGetValue(user, out var rules))
            _users.Add(user, rules = new RuleTree());
        return rules;
    }
}

namespace Meanwhile.Access;

/// <summary>What one client may do, by the files as they are at that moment. Any thread may ask: what changes is replaced as a whole.</summary>
/// <param name="accessList">Who may do what; null for everybody everything.</param>
/// <param name="users">The users, if its user has to be one of them: a user who was deleted may do nothing. Null if it need not.</param>
/// <param name="user">Its user; null for none.</param>
/// <param name="clientId">What it calls itself.</param>
internal sealed class RulesInForce(WatchedFiles<AccessList>? accessList, WatchedFiles<IReadOnlyDictionary<string, PasswordHash>>? users, string? user, string clientId)
{
    private volatile Known? _known;

    /// <summary>Whether it may send messages to a topic.</summary>
    public bool MayPublish(string topic) => Current()?.MayPublish(topic) ?? true;

    /// <summary>Whether it may get messages of a topic.</summary>
    public bool MayRead(string topic) => Current()?.MayRead(topic) ?? true;

    /// <summary>Whether it may subscribe to a filter.</summary>
    public bool MaySubscribe(string filter) => Current()?.MaySubscribe(filter) ?? true;

    // Null for everything. Each message asks for it, so it is made anew only when a file has changed.
    private ClientRules? Current()
    {
        var (list, listed, known) = (accessList?.Current, users?.Current, _known);
        if (known is null || !ReferenceEquals(list, known.List) || !ReferenceEquals(listed, known.Users))
            _known = known = new Known(list, listed, listed?.ContainsKey(user!) == false ? ClientRules.Nothing : list?.For(user, clientId));
        return known.Rules;
    }

    private sealed record Known(AccessList? List, IReadOnlyDictionary<string, PasswordHash>? Users, ClientRules? Rules);
}

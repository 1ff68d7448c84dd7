using System.Runtime.InteropServices;
using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Mqtt.Session;

/// <summary>
/// All subscriptions, and who is due a message of a topic. Where that takes long to find, because clients have very many filters that overlap, it is remembered until subscriptions change:
/// in one subscription for all of a session's that match. So a client with a thousand of them costs each message no more than one with a single one. Whoever uses it holds the
/// router's lock, unless it is said.
/// </summary>
internal sealed class SubscriptionIndex
{
    // Levels of filters that are looked at for a topic: with more, it is worth remembering.
    private const int ManySteps = 128;

    // What may be remembered, in bytes, about.
    private const int MostBytes = 16 << 20;
    private const int BytesATopic = 256;
    private const int BytesASubscription = 80;

    // Of a subscription in the tree.
    private const int BytesOwn = 512;

    // A copy of it says all that there is to say of a subscription.
    private static readonly Message Model = new() { Topic = "", Qos = 2, Retain = true };

    private readonly SubscriptionTree _tree = new();
    private readonly Dictionary<string, Found> _known = new(StringComparer.Ordinal);
    private readonly List<Subscription> _matches = [];
    private readonly List<SharedGroup> _groups = [];
    private readonly MergedCopies _merged = new();
    private long _bytes;
    private int _count;
    private long _ownBytes;

    /// <summary>How many subscriptions there are. Asked without the lock.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The memory that they take, in bytes, about. Asked without the lock.</summary>
    public long Bytes => Volatile.Read(ref _ownBytes);

    /// <summary>How many levels of filters have been looked at.</summary>
    public long Steps { get; private set; }

    /// <summary>What a subscription takes, in bytes, about: its place, its filter, and the levels of that in the tree.</summary>
    public static long SizeOf(string filter) => BytesOwn + (2L * sizeof(char) * filter.Length);

    /// <summary>Adds a subscription, or replaces the one of the same session and filter [MQTT-3.8.4-3].</summary>
    public void Set(Subscription subscription)
    {
        Forget();
        if (!_tree.Set(subscription))
            return;
        _count++;
        _ownBytes += SizeOf(subscription.Filter);
    }

    /// <summary>Takes out a subscription that there is.</summary>
    public void Remove(ClientSession session, string filter)
    {
        Forget();
        _tree.Remove(session, filter);
        _count--;
        _ownBytes -= SizeOf(filter);
    }

    /// <summary>A member of a shared subscription was away, and is here again.</summary>
    public void Returned(ClientSession session, string filter) => _tree.Returned(session, filter);

    /// <summary>Finds who is due a message. What is found is valid until the next time.</summary>
    /// <param name="topic">The name of the topic.</param>
    /// <param name="groups">Shared subscriptions that match.</param>
    /// <returns>All others: of each session one at least.</returns>
    public ReadOnlySpan<Subscription> Find(string topic, out ReadOnlySpan<SharedGroup> groups)
    {
        var known = _known.Count > 0 ? _known.GetValueOrDefault(topic) : null;
        if (known is null)
        {
            var steps = _tree.Match(topic, _matches, _groups);
            Steps += steps;
            if (steps <= ManySteps)
            {
                groups = CollectionsMarshal.AsSpan(_groups);
                return CollectionsMarshal.AsSpan(_matches);
            }
            known = Remember(topic);
        }
        groups = known.Groups;
        return known.Own;
    }

    private Found Remember(string topic)
    {
        var found = new Found([.. Merge(noLocal: false), .. Merge(noLocal: true)], [.. _groups]);
        var bytes = BytesATopic + (topic.Length * sizeof(char)) + (_groups.Count * nint.Size) + found.Own.Sum(static one => BytesASubscription + ((one.Identifiers?.Length ?? 0) * sizeof(uint)));
        if (_bytes + bytes > MostBytes)
            Forget();
        if (bytes <= MostBytes)
        {
            _known.Add(topic, found);
            _bytes += bytes;
        }
        return found;
    }

    private void Forget()
    {
        if (_known.Count == 0)
            return;
        _known.Clear();
        _bytes = 0;
    }

    // Apart, because only one of the two is due what the session itself publishes [MQTT-3.8.3-3].
    private IEnumerable<Subscription> Merge(bool noLocal)
    {
        _merged.Clear();
        foreach (var match in _matches.Where(match => match.NoLocal == noLocal))
            _merged.Add(match, Model);
        for (var i = 0; i < _merged.Count; i++)
        {
            var (session, (_, qos, retain, identifiers, _)) = _merged[i];
            yield return new Subscription(session, "", qos, noLocal, RetainAsPublished: retain, identifiers);
        }
        _merged.Clear();
    }

    private sealed record Found(Subscription[] Own, SharedGroup[] Groups);
}

using System.Runtime.InteropServices;
using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Mqtt.Session;

/// <summary>
/// The copies of one message that are due: one for all subscriptions of a session that match, with the highest QoS and all their identifiers [MQTT-3.3.4-2], [MQTT-3.3.4-3]. However many
/// of them match, each is looked at once, and only several identifiers take memory. Whoever uses it holds the router's lock.
/// </summary>
internal sealed class MergedCopies
{
    private readonly List<Copy> _copies = [];
    private readonly List<(uint Identifier, int Before)> _identifiers = []; // Those of a copy are a chain, from the last one to the first.

    /// <summary>How many there are.</summary>
    public int Count => _copies.Count;

    /// <summary>Forgets all of them.</summary>
    public void Clear()
    {
        _copies.Clear();
        _identifiers.Clear();
    }

    /// <summary>Adds what is due for a subscription.</summary>
    public void Add(Subscription match, Message message)
    {
        var outgoing = match.CopyOf(message);
        var session = match.Session;
        if (session.Place >= _copies.Count || _copies[session.Place].Session != session)
        {
            session.Place = _copies.Count;
            _copies.Add(new Copy(session, outgoing));
            return;
        }
        ref var copy = ref CollectionsMarshal.AsSpan(_copies)[session.Place];
        copy.Merge(outgoing, _identifiers);
    }

    /// <summary>One of them.</summary>
    public (ClientSession Session, Outgoing Outgoing) this[int index] => (_copies[index].Session, _copies[index].Merged(_identifiers));

    private struct Copy(ClientSession session, Outgoing first)
    {
        private const int None = -1;

        private Outgoing _outgoing = first;
        private int _lastIdentifier = None;
        private int _count;

        public ClientSession Session { get; } = session;

        public void Merge(in Outgoing other, List<(uint Identifier, int Before)> identifiers)
        {
            if (other.Identifiers is { } more)
            {
                if (_count == 0)
                    Append(_outgoing.Identifiers, identifiers);
                Append(more, identifiers);
            }
            _outgoing = _outgoing with { Qos = Math.Max(_outgoing.Qos, other.Qos), Retain = _outgoing.Retain || other.Retain, Identifiers = _outgoing.Identifiers ?? other.Identifiers };
        }

        public readonly Outgoing Merged(List<(uint Identifier, int Before)> identifiers)
        {
            if (_count < 2)
                return _outgoing;
            var all = new uint[_count];
            for (var (at, link) = (_count, _lastIdentifier); link != None; link = identifiers[link].Before)
                all[--at] = identifiers[link].Identifier;
            return _outgoing with { Identifiers = all };
        }

        private void Append(uint[]? more, List<(uint Identifier, int Before)> identifiers)
        {
            foreach (var identifier in more ?? [])
            {
                identifiers.Add((identifier, _lastIdentifier));
                _lastIdentifier = identifiers.Count - 1;
                _count++;
            }
        }
    }
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace Meanwhile.Tests.Support;

/// <summary>
/// What mosquitto's log says about the packets between its bridge and us at QoS 2. The log has packet identifiers and no payloads. A bridge gives its messages ascending
/// identifiers, in the order in which they are published, so the n-th smallest identifier belongs to message n; the length of the payload has to agree.
/// </summary>
internal sealed partial class BridgeLog
{
    private readonly List<(string Type, int Id, string Text)> _packets = [];
    private readonly List<int> _ids; // Of message 1, 2, 3…

    /// <summary>Reads a log.</summary>
    /// <param name="text">With log_type all.</param>
    public BridgeLog(string text)
    {
        var open = new HashSet<int>();
        var lengths = new Dictionary<int, string>(); // By identifier, in the order of the first PUBLISH.
        foreach (var line in text.Split('\n'))
        {
            if (Packet().Match(line) is not { Success: true } match)
                continue;
            var (type, id) = (match.Groups["type"].Value, int.Parse(match.Groups["id"].Value, CultureInfo.InvariantCulture));
            _packets.Add((type, id, line));
            if (type == "PUBREL")
                open.Remove(id);
            if (type != "PUBLISH")
                continue;
            NewMessages += open.Add(id) ? 1 : 0;
            lengths.TryAdd(id, match.Groups["length"].Value);
        }
        _ids = [.. lengths.Keys.Order()];
        Sent = [.. lengths.Keys.Select(id => _ids.IndexOf(id) + 1)];
        IsClear = Sent.Zip(lengths.Values).All(message => message.Second == $"{$"{message.First}".Length}");
    }

    /// <summary>How many PUBLISH had a free identifier: a receiver that follows the standard takes each for a new message.</summary>
    public int NewMessages { get; }

    /// <summary>The numbers of the messages, in the order in which mosquitto sent them first.</summary>
    public IReadOnlyList<int> Sent { get; }

    /// <summary>The lengths of the payloads agree. Otherwise it is not known which message has which identifier.</summary>
    public bool IsClear { get; }

    /// <summary>
    /// Leaves out what arrived again because mosquitto sent it again after PUBREL: it received PUBREC, sent PUBREL, and then sent PUBLISH with the same identifier, which [MQTT-4.3.3-6] forbids.
    /// Messages have to arrive in the order in which the log shows them.
    /// </summary>
    /// <param name="arrived">The numbers of the messages, in the order in which they arrived.</param>
    public IReadOnlyList<int> WithoutSentAgain(IReadOnlyList<int> arrived)
    {
        if (!IsClear)
            return arrived;
        var kept = new List<int>();
        var sent = new Dictionary<int, int>(); // By number: the place in the log of the last PUBLISH that arrived.
        var last = -1;
        foreach (var number in arrived)
        {
            var isAgain = sent.TryGetValue(number, out var before);
            var next = Find("PUBLISH", number, isAgain ? Math.Max(last, Find("PUBREL", number, Find("PUBREC", number, before))) : last);
            var isSent = next < _packets.Count;
            if (isSent)
                last = sent[number] = next;
            if (!isSent || !isAgain)
                kept.Add(number);
        }
        return kept;
    }

    /// <summary>The lines about one message.</summary>
    public IEnumerable<string> About(int number) => _packets.Where(packet => IsOf(packet.Id, number)).Select(packet => packet.Text);

    [GeneratedRegex(@"(?<type>PUBLISH|PUBREC|PUBREL|PUBCOMP) (?:to|from) local\..*?\((?:[^']*, m|m|Mid: )(?<id>\d+)(?:.*\((?<length>\d+) bytes\))?")]
    private static partial Regex Packet();

    private int Find(string type, int number, int after)
    {
        for (var i = after + 1; i < _packets.Count; i++)
        {
            if (_packets[i].Type == type && IsOf(_packets[i].Id, number))
                return i;
        }
        return _packets.Count;
    }

    private bool IsOf(int id, int number) => IsClear && number <= _ids.Count && _ids[number - 1] == id;
}

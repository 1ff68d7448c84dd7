using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Delivery;

/// <summary>The sending half, as plain as can be: everything is a list, and is looked through.</summary>
internal sealed class PlainSender(ManualSenderLog? log)
{
    private readonly List<(Item Item, bool IsKnown)> _releases = [];
    private readonly List<(ushort Id, long Batch)> _finished = [];
    private List<Item> _again = [];
    private int _receiveMaximum;

    public List<Item> Items { get; } = [];

    public HashSet<ushort> Used { get; } = [];

    public List<Item> InFlight => [.. Items.Where(item => item.IsSent)];

    public int Count => Items.Count;

    public long Bytes => Items.Sum(item => item.Size);

    private long Committed => log?.Committed ?? 0;

    public void Connect(int receiveMaximum, bool sessionPresent)
    {
        _receiveMaximum = receiveMaximum;
        _releases.Clear();
        foreach (var item in Items)
            item.IsOnWire = false;
        if (!sessionPresent)
        {
            Used.Clear();
            _finished.Clear();
            foreach (var item in Items)
                (item.IsSent, item.IsReleased) = (false, false);
        }
        _again = InFlight;
    }

    public int Disconnect() => Items.RemoveAll(item => item.Qos == 0);

    public (Item? Item, bool IsDup, bool IsKnown) Next(TimeSpan now)
    {
        FreeIds();
        if (_releases.Count > 0 && _releases[0] is var (answered, isKnown) && (!isKnown || answered.Batch <= Committed))
        {
            _releases.RemoveAt(0);
            return (answered, IsDup: false, isKnown);
        }
        _again.RemoveAll(item => !Items.Contains(item));
        if (_again.Count > 0 && _again[0] is var again && again.Batch <= Committed && (again.IsReleased || Items.Count(item => item.IsOnWire) < _receiveMaximum))
        {
            _again.RemoveAt(0);
            again.IsOnWire = !again.IsReleased || again.IsOnWire;
            return (again, IsDup: true, IsKnown: true);
        }
        while (Items.Find(item => !item.IsSent) is { } first)
        {
            if (first.ExpiresAt <= now)
            {
                Items.Remove(first);
                continue;
            }
            if (first.Qos == 0)
                Items.Remove(first);
            else if (first.Batch > Committed || _again.Count > 0 || Items.Count(item => item.IsSent) >= _receiveMaximum)
                break;
            else
                (first.IsSent, first.IsOnWire) = (true, true);
            return (first, IsDup: false, IsKnown: true);
        }
        return default;
    }

    // For another QoS, or PUBCOMP before PUBREC.
    public bool IsForbidden(PublishAckPacket answer) => Find(answer.PacketId) is { } item && answer.Type switch
    {
        PacketType.PubAck => item.Qos != 1,
        PacketType.PubRec => item.Qos != 2,
        _ => item.Qos != 2 || !item.IsReleased,
    };

    public void Answered(PublishAckPacket answer)
    {
        var item = Find(answer.PacketId);
        if (answer is { Type: PacketType.PubRec, Reason: ReasonCode.Success })
        {
            if (item is { IsReleased: false })
                (item.IsReleased, item.Batch) = (true, log?.Last ?? 0);
            _releases.Add((item ?? new Item(new Message { Topic = "" }) { Id = answer.PacketId }, item is not null));
        }
        else if (item is not null)
        {
            Items.Remove(item);
            item.Batch = log?.Last ?? 0; // A PUBREL that is still due for it waits for that too.
            _finished.Add((item.Id, item.Batch));
            FreeIds();
        }
    }

    private Item? Find(ushort id) => Items.Find(item => item.IsSent && item.Id == id);

    private void FreeIds()
    {
        foreach (var (id, _) in _finished.Where(one => one.Batch <= Committed))
            Used.Remove(id);
        _finished.RemoveAll(one => one.Batch <= Committed);
    }

    public sealed class Item(Message message)
    {
        public string Topic => message.Topic;

        public int Qos => message.Qos;

        public int Size => message.Size;

        public TimeSpan? ExpiresAt => message.ExpiresAt;

        public ushort Id { get; set; }

        public long Batch { get; set; }

        public bool IsSent { get; set; }

        public bool IsReleased { get; set; }

        public bool IsOnWire { get; set; }
    }
}

using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Mqtt.Bench;

/// <summary>Receives, acknowledges and counts.</summary>
internal sealed class SubscribingPeer : Peer
{
    private readonly Action<int>? _arrived;
    private int _new;

    /// <summary>Connects and subscribes.</summary>
    /// <param name="port">The broker's.</param>
    /// <param name="clientId">Its name.</param>
    /// <param name="qos">Of its subscription.</param>
    /// <param name="bufferSize">Of its socket.</param>
    /// <param name="arrived">Told how many have come, once for each read.</param>
    public SubscribingPeer(int port, string clientId, int qos, int bufferSize, Action<int>? arrived)
        : base(port, clientId, bufferSize)
    {
        _arrived = arrived;
        Ask(PreparedPackets.SubscribeTo("DATA", qos, version: 4));
    }

    /// <summary>How many messages have come.</summary>
    public long Received { get; private set; }

    /// <inheritdoc/>
    protected override void Handle(byte type, ReadOnlySpan<byte> body)
    {
        if ((type & 0xF0) == 0x30)
        {
            _new++;
            var at = 2 + body[1]; // After the topic.
            if ((type & 6) != 0)
                Say([(type & 6) == 2 ? (byte)0x40 : (byte)0x50, 2, body[at], body[at + 1]]);
        }
        else if (type == 0x62)
        {
            Say([0x70, 2, body[0], body[1]]);
        }
    }

    /// <inheritdoc/>
    protected override void AfterRead()
    {
        if (_new == 0)
            return;
        Received += _new;
        Flush();
        _arrived?.Invoke(_new);
        _new = 0;
    }
}

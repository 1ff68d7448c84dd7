using System.Buffers.Binary;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>The answers that a receiver owes for what it has read, collected into one write.</summary>
internal sealed class AcknowledgementBuffer
{
    private byte[] _bytes = new byte[4096];
    private int _length;

    /// <summary>The broker has said yes to a subscription.</summary>
    public bool IsSubscribed { get; private set; }

    /// <summary>Looks at a packet.</summary>
    /// <returns>Whether it is a message.</returns>
    /// <exception cref="TrialException">The broker refuses the subscription.</exception>
    public bool Take(ReadOnlySpan<byte> packet, int headerLength)
    {
        if (packet[0] == PreparedPackets.SubAck)
            IsSubscribed = packet[^1] <= 2 ? true : throw new TrialException($"the broker refuses a subscription (code {packet[^1]}): check what this user may read");
        if (packet[0] == PreparedPackets.PubRel)
            Add(PreparedPackets.PubComp, packet.Slice(headerLength, 2));
        if ((packet[0] & 0xF0) != PreparedPackets.Publish)
            return false;
        var qos = (packet[0] >> 1) & 3;
        if (qos > 0)
            Add(qos == 1 ? PreparedPackets.PubAck : PreparedPackets.PubRec, packet.Slice(headerLength + 2 + TopicLength(packet, headerLength), 2));
        return true;
    }

    /// <summary>Adds one of two bytes.</summary>
    public void Add(byte type, ReadOnlySpan<byte> body)
    {
        if (_length + 4 > _bytes.Length)
            Array.Resize(ref _bytes, 2 * _bytes.Length);
        (_bytes[_length], _bytes[_length + 1]) = (type, 2);
        body[..2].CopyTo(_bytes.AsSpan(_length + 2));
        _length += 4;
    }

    /// <summary>Sends them.</summary>
    public ValueTask SendAsync(RawConnection connection, CancellationToken stop)
    {
        var length = _length;
        _length = 0;
        return length == 0 ? ValueTask.CompletedTask : connection.SendAsync(_bytes.AsMemory(0, length), stop);
    }

    /// <summary>The length of a message's topic.</summary>
    public static int TopicLength(ReadOnlySpan<byte> packet, int headerLength) => BinaryPrimitives.ReadUInt16BigEndian(packet[headerLength..]);
}

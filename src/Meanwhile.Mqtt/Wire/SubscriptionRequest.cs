namespace Meanwhile.Mqtt.Wire;

/// <summary>When retained messages come with a subscription [MQTT-5.0, 3.8.3.1].</summary>
public enum RetainHandling
{
    /// <summary>With every SUBSCRIBE.</summary>
    Send = 0,

    /// <summary>Only when there was no such subscription yet.</summary>
    SendIfNew = 1,

    /// <summary>Never.</summary>
    DoNotSend = 2,
}

/// <summary>One filter of a SUBSCRIBE with its options; before 5.0 there is only the QoS.</summary>
/// <param name="Filter">Which topics.</param>
/// <param name="Qos">The highest QoS to be delivered.</param>
/// <param name="NoLocal">Not what this client publishes itself.</param>
/// <param name="RetainAsPublished">Messages keep their RETAIN flag.</param>
/// <param name="RetainHandling">When retained messages come.</param>
public sealed record SubscriptionRequest(
    string Filter, int Qos, bool NoLocal = false, bool RetainAsPublished = false, RetainHandling RetainHandling = RetainHandling.Send)
{
    internal static SubscriptionRequest Read(ref PacketReader reader, ProtocolVersion version)
    {
        var filter = TopicFilters.Read(ref reader);
        var options = reader.ReadByte() & (version == ProtocolVersion.V31 ? 3 : 0xFF); // Other bits are not used in 3.1.
        var reserved = version == ProtocolVersion.V5 ? 0xC0 : 0xFC;
        if ((options & reserved) != 0 || (options & 3) == 3 || (options & 0x30) == 0x30)
            throw ProtocolException.Malformed($"subscription options 0x{options:X2}"); // [MQTT-3.8.3-5]; [MQTT-3.8.3-4] of 3.1.1
        var noLocal = (options & 4) != 0;
        if (noLocal && Topic.TrySplitShare(filter, out _, out _))
            throw ProtocolException.Error("No Local on a shared subscription"); // [MQTT-3.8.3-4]
        return new SubscriptionRequest(filter, options & 3, noLocal, (options & 8) != 0, (RetainHandling)((options >> 4) & 3));
    }

    /// <summary>What a bridge means by it. Of a shared subscription others may have what it sends itself [MQTT-3.8.3-4].</summary>
    internal SubscriptionRequest OfBridge() => this with { NoLocal = !Topic.TrySplitShare(Filter, out _, out _), RetainAsPublished = true };

    internal void Write(PacketWriter writer, ProtocolVersion version)
    {
        writer.WriteText(Filter);
        var options = version == ProtocolVersion.V5 ? (NoLocal ? 4 : 0) | (RetainAsPublished ? 8 : 0) | ((int)RetainHandling << 4) : 0; // [MQTT-3.8.3-4] of 3.1.1
        writer.WriteByte((byte)(Qos | options));
    }
}

/// <summary>Topic filters on the wire.</summary>
internal static class TopicFilters
{
    /// <summary>Reads one that follows the rules [MQTT-3.8.3-1], [MQTT-3.10.3-1].</summary>
    public static string Read(ref PacketReader reader)
    {
        var filter = reader.ReadName();
        return Topic.IsFilter(filter) ? filter : throw ProtocolException.Malformed("text that is no topic filter");
    }

    /// <summary>Sees to it that a packet has not more of them than it may.</summary>
    public static void CheckCount(int count, int most)
    {
        if (count > most)
            throw new ProtocolException(ReasonCode.QuotaExceeded, $"more than {most} filters in one packet");
    }
}

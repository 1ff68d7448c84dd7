using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Feeds;

/// <summary>Reads what came to the embedded broker as deliveries, and remembers it until they are acknowledged, in the same order.</summary>
internal sealed class IncomingReader(ChannelReader<Incoming> incoming) : ChannelReader<Delivery>
{
    private readonly Queue<Incoming> _read = new();

    /// <inheritdoc/>
    public override Task Completion => incoming.Completion;

    /// <inheritdoc/>
    public override bool CanCount => incoming.CanCount;

    /// <inheritdoc/>
    public override int Count => incoming.Count;

    /// <inheritdoc/>
    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => incoming.WaitToReadAsync(cancellationToken);

    /// <inheritdoc/>
    public override bool TryRead([MaybeNullWhen(false)] out Delivery item)
    {
        item = default;
        if (!incoming.TryRead(out var next))
            return false;
        _read.Enqueue(next);
        item = new Delivery
        {
            Kind = KindOf(next.Kind),
            Topic = next.Message?.Topic ?? "",
            Payload = next.Message?.Payload ?? default,
            Arrived = next.Received.ToUnixTimeMilliseconds(),
            Dup = next.Dup,
            IdChange = next.IdChange,
            Client = next.ClientId,
        };
        return true;
    }

    /// <summary>Takes out what was read first.</summary>
    public void TakeOldest(int count, List<Incoming> taken)
    {
        while (taken.Count < count)
            taken.Add(_read.Dequeue());
    }

    private static DeliveryKind KindOf(IncomingKind kind) => kind switch
    {
        IncomingKind.Message => DeliveryKind.Message,
        IncomingKind.Redelivery => DeliveryKind.Redelivery,
        _ => DeliveryKind.SessionChange,
    };
}

using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Feeds;

/// <summary>Reads what came to the embedded broker as deliveries.</summary>
internal sealed class IncomingReader(ChannelReader<Incoming> incoming) : ChannelReader<Delivery>
{
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
        if (!incoming.TryRead(out var next))
        {
            item = default;
            return false;
        }
        item = new Delivery { Kind = KindOf(next.Kind), Incoming = next, Client = next.ClientId };
        return true;
    }

    private static DeliveryKind KindOf(IncomingKind kind) => kind switch
    {
        IncomingKind.Message => DeliveryKind.Message,
        IncomingKind.Redelivery => DeliveryKind.Redelivery,
        _ => DeliveryKind.SessionChange,
    };
}

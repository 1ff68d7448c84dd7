using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Feeds;

/// <summary>Reads what came to the embedded broker as deliveries, and remembers it until they are acknowledged, in the same order.</summary>
internal sealed class IncomingReader(ChannelReader<Incoming> incoming) : ChannelReader<Delivery>
{
    private readonly List<Incoming> _read = [];

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
        _read.Add(next);
        item = new Delivery
        {
            Kind = KindOf(next.Kind),
            Topic = next.Message?.Topic ?? "",
            Payload = next.Message?.Payload ?? default,
            Arrived = next.Received.ToUnixTimeMilliseconds(),
            Dup = next.Dup,
            IdChange = next.IdChange,
            Client = next.ClientId,
            CanBeRefused = next.CanBeRefused,
        };
        return true;
    }

    /// <summary>What was read first, until something else is read.</summary>
    public ReadOnlySpan<Incoming> Oldest(int count) => CollectionsMarshal.AsSpan(_read)[..count];

    /// <summary>Refuses one of those that were read.</summary>
    public void Refuse(int number) => _read[number] = _read[number] with { IsRefused = true };

    /// <summary>Forgets what was read first: as a rule, all that was read.</summary>
    public void Forget(int count) => _read.RemoveRange(0, count);

    private static DeliveryKind KindOf(IncomingKind kind) => kind switch
    {
        IncomingKind.Message => DeliveryKind.Message,
        IncomingKind.Redelivery => DeliveryKind.Redelivery,
        _ => DeliveryKind.SessionChange,
    };
}

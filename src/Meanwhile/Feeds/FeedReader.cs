using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Feeds;

/// <summary>Reads what came from a broker elsewhere as deliveries, and what our session is subscribed to from now on before all that comes after it.</summary>
/// <param name="incoming">What came.</param>
/// <param name="subscription">Tells what of it was asked for.</param>
internal sealed class FeedReader(ChannelReader<Incoming> incoming, FeedSubscription subscription) : ChannelReader<Delivery>
{
    /// <inheritdoc/>
    public override Task Completion => incoming.Completion;

    /// <inheritdoc/>
    public override bool CanCount => incoming.CanCount;

    /// <inheritdoc/>
    public override int Count => incoming.Count;

    /// <inheritdoc/>
    public override bool TryRead([MaybeNullWhen(false)] out Delivery item)
    {
        if (subscription.TryTakeChange(out var filter))
        {
            item = new Delivery { Kind = DeliveryKind.SessionChange, Subscription = filter };
            return true;
        }
        if (!incoming.TryRead(out var next))
        {
            item = default;
            return false;
        }
        item = new Delivery { Kind = subscription.KindOf(next), Incoming = next };
        return true;
    }

    /// <inheritdoc/>
    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        var changed = subscription.Changed;
        if (changed.IsCompleted)
            return ValueTask.FromResult(true);
        var readable = incoming.WaitToReadAsync(cancellationToken);
        return readable.IsCompleted ? readable : WaitForEitherAsync(readable.AsTask(), changed);
    }

    private static async ValueTask<bool> WaitForEitherAsync(Task<bool> readable, Task changed) =>
        await Task.WhenAny(readable, changed) == changed || await readable || changed.IsCompleted; // Also one of the last moment.
}

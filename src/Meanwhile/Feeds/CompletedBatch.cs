using Meanwhile.Mqtt.Session;

namespace Meanwhile.Feeds;

/// <summary>Makes of deliveries that are durable what their connection acknowledges. It uses its memory again for each batch.</summary>
internal sealed class CompletedBatch
{
    private Incoming[] _items = [];
    private int _count;

    /// <summary>What came, with what became of it; good until the next call.</summary>
    public ReadOnlySpan<Incoming> Of(IReadOnlyList<Delivery> committed)
    {
        if (_items.Length < committed.Count)
            _items = new Incoming[Math.Max(committed.Count, 2 * _items.Length)];
        for (var i = 0; i < committed.Count; i++)
        {
            var delivery = committed[i];
            ref var item = ref _items[i];
            item = delivery.Incoming;
            if (delivery.Kind == DeliveryKind.Refused)
                item = item with { IsRefused = true };
            else if (delivery.Kind == DeliveryKind.SessionChange)
                item = item with { Kind = IncomingKind.SessionChange }; // Acknowledged as well, but not counted.
        }
        _count = committed.Count;
        return _items.AsSpan(0, _count);
    }

    /// <summary>Lets go of the messages.</summary>
    public void Clear() => _items.AsSpan(0, _count).Clear();
}

using System.Diagnostics.CodeAnalysis;

namespace Meanwhile.Mqtt.Delivery;

/// <summary>Messages that were not sent yet, in their order.</summary>
/// <param name="log">Told of those that will never be sent; null for no memory.</param>
/// <param name="share">Counts what they take.</param>
internal sealed class WaitingMessages(ISenderLog? log, QueueShare share)
{
    /// <summary>So many expired messages are passed over in one go: whoever has a message for the session waits meanwhile.</summary>
    public const int MostExpiredAtOnce = 1024;

    private Queue<QueuedMessage> _messages = new();
    private int _expired;

    /// <summary>How many there are.</summary>
    public int Count => _messages.Count;

    /// <summary>The first one, expired or not; null for none.</summary>
    public QueuedMessage? First => _messages.TryPeek(out var first) ? first : null;

    /// <summary>All of them.</summary>
    public IEnumerable<QueuedMessage> All => _messages;

    /// <summary>Adds one to the end.</summary>
    public void Add(QueuedMessage message)
    {
        _messages.Enqueue(message);
        share.Add(message.Outgoing);
    }

    /// <summary>Puts some before all others that count already.</summary>
    public void PutBefore(IEnumerable<QueuedMessage> messages) => _messages = new Queue<QueuedMessage>([.. messages, .. _messages]);

    /// <summary>The first one that is worth sending; those before it are dropped [MQTT-3.3.2-5].</summary>
    /// <returns>False when there is none, or so many have expired that it is to be asked again.</returns>
    public bool TryPeek(TimeSpan now, [NotNullWhen(true)] out QueuedMessage? first)
    {
        for (var left = MostExpiredAtOnce; left > 0 && _messages.TryPeek(out first);)
        {
            ref readonly var outgoing = ref first.Outgoing;
            var isWithdrawn = outgoing.Answered is { Task.IsCompleted: true };
            if (!isWithdrawn && !outgoing.Message.IsExpired(now))
                return true;
            share.Remove(_messages.Dequeue().Outgoing);
            if (!isWithdrawn)
            {
                _expired++;
                left--;
            }
            outgoing.Answered?.TrySetCanceled();
            if (outgoing.Qos > 0)
                log?.Finish(first.Number);
        }
        first = null;
        return false;
    }

    /// <summary>Takes the first one out; it counts on.</summary>
    public void RemoveFirst() => _messages.Dequeue();

    /// <summary>Drops what came at QoS 0.</summary>
    /// <returns>How many messages that were.</returns>
    public int DropQos0()
    {
        var all = _messages.Count;
        for (var left = all; left > 0; left--)
        {
            var message = _messages.Dequeue();
            if (message.Outgoing.Qos > 0)
                _messages.Enqueue(message);
            else
                share.Remove(message.Outgoing);
        }
        return all - _messages.Count;
    }

    /// <summary>How many have expired since this was asked last.</summary>
    public int TakeExpired()
    {
        var expired = _expired;
        _expired = 0;
        return expired;
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear() => _messages.Clear();
}

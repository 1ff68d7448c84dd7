using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Mqtt.Session;

/// <summary>Messages that nobody has any more, for those that come next: in steady state none is allocated.</summary>
internal sealed class MessagePool
{
    private const int MostMessages = 8192;
    private const int LargestMemory = 1024;

    private readonly Lock _gate = new();
    private readonly Stack<Message> _free = new();

    /// <summary>Takes some out, as many as there are.</summary>
    public void Take(Stack<Message> into, int count)
    {
        lock (_gate)
        {
            for (; count > 0 && _free.TryPop(out var message); count--)
                into.Push(message);
        }
    }

    /// <summary>Gives some back.</summary>
    public void Give(Stack<Message> messages)
    {
        if (messages.Count == 0)
            return;
        lock (_gate)
        {
            while (messages.TryPop(out var message))
            {
                if (_free.Count < MostMessages && message.Capacity <= LargestMemory)
                    _free.Push(message);
            }
        }
    }
}

using BenchmarkDotNet.Attributes;
using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Micro.Bench;

/// <summary>What the delivery guarantees take for a message, from PUBLISH to its last acknowledgement, a hundred at a time.</summary>
[MemoryDiagnoser]
public class Delivery
{
    private const int Messages = 100;
    private readonly Ticket[] _tickets = new Ticket[Messages];
    private readonly Receiver _receiver = new([]);

    [Params(1, 2)]
    public int Qos { get; set; }

    [GlobalSetup]
    public void Prepare() => _receiver.Connected(sessionPresent: false);

    [Benchmark(OperationsPerInvoke = Messages)]
    public int Deliver()
    {
        for (ushort id = 1; id <= Messages; id++)
            _tickets[id - 1] = _receiver.Publish(id, Qos, dup: false).Ticket;
        var acknowledged = Acknowledge();
        if (Qos == 1)
            return acknowledged;
        for (ushort id = 1; id <= Messages; id++)
            _tickets[id - 1] = _receiver.Release(id).Ticket;
        return acknowledged + Acknowledge();
    }

    private int Acknowledge()
    {
        foreach (var ticket in _tickets)
            _receiver.Complete(ticket);
        var count = 0;
        while (_receiver.TryNextAcknowledgement(out _))
            count++;
        return count;
    }
}

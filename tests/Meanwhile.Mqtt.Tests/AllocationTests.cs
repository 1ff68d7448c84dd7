using Meanwhile.Mqtt.Delivery;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests;

/// <summary>What the delivery guarantees allocate for a message, in bytes: nothing.</summary>
public class AllocationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Receiving_and_acknowledging_allocates_nothing(int qos)
    {
        var receiver = new Receiver([]);
        receiver.Connected(sessionPresent: false);
        var tickets = new Ticket[100];
        Work(100);
        var acknowledged = 0;
        Assert.Equal(0, Allocations.Of(() => acknowledged = Work(1000)));
        Assert.Equal(1000 * tickets.Length * qos, acknowledged);

        int Work(int rounds)
        {
            var count = 0;
            for (var round = 0; round < rounds; round++)
            {
                for (ushort id = 1; id <= tickets.Length; id++)
                    tickets[id - 1] = receiver.Publish(id, qos, dup: false).Ticket;
                count += Acknowledge();
                if (qos == 1)
                    continue;
                for (ushort id = 1; id <= tickets.Length; id++)
                    tickets[id - 1] = receiver.Release(id).Ticket;
                count += Acknowledge();
            }
            return count;
        }

        int Acknowledge()
        {
            foreach (var ticket in tickets)
                receiver.Complete(ticket);
            var count = 0;
            while (receiver.TryNextAcknowledgement(out _))
                count++;
            return count;
        }
    }
}

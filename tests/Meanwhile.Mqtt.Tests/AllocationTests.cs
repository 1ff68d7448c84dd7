using Meanwhile.Mqtt.Delivery;

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
        var before = GC.GetAllocatedBytesForCurrentThread();
        Work(1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Work(int rounds)
        {
            for (var round = 0; round < rounds; round++)
            {
                for (ushort id = 1; id <= tickets.Length; id++)
                    tickets[id - 1] = receiver.Publish(id, qos, dup: false).Ticket;
                Assert.Equal(tickets.Length, Acknowledge());
                if (qos == 1)
                    continue;
                for (ushort id = 1; id <= tickets.Length; id++)
                    tickets[id - 1] = receiver.Release(id).Ticket;
                Assert.Equal(tickets.Length, Acknowledge());
            }
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

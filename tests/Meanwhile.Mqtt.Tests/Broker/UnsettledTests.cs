using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>What a client has sent at QoS 0 counts until the host has completed it, whoever's memory it has got.</summary>
public sealed class UnsettledTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_comes_again_and_waits_for_the_journal_does_not_settle_a_message_at_qos_0_that_has_got_its_memory(int qos)
    {
        var store = new ManualStore();
        using var parts = new BrokerParts(new BrokerOptions { Listeners = [], Store = store, Holds = static _ => true });
        var session = new ClientSession("c", new SessionLimits(10, 0, 10, long.MaxValue), parts.Journal, parts.Drops, [], []);
        var batch = new IncomingBatch(parts.Incoming, parts.Drops, CancellationToken.None);
        var terms = new Terms(new ConnectPacket { Version = ProtocolVersion.V311, ClientId = "c", CleanStart = false }, 10, uint.MaxValue);
        session.Connected(terms, sessionPresent: false);
        var first = await TakeAsync(qos, dup: false);
        if (qos == 1) // It is known on the next connection alone.
        {
            session.Disconnected(TimeSpan.MaxValue);
            session.Connected(terms, sessionPresent: true);
        }
        parts.Incoming.Complete([first]);
        var again = await TakeAsync(qos, dup: true);
        Assert.Equal(IncomingKind.Redelivery, again.Kind);
        parts.Incoming.Complete([again]); // The commit of the session is under way: it waits for that.
        var unsettled = await TakeAsync(0, dup: false);
        Assert.Same(again.Message, unsettled.Message);
        Assert.Equal(1, session.UnsettledAtQos0);

        store.EndAll();
        await parts.Journal.FlushAsync();
        Assert.Equal(1, session.UnsettledAtQos0);
        parts.Incoming.Complete([unsettled]);
        Assert.Equal(0, session.UnsettledAtQos0);
        await parts.Journal.StopAsync();

        async Task<Incoming> TakeAsync(int qos, bool dup)
        {
            var publish = new PublishPacket { Topic = "a", Qos = qos, PacketId = (ushort)(qos > 0 ? 1 : 0), Dup = dup };
            var message = batch.Read("a", publish, parts.Now());
            await batch.AddAsync(session.Publish(publish, message, DateTimeOffset.UnixEpoch));
            await batch.FlushAsync();
            Assert.True(parts.Incoming.Queue.TryRead(out var incoming));
            return incoming;
        }
    }
}

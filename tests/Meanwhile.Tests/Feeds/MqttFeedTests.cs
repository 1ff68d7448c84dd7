using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Meanwhile.Tests.Feeds;

/// <summary>A broker of raw bytes with our feed and the data path behind it, in this process; alone in it, because what it allocates is counted.</summary>
[Collection(nameof(MqttFeedTests))]
[CollectionDefinition(nameof(MqttFeedTests), DisableParallelization = true)]
public sealed class MqttFeedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RawBroker _broker = new();

    public void Dispose()
    {
        _broker.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_allocated_for_a_message_between_the_socket_and_its_acknowledgement(bool is5)
    {
        const int inFlight = 2000;
        const int rounds = 100;
        // What is allocated once for a batch (and, built for debugging, once for a read and for a write) is less than a few bytes for each of its messages; the smaller batches of a busy machine make it more.
        const int leastObject = 24;
        var ledger = new Ledger();
        var options = new AggregatorOptions("DATA", "STATS");
        using var store = SqliteStore.Open(_folder["test.db"], new StoreOptions("test", "DATA"));
        var feed = new MqttFeed(
            new BrokerSettings(BrokerAddress.Parse(_broker.Address), "raw", UserName: null, Password: null), "DATA", store.ReadSession(), new ReadyFile(null), ledger.RefuseResult, NullLogger.Instance, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var feeding = feed.RunAsync(stop.Token);
        var aggregating = new Aggregator(feed, store, options, new PipelineStatus(options, TimeProvider.System) { Ledger = ledger }, NullLogger.Instance, TimeProvider.System).RunAsync(stop.Token);
        using var connection = await AcceptAsync(is5);
        // All of one time: each further moment that a window holds takes memory of its own, and keeps it.
        var reading = Encoding.UTF8.GetBytes($$"""{"number": 7, "epochtime": "{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}}"}""");
        byte[] packets = [.. Enumerable.Range(1, inFlight).SelectMany(id => RawPackets.Publish((ushort)id, qos: 1, dup: false, is5, "DATA", reading))];
        await Task.Run(() => Publish(connection, packets, rounds), TestContext.Current.CancellationToken);
        var allocated = -GC.GetTotalAllocatedBytes(precise: true);
        await Task.Run(() => Publish(connection, packets, rounds), TestContext.Current.CancellationToken);
        allocated += GC.GetTotalAllocatedBytes(precise: true);
        await stop.CancelAsync();
        await aggregating;
        await feed.DisposeAsync();
        await feeding;
        Assert.Equal(2 * rounds * inFlight, ledger.Acknowledged);
        var each = (double)allocated / (rounds * inFlight);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes");
        Assert.InRange(each, 0, leastObject / 3);

        static void Publish(RawConnection connection, byte[] packets, int rounds)
        {
            var answers = new PacketCounter();
            for (var round = 1; round <= rounds; round++)
            {
                connection.Send(packets);
                while (answers.PubAcks < round * inFlight)
                    answers.Count(connection);
            }
        }
    }

    private async Task<RawConnection> AcceptAsync(bool is5)
    {
        var connection = await _broker.AcceptAsync();
        await connection.ReceiveAsync();
        if (!is5)
        {
            await connection.SendAsync("20020001");
            connection.Dispose();
            connection = await _broker.AcceptAsync();
            await connection.ReceiveAsync();
        }
        await connection.SendAsync(is5 ? "2003000000" : "20020000");
        await connection.ReceiveAsync();
        await connection.SendAsync(is5 ? "9004 0001 00 02" : "9003 0001 02");
        return connection;
    }

    // Results go unanswered: twenty of them are in flight, and the others make room for newer ones.
    private sealed class PacketCounter
    {
        private readonly byte[] _bytes = new byte[64 * 1024];
        private int _rest = -1; // Of a packet; negative before its length.
        private int _type = -1;
        private int _length;
        private int _shift;

        public int PubAcks { get; private set; }

        public void Count(RawConnection connection)
        {
            var count = connection.Receive(_bytes);
            Assert.NotEqual(0, count);
            for (var i = 0; i < count;)
            {
                if (_type < 0)
                {
                    (_type, _length, _shift) = (_bytes[i++] >> 4, 0, 0);
                }
                else if (_rest < 0)
                {
                    _length |= (_bytes[i] & 0x7F) << _shift;
                    _shift += 7;
                    if (_bytes[i++] < 0x80)
                        _rest = _length;
                }
                else
                {
                    var taken = Math.Min(_rest, count - i);
                    (_rest, i) = (_rest - taken, i + taken);
                    if (_rest > 0)
                        continue;
                    PubAcks += _type == 4 ? 1 : 0;
                    (_type, _rest) = (-1, -1);
                }
            }
        }
    }
}

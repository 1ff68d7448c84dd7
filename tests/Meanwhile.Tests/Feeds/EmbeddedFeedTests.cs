using System.Net;
using System.Net.Sockets;
using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Meanwhile.Tests.Feeds;

/// <summary>The embedded broker with the data path behind it, in this process; alone in it, because what it allocates is counted.</summary>
[Collection(nameof(EmbeddedFeedTests))]
[CollectionDefinition(nameof(EmbeddedFeedTests), DisableParallelization = true)]
public sealed class EmbeddedFeedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ListLogger _log = new();
    private readonly Ledger _ledger = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_publisher_with_many_in_flight_shares_commits_with_itself()
    {
        const ushort messages = 5000;
        var commits = await RunAsync(feed => new RawPublisher(feed.EndPoint.Port, qos: 1, inFlight: 100).RunAsync(messages, TestContext.Current.CancellationToken));
        Assert.Equal((messages, messages), (_ledger.Committed, _ledger.Acknowledged));
        Assert.InRange(commits, 1, messages / 4);
    }

    [Fact]
    public async Task A_message_that_is_too_large_for_a_reading_goes_to_the_quarantine_and_one_too_large_for_the_broker_is_refused_and_that_is_said()
    {
        await RunAsync(async feed =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(feed.EndPoint, TestContext.Current.CancellationToken);
            var stream = client.GetStream();
            var answer = new byte[4];
            await stream.WriteAsync(Convert.FromHexString("101000044D5154540402000000047261774A"), TestContext.Current.CancellationToken);
            await stream.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
            await stream.WriteAsync(RawPackets.Publish(1, qos: 1, is5: false, payloadLength: 1_000_000), TestContext.Current.CancellationToken);
            await stream.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
            Assert.Equal("40020001", Convert.ToHexString(answer));

            await stream.WriteAsync(RawPackets.Publish(2, qos: 1, is5: false, payloadLength: 1_200_000).AsMemory(0, 100), TestContext.Current.CancellationToken);
            Assert.Equal(0, await stream.ReadAsync(answer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken));
            await _log.SaysAsync("has refused or closed the connection of 'rawJ' (PacketTooLarge: Publish of 1200012 bytes, more than 1179648)");
        });
        Assert.Equal((1, 1, 1), (_ledger.Received, _ledger.Quarantined, _ledger.Acknowledged));
        await _log.SaysAsync("refused or closed 1 connections and refused 0 messages");
    }

    [Fact]
    public async Task The_listener_for_the_program_itself_lets_nobody_else_in()
    {
        await RunAsync(
            async feed =>
            {
                Assert.NotEqual(feed.EndPoint, feed.InsideEndPoint);
                Assert.Equal("20020005", await ConnectAsync(feed.InsideEndPoint, "101000044D515454040200000004726177 4A")); // Not authorized, without a password
                Assert.Equal("20020005", await ConnectAsync(feed.InsideEndPoint, "101A00044D51545404C2000000047261774A0002 6D65 0004 31323334")); // and with a wrong one.
                Assert.Equal("20020000", await ConnectAsync(feed.EndPoint, "101000044D515454040200000004726177 4A"));
            },
            new InsideLogin());

        static async Task<string> ConnectAsync(IPEndPoint endPoint, string connect)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(endPoint, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync(Convert.FromHexString(connect.Replace(" ", "", StringComparison.Ordinal)), TestContext.Current.CancellationToken);
            var answer = new byte[4];
            await client.GetStream().ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
            return Convert.ToHexString(answer);
        }
    }

    [Fact]
    public async Task Nothing_is_allocated_for_a_message_between_the_socket_and_its_acknowledgement()
    {
        const int inFlight = 2000;
        const int rounds = 100;
        // What is allocated once for a batch (and, built for debugging, once for a read and for a write) is less than one or three bytes for each of their messages; the smaller batches of a busy machine make it more.
        const int leastObject = 24;
        var (allocated, token) = (0L, TestContext.Current.CancellationToken);
        await RunAsync(async feed =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(feed.EndPoint, token);
            await socket.SendAsync(Convert.FromHexString("101000044D5154540402000000047261774A"), token);
            await socket.ReceiveAsync(new byte[4], token);
            // All of one time: each further moment that a window holds takes memory of its own, and keeps it.
            var reading = Encoding.UTF8.GetBytes($$"""{"number": 7, "epochtime": "{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}}"}""");
            byte[] packets = [.. Enumerable.Range(1, inFlight).SelectMany(id => RawPackets.Publish((ushort)id, qos: 1, dup: false, is5: false, "DATA", reading))];
            await Task.Run(() => Publish(socket, packets, rounds), token);
            allocated = -GC.GetTotalAllocatedBytes(precise: true);
            await Task.Run(() => Publish(socket, packets, rounds), token);
            allocated += GC.GetTotalAllocatedBytes(precise: true);
        }, logger: NullLogger.Instance);
        Assert.Equal(2 * rounds * inFlight, _ledger.Acknowledged);
        var each = (double)allocated / (rounds * inFlight);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes");
        Assert.InRange(each, 0, leastObject / 3);

        static void Publish(Socket socket, byte[] packets, int rounds)
        {
            var answers = new byte[4 * inFlight];
            for (var round = 0; round < rounds; round++)
            {
                socket.Send(packets);
                for (var read = 0; read < answers.Length;)
                    read += socket.Receive(answers.AsSpan(read));
            }
        }
    }

    // How many commits there were.
    private async Task<int> RunAsync(Func<EmbeddedFeed, Task> test, InsideLogin? inside = null, ILogger? logger = null)
    {
        logger ??= _log;
        var options = new AggregatorOptions("DATA", "STATS");
        using var store = new CountingStore(SqliteStore.Open(_folder["test.db"], new StoreOptions(Store.EmbeddedSessions, "DATA")));
        using var brokerStore = BrokerFile.Open(_folder["test.db.broker"], logger, TimeProvider.System);
        var feed = await EmbeddedFeed.StartAsync(
            new EmbeddedOptions([new ListenAddress(new IPEndPoint(IPAddress.Loopback, 0))]) { Inside = inside }, brokerStore, options.Takes, store.ReadSession().ReceivedIds, logger, TimeProvider.System, TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(feed.RunAsync(stop.Token), new Aggregator(feed, store, options, new PipelineStatus(options, TimeProvider.System) { Ledger = _ledger }, logger, TimeProvider.System).RunAsync(stop.Token));
        try
        {
            await Task.WhenAny(test(feed), running).Unwrap();
        }
        finally
        {
            await stop.CancelAsync();
            await running;
            await feed.DisposeAsync();
        }
        return store.Commits;
    }
}

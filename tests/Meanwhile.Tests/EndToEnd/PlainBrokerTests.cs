using System.Net;
using System.Net.Sockets;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The plain broker is killed: what it has acknowledged is there again.</summary>
public sealed class PlainBrokerTests : ProgramTest
{
    private const ushort Messages = 5000;

    private readonly int _port = MosquittoServer.FreePort();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Every_message_for_a_session_arrives_through_kills_and_at_qos_2_exactly_once_and_in_order(int qos)
    {
        var broker = await BrokerAsync();
        var subscriber = new RawSubscriber(_port, qos);
        await subscriber.SubscribeAsync();
        var publisher = new RawPublisher(_port, qos, inFlight: 100);
        var publishing = publisher.RunAsync(Messages, TestContext.Current.CancellationToken);
        for (var kill = 1; kill <= 2; kill++)
        {
            await Until.TrueAsync(() => publisher.Completed > kill * Messages / 4, () => broker.Error);
            await broker.KillAsync();
            broker = await BrokerAsync();
        }
        await publishing;
        await broker.KillAsync();
        broker = await BrokerAsync();

        using var stop = new CancellationTokenSource();
        var subscribing = subscriber.RunAsync(stop.Token);
        for (var kill = 1; kill <= 2; kill++)
        {
            await Until.TrueAsync(() => subscriber.Payloads.Count > kill * Messages / 4, () => broker.Error);
            await broker.KillAsync();
            broker = await BrokerAsync();
        }
        await Until.TrueAsync(() => subscriber.Payloads.Distinct().Count() == Messages, () => $"{subscriber.Payloads.Count} have arrived; {broker.Error}");
        await Until.TrueAsync(() => Query("SELECT COUNT(*) FROM queue") == "0", () => $"{Query("SELECT COUNT(*) FROM queue")} are left");
        await stop.CancelAsync();
        await subscribing;
        Assert.Equal(0, await broker.TerminateAsync());
        if (qos == 2)
            Assert.Equal(Enumerable.Range(1, Messages).Select(number => $"{number}"), subscriber.Payloads);
        Assert.True(subscriber.Again > 0);
        Assert.Equal(0, publisher.SessionsLost);
        Assert.Equal("0", Query("SELECT COUNT(*) FROM received_ids"));
    }

    [Fact]
    public async Task What_is_retained_stays_and_what_was_deleted_stays_deleted()
    {
        var broker = await BrokerAsync();
        foreach (var topic in new[] { "r/kept", "r/gone", "r/last" })
            await PublishAsync("-t", topic, "-q", "1", "-r", "-m", "one");
        await PublishAsync("-t", "r/kept", "-q", "2", "-r", "-m", "two", "-V", "5", "-D", "publish", "content-type", "text");
        await PublishAsync("-t", "r/gone", "-q", "1", "-r", "-n");
        await broker.KillAsync();
        broker = await BrokerAsync();
        var subscriber = Peer("mosquitto_sub", "-p", $"{_port}", "-t", "r/#", "-q", "2", "-C", "2", "-V", "5", "-F", "%t %r %q %C %p");
        Assert.Equal(0, await subscriber.ExitAsync());
        Assert.Equal(["r/kept 1 2 text two", "r/last 1 1  one"], subscriber.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task The_will_of_a_client_that_was_here_is_published_when_the_broker_is_back()
    {
        var broker = await BrokerAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(Convert.FromHexString("101800044D515454042E00000001630003722F770004676F6E65"), TestContext.Current.CancellationToken); // Retained, at QoS 1.
        await stream.ReadExactlyAsync(new byte[4], TestContext.Current.CancellationToken);
        await broker.KillAsync();
        broker = await BrokerAsync();
        var subscriber = Peer("mosquitto_sub", "-p", $"{_port}", "-t", "r/#", "-q", "1", "-C", "1", "-F", "%t %q %p");
        Assert.Equal(0, await subscriber.ExitAsync());
        Assert.Equal("r/w 1 gone", subscriber.Output.Trim());
        Assert.Equal("0", Query("SELECT COUNT(*) FROM wills"));
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task While_the_file_cannot_be_written_nothing_is_acknowledged_and_then_it_goes_on()
    {
        var broker = await BrokerAsync();
        var publisher = new RawPublisher(_port, qos: 2, inFlight: 10);
        var publishing = publisher.RunAsync(Messages, TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => publisher.Completed > 100, () => broker.Error);
        using (var other = new Database(Folder["tmp/broker.db"]))
        {
            other.Execute("PRAGMA busy_timeout = 0");
            await Until.TrueAsync(() => Enumerable.Range(0, 1000).Any(_ => Takes(other)), () => "the broker never left its file to another");
            await broker.SaysAsync("nothing can be committed, and nothing is acknowledged: tmp/broker.db is held by another program");
            var completed = publisher.Completed;
            await PublishAsync("-t", "other", "-q", "2", "-m", "nobody waits for this one"); // Nothing has to be kept of it.
            Assert.Equal(completed, publisher.Completed);
            other.Execute("ROLLBACK");
        }
        await publishing;
        Assert.Contains("committing again", broker.Error, StringComparison.Ordinal);
        Assert.Equal(0, await broker.TerminateAsync());

        static bool Takes(Database file) // The broker commits all the time, and SQLite has no queue of those who wait: who sleeps between attempts may never be served.
        {
            try
            {
                file.Execute("BEGIN IMMEDIATE");
                return true;
            }
            catch (StoreException e) when (e.MayHeal)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task A_limit_of_the_file_is_waited_for()
    {
        var broker = Peer("sh", "-c", $"trap '' XFSZ; exec {Path.Combine(AppContext.BaseDirectory, "meanwhile")} broker --listen 127.0.0.1:{_port}");
        await broker.SaysAsync("is listening");
        Limit("300000"); // Of every file; and the first that grows is the journal of the database.
        var publisher = new RawPublisher(_port, qos: 2, inFlight: 100);
        var publishing = publisher.RunAsync(20_000, TestContext.Current.CancellationToken);
        await broker.SaysAsync("nothing can be committed, and nothing is acknowledged: tmp/broker.db cannot be read or written");
        Limit("unlimited");
        await publishing;
        Assert.Equal(0, publisher.SessionsLost);
        Assert.Equal(0, await broker.TerminateAsync());

        void Limit(string bytes) => Assert.Equal(0, Peer("prlimit", "--pid", $"{broker.Id}", $"--fsize={bytes}:unlimited").ExitAsync().GetAwaiter().GetResult());
    }

    [Fact]
    public async Task A_full_disk_is_waited_for()
    {
        Assert.SkipUnless(await Peer("unshare", "--mount", "true").ExitAsync() == 0, "nothing may be mounted here");
        Directory.CreateDirectory(Folder["tmp"]);
        var program = Path.Combine(AppContext.BaseDirectory, "meanwhile");
        var broker = Peer("unshare", "--mount", "sh", "-c", $"mount -t tmpfs -o size=400k tmpfs tmp && exec {program} broker --listen 127.0.0.1:{_port}"); // Nobody else sees it.
        await broker.SaysAsync("is listening");
        var publisher = new RawPublisher(_port, qos: 2, inFlight: 100);
        var publishing = publisher.RunAsync(20_000, TestContext.Current.CancellationToken);
        await broker.SaysAsync("nothing can be committed, and nothing is acknowledged: tmp/broker.db: the disk is full");
        Assert.Equal(0, await Peer("nsenter", "--target", $"{broker.Id}", "--mount", "mount", "-o", "remount,size=64m", Folder["tmp"]).ExitAsync());
        await publishing;
        Assert.Equal(0, publisher.SessionsLost);
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task A_file_that_is_deleted_beneath_it_ends_it_with_one_line()
    {
        var broker = await BrokerAsync();
        File.Delete(Folder["tmp/broker.db"]);
        using var stop = new CancellationTokenSource();
        var publisher = new RawPublisher(_port, qos: 2, inFlight: 10);
        var publishing = publisher.RunAsync(10, stop.Token);
        Assert.Equal(1, await broker.ExitAsync());
        Assert.Contains("meanwhile: tmp/broker.db was deleted or moved while it was in use", broker.Error, StringComparison.Ordinal);
        Assert.Equal(0, publisher.Completed);
        await stop.CancelAsync();
        await Task.WhenAny(publishing);
    }

    private string Query(string sql) => ReadingsFile.Query(Folder["tmp/broker.db"], sql)[0];

    private async Task PublishAsync(params string[] arguments) => Assert.Equal(0, await Peer("mosquitto_pub", ["-p", $"{_port}", .. arguments]).ExitAsync());

    private async Task<RunningProgram> BrokerAsync()
    {
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{_port}"]);
        await broker.SaysAsync("is listening");
        return broker;
    }
}

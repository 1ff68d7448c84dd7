using System.Net;
using System.Net.Sockets;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>More series than the program is to hold, in raw bytes: publishers are told, known series go on, and everything is counted.</summary>
public sealed class SeriesLimitTests : HttpTest
{
    [Theory]
    [InlineData(1, 0x40)]
    [InlineData(2, 0x50)]
    public async Task A_publisher_of_new_series_is_told_that_they_are_too_many_and_known_series_go_on(int qos, byte answer)
    {
        var (program, http, mqtt) = await ServeAsync("--topic", "#", "--max-series", "3");
        using var client = await ConnectAsync(mqtt, "c");
        for (var round = 0; round < 2; round++)
        {
            var packets = Enumerable.Range(1, 10).SelectMany(id => RawPackets.Publish((ushort)((10 * round) + id), qos, topic: $"t/{id}", dup: false, is5: true, payload: "1"u8.ToArray()));
            await client.GetStream().WriteAsync(packets.ToArray(), TestContext.Current.CancellationToken);
            for (var id = 1; id <= 10; id++)
                await ExpectAsync(client, id <= 3 ? [answer, 2, 0, (byte)((10 * round) + id)] : [answer, 3, 0, (byte)((10 * round) + id), 0x97]);
        }
        Assert.Equal(["t/1 2", "t/2 2", "t/3 2"], SeriesInTheFile());
        var status = await JsonAsync(http, "/api/status");
        Assert.Equal((3, 3, 14), (status.GetProperty("series").GetInt32(), status.GetProperty("max_series").GetInt32(), status.GetProperty("series_refused").GetInt32()));
        Assert.True(status.GetProperty("memory").GetProperty("windows").GetInt64() > 0);
        var metrics = await Client.GetStringAsync(new Uri(http, "/metrics"), TestContext.Current.CancellationToken);
        foreach (var line in new[] { "meanwhile_series 3", "meanwhile_series_limit 3", "meanwhile_series_refused_total 14", "meanwhile_messages_received_total 6", "meanwhile_memory_share_bytes{of=\"incoming\"} 0" })
            Assert.Contains($"\n{line}\n", metrics, StringComparison.Ordinal);
        Assert.Equal(0, await program.TerminateAsync());
        Assert.Contains("received 6 = committed 6 + quarantined 0 + duplicates 0 + expired 0; acknowledged 6", program.Error, StringComparison.Ordinal);
        Assert.Contains("a reading is refused: its series is new, and there are already 3 series (--max-series) (topic t/4)", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_cannot_be_told_in_3_1_1_is_acknowledged_and_finds_the_reading_in_the_quarantine()
    {
        var (program, _, mqtt) = await ServeAsync("--topic", "#", "--max-series", "100", "--max-series-client", "1");
        using (var sender = await MqttSender.ConnectAsync(mqtt))
        {
            foreach (var topic in new[] { "a", "b", "a" })
                await sender.SendAsync(topic, "1"); // Waits for PUBACK.
        }
        using (var other = await ConnectAsync(mqtt, "other"))
        {
            await other.GetStream().WriteAsync(RawPackets.Publish(1, 1, topic: "other"), TestContext.Current.CancellationToken);
            await ExpectAsync(other, [0x40, 2, 0, 1]);
        }
        Assert.Equal(0, await program.TerminateAsync());
        Assert.Equal(["a 2", "other 1"], SeriesInTheFile());
        Assert.Equal(["b 1 its series is new, and its client has already added 1 series (--max-series-client)"], ReadingsFile.Query(Database, "SELECT topic || ' ' || payload || ' ' || reason FROM quarantine"));
    }

    [Fact]
    public async Task At_qos_0_they_are_counted_and_known_series_go_on()
    {
        var (program, http, mqtt) = await ServeAsync("--topic", "#", "--max-series", "1");
        using var client = await ConnectAsync(mqtt, "c");
        foreach (var topic in new[] { "a", "b", "a", "c" })
            await client.GetStream().WriteAsync(RawPackets.Publish(0, 0, topic: topic), TestContext.Current.CancellationToken);
        await Until.TrueAsync(async () => (await JsonAsync(http, "/api/status")).GetProperty("series_refused").GetInt32() == 2, () => program.Error);
        Assert.Equal(0, await program.TerminateAsync());
        Assert.Equal(["a 2"], SeriesInTheFile());
        Assert.Contains("refused 2 messages", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_broker_elsewhere_they_are_in_the_quarantine()
    {
        using var broker = new RawBroker();
        var program = Meanwhile(["aggregate", "--broker", broker.Address, "--topic", "#", "--max-series", "1"]);
        using var connection = await broker.AcceptAsync();
        await connection.ReceiveAsync();
        await connection.SendAsync("20 03 00 00 00");
        Assert.StartsWith("82", await connection.ReceiveAsync(), StringComparison.Ordinal);
        await connection.SendAsync("90 04 00 01 00 02");
        await connection.SendAsync([.. RawPackets.Publish(1, 1, topic: "a"), .. RawPackets.Publish(2, 1, topic: "b"), .. RawPackets.Publish(3, 1, topic: "a")]);
        await Until.TrueAsync(() => HasTable() && Rows() == 2, () => program.Error);
        Assert.Equal(0, await program.TerminateAsync());
        Assert.Equal(["b"], ReadingsFile.Query(Database, "SELECT topic FROM quarantine"));
        Assert.Contains("received 3 = committed 2 + quarantined 1 + duplicates 0 + expired 0; acknowledged 3", program.Error, StringComparison.Ordinal);

        var wrong = Meanwhile(["aggregate", "--broker", broker.Address, "--max-series-client", "1"]);
        Assert.Equal(2, await wrong.ExitAsync());
        Assert.Contains("--max-series-client is about the embedded broker", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_brings_no_more_than_the_program_is_to_hold()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await File.WriteAllLinesAsync(Folder["many.csv"], ["topic,number,epochtime", .. Enumerable.Range(0, 10).Select(i => $"t/{i % 5},{i},{now}")], TestContext.Current.CancellationToken);
        var import = Meanwhile(["import", "--max-series", "3", "many.csv"]);
        Assert.Equal(1, await import.ExitAsync());
        Assert.Contains("imported 6; already there 0; older than the retention 0; not understood 0; beyond --max-series 4", import.Error, StringComparison.Ordinal);
        Assert.Contains("4 readings belong to new series, and there are already 3 series (--max-series)", import.Error, StringComparison.Ordinal);
        Assert.Equal(["t/0 2", "t/1 2", "t/2 2"], SeriesInTheFile());
        Assert.Equal(0, await Meanwhile(["import", "--max-series", "5", "many.csv"]).ExitAsync());
        Assert.Equal(10, Rows());
    }

    private List<string> SeriesInTheFile() => ReadingsFile.Query(Database, "SELECT topic || ' ' || COUNT(*) FROM messages JOIN series ON series.id = series GROUP BY topic");

    private static async Task<TcpClient> ConnectAsync(int port, string clientId)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        byte[] connect = [0, 4, .. "MQTT"u8, 5, 2, 0, 0, 0, 0, (byte)clientId.Length, .. System.Text.Encoding.UTF8.GetBytes(clientId)];
        await client.GetStream().WriteAsync((byte[])[0x10, (byte)connect.Length, .. connect], TestContext.Current.CancellationToken);
        var connAck = new byte[2];
        await client.GetStream().ReadExactlyAsync(connAck, TestContext.Current.CancellationToken);
        await client.GetStream().ReadExactlyAsync(new byte[connAck[1]], TestContext.Current.CancellationToken);
        return client;
    }

    private static async Task ExpectAsync(TcpClient client, byte[] expected)
    {
        var answer = new byte[expected.Length];
        await client.GetStream().ReadExactlyAsync(answer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.Equal(expected, answer);
    }
}

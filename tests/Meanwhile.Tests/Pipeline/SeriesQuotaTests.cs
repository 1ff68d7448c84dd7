using Meanwhile.Feeds;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Pipeline;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Pipeline;

/// <summary>The limit on series: readings of new ones are refused, and known series continue.</summary>
public sealed class SeriesQuotaTests : AggregatorTest
{
    private AggregatorOptions Few => Options with { Filter = "#", MostSeries = 3 };

    [Fact]
    public async Task Beyond_the_limit_readings_of_new_series_are_in_the_quarantine_and_known_series_go_on()
    {
        await RunAsync(Few, async () =>
        {
            for (var i = 0; i < 10; i++)
                Feed.Send($"t/{i}", "1");
            await ReceivedAsync(10);
            for (var i = 0; i < 10; i++)
                Feed.Send($"t/{i}", "2");
            await ReceivedAsync(20);
        });
        Assert.Equal((6, 14, 20), (Ledger.Committed, Ledger.Quarantined, Ledger.Acknowledged));
        Assert.Equal(["t/0 2", "t/1 2", "t/2 2"], ReadingsFile.Query(File, "SELECT topic || ' ' || COUNT(*) FROM messages JOIN series ON series.id = series GROUP BY topic"));
        Assert.Equal(["its series is new, and there are already 3 series (--max-series)"], ReadingsFile.Query(File, "SELECT DISTINCT reason FROM quarantine"));
        Assert.Single(Log.Lines, line => line.Contains("a reading is kept in the quarantine: its series is new", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_client_does_not_use_up_all()
    {
        await RunAsync(Few with { MostSeries = 10, MostSeriesOfClient = 2 }, async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                Feed.Send(MessageOf("a", $"a/{i}"));
                Feed.Send(MessageOf("b", $"b/{i}"));
            }
            Feed.Send(MessageOf("b", "a/0")); // Known, whoever sends it.
            await ReceivedAsync(11);
        });
        Assert.Equal((5, 6), (Ledger.Committed, Ledger.Quarantined));
        Assert.Equal(["a/0", "a/1", "b/0", "b/1"], ReadingsFile.Query(File, "SELECT topic FROM series ORDER BY topic"));
        Assert.Contains("its client has already added 2 series (--max-series-client)", Assert.Single(ReadingsFile.Query(File, "SELECT DISTINCT reason FROM quarantine")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_message_that_its_publisher_is_told_of_nothing_is_stored_nor_received()
    {
        await RunAsync(Few with { MostSeries = 1 }, async () =>
        {
            Feed.Send(RefusableOf("a", "1", id: 1));
            Feed.Send(RefusableOf("b", "1", id: 2));
            Feed.Send(RefusableOf("b", "x", id: 3)); // No reading of any series.
            await ReceivedAsync(2);
        });
        Assert.Equal((1, 1), (Ledger.Committed, Ledger.Quarantined));
        Assert.Equal(["1", "3"], ReadingsFile.Query(File, "SELECT packet_id FROM received_ids ORDER BY 1"));
        Assert.Single(Log.Lines, line => line.Contains("a reading is refused: its series is new", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_series_that_is_forgotten_gives_its_place_and_that_of_its_client_back(bool ticks)
    {
        await RunAsync(Few with { MostSeries = 2, MostSeriesOfClient = 1, Tick = ticks ? TimeSpan.FromSeconds(1) : null }, async () =>
        {
            Feed.Send(MessageOf("a", "a/1"));
            Feed.Send(MessageOf("b", "b/1"));
            Feed.Send(MessageOf("a", "a/2"));
            await ReceivedAsync(3);
            Assert.Equal((2, 1), (Ledger.Committed, Ledger.Quarantined));
            for (var round = 0; round < 40; round++)
            {
                Time.Advance(TimeSpan.FromMinutes(1));
                Feed.Send(MessageOf("b", "b/1"));
                await ReceivedAsync(4 + round);
            }
            Feed.Send(MessageOf("a", "a/2"));
            Feed.Send(MessageOf("b", "b/2"));
            await ReceivedAsync(45);
        });
        Assert.Equal((43, 2), (Ledger.Committed, Ledger.Quarantined));
    }

    [Fact]
    public async Task What_is_in_the_file_stays_after_a_restart_with_a_lower_limit()
    {
        await RunAsync(Few, () => SendAsync(3));
        await RunAsync(Few with { MostSeries = 1, MostSeriesOfClient = 1 }, () => SendAsync(4));
        Assert.Equal((3, 1), (Ledger.Committed, Ledger.Quarantined));

        Task SendAsync(int series)
        {
            for (var i = 0; i < series; i++)
                Feed.Send(MessageOf("c", $"t/{i}"));
            return ReceivedAsync(series);
        }
    }

    [Fact]
    public async Task What_becomes_no_series_takes_no_place()
    {
        await RunAsync(Few with { MostSeries = 2, MostSeriesOfClient = 2 }, async () =>
        {
            Feed.Send(MessageOf("c", "a", "no number"));
            Feed.Send(MessageOf("c", "b", ""));
            Feed.Send(MessageOf("c", "c", """{"number": 1, "epochtime": 1699990000}""")); // Expired.
            Feed.Send(MessageOf("c", "d"));
            Feed.Send(MessageOf("c", "e"));
            await ReceivedAsync(5);
        });
        Assert.Equal((2, 1, 1, 1), (Ledger.Committed, Ledger.Quarantined, Ledger.Ignored, Ledger.Expired));
    }

    [Fact]
    public async Task Names_of_series_are_limited_together_so_that_few_of_the_longest_do_not_use_up_the_memory()
    {
        await RunAsync(Few with { MostSeries = 100 }, async () =>
        {
            for (var i = 0; i < 6; i++)
                Feed.Send(MessageOf("c", $"{i}{new string('t', 60_000)}"));
            Feed.Send(MessageOf("c", "short"));
            await ReceivedAsync(7);
            for (var i = 0; i < 6; i++)
                Feed.Send(MessageOf("c", $"{i}{new string('t', 60_000)}"));
            await ReceivedAsync(13);
        });
        Assert.Equal((9, 4), (Ledger.Committed, Ledger.Quarantined));
        Assert.Contains("the names of all series already take as much memory as they may", Assert.Single(ReadingsFile.Query(File, "SELECT DISTINCT reason FROM quarantine")), StringComparison.Ordinal);
    }

    private static Delivery MessageOf(string client, string topic, string payload = "1") => Deliveries.Of(DeliveryKind.Message, topic, payload, client: client);

    private static Delivery RefusableOf(string topic, string payload, ushort id)
    {
        var delivery = Deliveries.Of(DeliveryKind.Message, topic, payload, new IdChange(IdChangeKind.Received, id), client: "c");
        return delivery with { Incoming = delivery.Incoming with { CanBeRefused = true } };
    }

    private Task ReceivedAsync(int messages) => Until.TrueAsync(() => Ledger.Received >= messages && Ledger.OnTheWay == 0, () => Ledger.ToString());
}

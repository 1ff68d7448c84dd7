using System.Text;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Looking after what was no reading.</summary>
public sealed class QuarantineTests : ProgramTest
{
    private readonly long _now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    [Fact]
    public async Task Messages_are_listed_and_shown_beside_the_aggregator()
    {
        using var owner = Open();
        Quarantine(owner, (1_700_000_000_123, "plant/a\nb", "{\"t\": 1}"), (1_700_000_001_000, "b", "\u0001\u0002"), (1_700_000_002_000, "c", ""));
        Assert.Equal(
            "    number  arrived                      bytes  topic: reason\n"
            + "         1  2023-11-14T22:13:20.123Z         8  plant/a\uFFFDb: because\n"
            + "         2  2023-11-14T22:13:21.000Z         2  b: because\n"
            + "         3  2023-11-14T22:13:22.000Z         0  c: because\n",
            (await RunAsync("list")).Output);
        Assert.StartsWith(
            "{\"number\": 1, \"arrived\": \"2023-11-14T22:13:20.123Z\", \"topic\": \"plant/a\\nb\", \"bytes\": 8, \"reason\": \"because\"}\n",
            (await RunAsync("list", "--format", "json")).Output, StringComparison.Ordinal);
        Assert.Equal(
            "number   1\narrived  2023-11-14T22:13:20.123Z\ntopic    plant/a\uFFFDb\nbytes    8\nreason   because\n\n{\"t\": 1}\n", (await RunAsync("show", "1")).Output);
        Assert.EndsWith("\n\n00000000  01 02\n", (await RunAsync("show", "2")).Output, StringComparison.Ordinal);
        Assert.Equal("{\"t\": 1}\n", (await RunAsync("show", "1", "--raw")).Output);
        Assert.Equal((1, "", "meanwhile: there is no message 7 in the quarantine: expected a number that meanwhile quarantine list shows\n"), await RunAsync("show", "7"));
        Assert.Contains("is in use by", (await RunAsync("drop", "1")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_a_reading_with_new_settings_is_committed_as_of_its_arrival_and_the_rest_stays_with_the_reason()
    {
        using (var owner = Open())
        {
            Quarantine(owner,
                (_now - 60_000, "a", "{\"t\": 21.5}"), (_now, "a", "nothing"), (_now - 2_200_000, "a", "{\"t\": 3}"), (_now - 5000, "b", "{\"t\": 4, \"id\": \"x\"}"),
                (_now - 4000, "b", "{\"t\": 4, \"id\": \"x\"}"));
        }
        var (code, output, error) = await RunAsync("replay", "--all", "--value", "/t", "--time", "arrival");
        Assert.Equal(1, code);
        Assert.Equal("2 stays: neither a JSON object nor a finite number\n3 stays: it is a reading, but older than the retention\n", output);
        Assert.Contains("replayed: 3 readings committed, 0 known by their identity, 2 messages stay", error, StringComparison.Ordinal);
        Assert.Equal([new("a", _now - 60_000, 21.5), new("b", _now - 5000, 4), new("b", _now - 4000, 4)], Readings());
        Assert.Equal([2, 3], Numbers());

        Assert.Equal(0, (await RunAsync("replay", "3", "--value", "/t", "--time", "arrival", "--windows", "2h")).Code);
        Assert.Equal(4, Readings().Count);
        Assert.Equal([2], Numbers());
    }

    [Fact]
    public async Task Readings_of_a_device_whose_clock_was_not_set_are_kept_and_count_as_of_their_arrival_when_they_are_replayed()
    {
        var aggregate = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0"]);
        await aggregate.SaysAsync("read back");
        using (var sender = await MqttSender.ConnectAsync(HttpTest.MqttPortOf(aggregate)))
        {
            await sender.SendAsync("DATA", """{"number": 21.5, "epochtime": 12}""");
            await sender.SendAsync("DATA", """{"number": 22.5, "epochtime": "1970-01-01T00:00:13Z"}""");
        }
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("no reading, kept in the quarantine: its time is below 1e9 s since 1970, as that of a device whose clock is not set", aggregate.Error, StringComparison.Ordinal);
        Assert.Contains("ledger: received 2 = committed 0 + quarantined 2 + duplicates 0 + expired 0; acknowledged 2;", aggregate.Error, StringComparison.Ordinal);

        Assert.Equal(1, (await RunAsync("replay", "--all")).Code);
        Assert.Equal(0, (await RunAsync("replay", "--all", "--time", "arrival")).Code);
        Assert.Equal([21.5, 22.5], Readings().Select(reading => reading.Value));
        Assert.All(Readings(), reading => Assert.InRange(reading.Time, _now, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()));
        Assert.Empty(Numbers());
    }

    [Fact]
    public async Task A_reading_whose_identity_is_known_leaves_the_quarantine_and_counts_once()
    {
        using (var owner = Open())
            Quarantine(owner, (_now, "b", "{\"t\": 4, \"id\": \"x\"}"), (_now, "b", "{\"t\": 4, \"id\": \"x\"}"));
        var (code, _, error) = await RunAsync("replay", "--all", "--value", "/t", "--time", "arrival", "--id", "/id");
        Assert.Equal(0, code);
        Assert.Contains("1 readings committed, 1 known by their identity, 0 messages stay", error, StringComparison.Ordinal);
        Assert.Single(Readings());
        Assert.Empty(Numbers());
    }

    [Fact]
    public async Task Messages_are_dropped_by_number_or_all_and_readings_stay()
    {
        using (var owner = Open())
        {
            owner.Commit(StoreExtensions.Batch(new Reading("a", 1000, 1))); // However old: nobody asked for its end.
            Quarantine(owner, (1000, "a", "x"), (2000, "a", "y"), (3000, "a", "z"));
        }
        Assert.Equal(1, (await RunAsync("drop", "2", "9")).Code);
        Assert.Equal([1, 2, 3], Numbers());
        Assert.Contains("2 messages dropped", (await RunAsync("drop", "1", "3")).Error, StringComparison.Ordinal);
        Assert.Equal([2], Numbers());
        Assert.Equal(2, (await RunAsync("drop")).Code);
        Assert.Equal(2, (await RunAsync("drop", "2", "--all")).Code);
        Assert.Equal(0, (await RunAsync("drop", "--all")).Code);
        Assert.Empty(Numbers());
        Assert.Single(Readings());
    }

    [Fact]
    public async Task The_aggregator_bounds_it_as_it_is_told()
    {
        using (var owner = Open())
            Quarantine(owner, [.. Enumerable.Range(0, 10).Select(i => (_now, "a", $"{i}x"))]);
        var aggregate = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--quarantine-messages", "3"]);
        await Until.TrueAsync(() => Numbers() is [8, 9, 10], () => aggregate.Error);
        Assert.Equal(0, await aggregate.TerminateAsync());
        aggregate = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--quarantine-age", "1ms"]);
        await Until.TrueAsync(() => Numbers().Count == 0, () => aggregate.Error);
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    private SqliteStore Open() => SqliteStore.Open(Database, new StoreOptions("test", "DATA"));

    private static void Quarantine(SqliteStore store, params IEnumerable<(long Arrived, string Topic, string Payload)> messages)
    {
        var batch = new Batch();
        batch.Quarantined.AddRange(messages.Select(m => new RejectedMessage(m.Arrived, m.Topic, Encoding.UTF8.GetBytes(m.Payload), "because")));
        store.Commit(batch);
    }

    private List<Reading> Readings()
    {
        using var store = Store.OpenForReading(Database, "DATA");
        return [.. store.ReadReadings(0, long.MaxValue)];
    }

    private List<long> Numbers()
    {
        using var store = Store.OpenForReading(Database, "DATA");
        return [.. store.ReadQuarantine().Select(m => m.Number)];
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string verb, params string[] arguments)
    {
        var program = Meanwhile(["quarantine", verb, .. arguments]);
        var code = await program.ExitAsync();
        return (code, program.Output, program.Error);
    }
}

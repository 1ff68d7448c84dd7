using System.Globalization;
using System.Text.Json;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>A day of readings that the broker has kept while the aggregator was away, and hands over at once.</summary>
public sealed class BacklogTests : MosquittoTest
{
    private const int Messages = 40_000;
    private static readonly long[] Windows = [60_000, 300_000, 1_800_000];
    private static readonly string Padding = new('x', 4000);

    [Fact]
    public async Task A_day_of_readings_that_arrive_at_once_is_accounted_for_and_what_the_retention_holds_counts()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await (await AggregateAsync(mosquitto)).TerminateAsync());
        var kept = await PublishDayAsync(mosquitto);
        var results = await SubscribeAsync(mosquitto, "STATS", "%p");

        // The backlog is four times what the heap may hold.
        var aggregate = Meanwhile(["aggregate"], ("BROKER", mosquitto.Address), ("DOTNET_GCHeapHardLimit", "2800000"));
        await aggregate.WaitAsync(() => Rows() == kept, $"{kept} readings are committed");
        await results.WaitAsync(() => LastMeans(results.Output).SequenceEqual(MeansOfRows()), "the last result equals recalculation");
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains(
            $"ledger: received {Messages} = committed {kept} + quarantined 0 + duplicates 0 + expired {Messages - kept}; acknowledged {Messages}; with DUP 0\n",
            aggregate.Error, StringComparison.Ordinal);
    }

    // Oldest first, as they would have come. None within five minutes of the edge of the retention, so that the test may take that long.
    private async Task<int> PublishDayAsync(MosquittoServer mosquitto)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var publisher = Peer("mosquitto_pub", "-p", mosquitto.Port.ToString(), "-t", "DATA", "-q", "1", "-l");
        var kept = 0;
        for (var i = 0; i < Messages; i++)
        {
            var age = TimeSpan.FromDays(1) * (1 - ((i + 1.0) / Messages));
            if (age > TimeSpan.FromMinutes(30) && age < TimeSpan.FromMinutes(40))
                age = TimeSpan.FromMinutes(40);
            kept += age <= TimeSpan.FromMinutes(30) ? 1 : 0;
            var time = (now - (long)age.TotalMilliseconds) / 1000m;
            await publisher.Input.WriteLineAsync($$"""{"number": {{i % 101}}, "epochtime": "{{time.ToString(CultureInfo.InvariantCulture)}}", "padding": "{{Padding}}"}""");
        }
        publisher.Input.Close();
        Assert.Equal(0, await publisher.ExitAsync(TimeSpan.FromMinutes(5)));
        return kept;
    }

    private IEnumerable<double> MeansOfRows()
    {
        var rows = ReadingsFile.Readings(Database);
        var now = rows.Max(row => row.Time);
        return Windows.Select(window => ReadingsFile.ExactMean(rows.Where(row => row.Time >= now - window).Select(row => row.Value))!.Value);
    }

    private static IEnumerable<double> LastMeans(string output) =>
        output.TrimEnd('\n').Split('\n')[^1] is { Length: > 0 } last ? JsonDocument.Parse(last).RootElement.EnumerateObject().Select(mean => mean.Value.GetDouble()) : [];
}

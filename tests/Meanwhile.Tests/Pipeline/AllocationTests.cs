using System.Text;
using Meanwhile.Pipeline;
using Meanwhile.Pipeline.Bench;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Meanwhile.Tests.Pipeline;

/// <summary>What the data path allocates for a reading, in bytes.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData("""{"number": 46, "epochtime": "1669940235"}""")]
    [InlineData("""{"id": "x", "epochtime": 1669940235.25, "number": "-4.5e1", "filler": [1, 2]}""")]
    [InlineData("21.5")]
    public void Parsing_a_reading_allocates_nothing(string payload)
    {
        var bytes = Encoding.UTF8.GetBytes(payload);
        Parse(100);
        Assert.Equal(0, Allocations.Of(() => Parse(10_000)));

        void Parse(int readings)
        {
            for (var i = 0; i < readings; i++)
                Assert.True(ReadingParser.Default.TryParse(bytes, 0, out _, out _));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(100, 16)] // A quiet series needs a new node of its tree now and then. An object for each reading would be 24 bytes at least.
    public async Task Parsing_committing_and_counting_allocate_no_object_a_reading_in_steady_state(int series, int ceiling)
    {
        const int Readings = 50_000;
        using var folder = new TemporaryFolder();
        var time = new SteppedTime();
        using var store = SqliteStore.Open(folder["test.db"], new StoreOptions("test", "DATA"));
        var options = new AggregatorOptions(series == 1 ? "DATA" : "plant/+/temperature", "STATS");
        // Long enough before it for readings to leave the windows and the file: 35 minutes at 50 a second.
        var feed = new PreparedFeed(warmUp: 120_000, Readings, series, aSecond: 50, largestBatch: 4096, time); // The path's own bound: what a batch allocates, when built for debugging, is not a reading's.
        using var status = new PipelineStatus(options, time);
        var aggregator = new Aggregator(feed, store, options, status, NullLogger.Instance, time);
        await aggregator.RunAsync(CancellationToken.None);
        var run = feed.Meter!.Stop(Readings);
        Assert.Equal(120_000 + Readings, status.Ledger.Committed);
        Assert.True(run.ThreadBytes < ceiling * Readings, $"{(double)run.ThreadBytes / Readings} bytes a reading");
    }
}

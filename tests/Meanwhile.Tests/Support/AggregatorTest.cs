using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Support;

/// <summary>A test of the data path: messages, clock and end are the test's, the file is real and outlives a run.</summary>
public abstract class AggregatorTest : IDisposable
{
    private protected const long Start = 1_700_000_000;
    private readonly TemporaryFolder _folder = new();

    private protected AggregatorTest() => Feed = new ManualFeed(Time);

    private protected FakeTimeProvider Time { get; } = new(DateTimeOffset.FromUnixTimeSeconds(Start));

    private protected AggregatorOptions Options { get; } = new("DATA", "STATS");

    /// <summary>What was said so far, in all runs.</summary>
    private protected ListLogger Log { get; } = new();

    private protected ManualFeed Feed { get; private set; }

    private protected Ledger Ledger { get; private set; } = new();

    private protected string File => _folder["test.db"];

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs the data path as long as the test wants; another run on the same file is a restart.</summary>
    private protected async Task RunAsync(AggregatorOptions options, Func<Task> test)
    {
        (Feed, Ledger) = (new ManualFeed(Time), new Ledger());
        using var store = SqliteStore.Open(File, new StoreOptions("test", "DATA"));
        var aggregator = new Aggregator(Feed, store, options, new PipelineStatus(options, Time) { Ledger = Ledger }, Log, Time);
        var running = Task.Run(() => aggregator.RunAsync(CancellationToken.None));
        await Task.WhenAny(test(), running).Unwrap();
        Feed.End();
        await running;
    }

    private protected void Send(double value, long seconds) => Feed.Send("DATA", $$"""{"number": {{value}}, "epochtime": "{{seconds}}"}""");
}

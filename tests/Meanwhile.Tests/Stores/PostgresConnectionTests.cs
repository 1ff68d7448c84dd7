using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static Meanwhile.Tests.Support.PostgresServer;
using static Meanwhile.Tests.Support.StoreExtensions;

namespace Meanwhile.Tests.Stores;

/// <summary>Connections that are cut at the worst moments: what the server committed is not committed again, and what it did not is not lost.</summary>
[Trait("peer", "PostgreSQL")]
public sealed class PostgresConnectionTests(PostgresFixture fixture) : IAsyncLifetime
{
    private const long Now = 1_700_000_000_000;
    private TcpProxy _proxy = null!;
    private string _url = null!;

    public async ValueTask InitializeAsync()
    {
        var server = await fixture.ServerAsync();
        _proxy = new TcpProxy(server.Port);
        _url = await server.CreateDatabaseAsync(_proxy.Port);
    }

    public ValueTask DisposeAsync()
    {
        _proxy.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(Cut.BeforeRequest, false)]
    [InlineData(Cut.WithinRequest, false)]
    [InlineData(Cut.BeforeAnswer, true)]
    [InlineData(Cut.WithinAnswer, true)]
    [InlineData(Cut.HalfOpen, true)]
    public async Task A_commit_whose_answer_is_lost_counts_once(Cut cut, bool isCommitted)
    {
        using var store = await OpenAsync();
        store.Commit(Batch(new Reading("a", Now, 0)), cutoff: Now - 1);
        var batch = Batch(Enumerable.Range(1, 2000).Select(i => new Reading($"series {i % 7}", Now, i)));
        batch.Quarantined.Add(new(Now, "odd", new byte[] { 1 }, "because"));
        batch.IdChanges.Add(new("", new(Meanwhile.Mqtt.Delivery.IdChangeKind.Received, 7)));

        _proxy.Next = cut;
        var failure = Assert.Throws<StoreException>(() => store.Commit(batch, cutoff: Now - 1));
        Assert.True(failure.MayHeal, failure.Message);
        Assert.Equal(Cut.None, _proxy.Next);
        Assert.Equal([isCommitted ? "2001" : "1"], await QueryAsync(_url, "SELECT COUNT(*) FROM messages"));

        Assert.Equal(new CommitReport(0, 0), Persist(store, batch));
        store.Commit(Batch(new Reading("a", Now, 2001)), cutoff: Now - 1);
        Assert.Equal(Enumerable.Range(0, 2002).Select(i => (double)i), store.ReadAll().Select(r => r.Value));
        Assert.Equal(["series 3"], store.ReadAll().Where(r => r.Value == 10).Select(r => r.Series));
        Assert.Single(store.ReadQuarantine());
        Assert.Equal([7], store.ReceivedIds());
    }

    [Fact]
    public async Task The_report_and_the_known_readings_survive_a_lost_answer()
    {
        using var store = await OpenAsync();
        store.Commit(Batch(Reading("1", 1)), cutoff: Now - 1);
        var batch = Batch(Reading("2", 2), Reading("1", 3), Reading("3", 4));
        // The first request asks which of them are known; the second one commits.
        (_proxy.Skip, _proxy.Next) = (1, Cut.BeforeAnswer);
        Assert.Throws<StoreException>(() => store.Commit(batch, cutoff: Now - 1));
        Assert.Equal(3, batch.Readings.Count);
        Assert.Equal(new CommitReport(1, 0), Persist(store, batch));
        Assert.Equal([2, 4], batch.Readings.Select(r => r.Value));
        Assert.Equal([1, 2, 4], store.ReadAll().Select(r => r.Value));

        static Reading Reading(string identity, double value) => new("a", Now, value) { Identity = System.Text.Encoding.UTF8.GetBytes(identity) };
    }

    [Fact]
    public async Task However_often_it_is_cut_every_reading_counts_once()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        using var store = await OpenAsync();
        var next = 0;
        for (var i = 0; i < 60; i++)
        {
            (_proxy.Skip, _proxy.Next) = (random.Next(4), (Cut)random.Next((int)Cut.HalfOpen));
            Persist(store, Batch(Enumerable.Range(0, random.Next(1, 50)).Select(_ => new Reading("a", Now, next++))));
        }
        (_proxy.Skip, _proxy.Next) = (0, Cut.None); // The last cut may not have had its turn.
        Assert.True(Enumerable.Range(0, next).Select(n => (double)n).SequenceEqual(store.ReadAll().Select(r => r.Value)), $"seed {seed}");
    }

    [Theory]
    [InlineData(Cut.BeforeRequest, 0)]
    [InlineData(Cut.WithinAnswer, 0)]
    [InlineData(Cut.BeforeAnswer, 2)] // After some rows.
    public async Task A_connection_that_is_lost_while_the_windows_are_rebuilt_is_waited_for(Cut cut, int skip)
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(Now));
        using var store = await OpenAsync();
        store.Commit(Batch(Enumerable.Range(0, 50_000).Select(i => new Reading("DATA", Now - 1, i % 100))), cutoff: Now - 1);
        var feed = new ManualFeed(time);
        feed.Send("DATA", "50049.5");
        (_proxy.Skip, _proxy.Next) = (skip, cut);
        var options = new AggregatorOptions("DATA", "STATS");
        var aggregator = new Aggregator(feed, store, options, new PipelineStatus(options, time), NullLogger.Instance, time);
        var running = Task.Run(() => aggregator.RunAsync(CancellationToken.None), TestContext.Current.CancellationToken);
        var result = feed.ResultAsync();
        await Until.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return result.IsCompleted || running.IsCompleted;
            },
            () => "no result");
        feed.End();
        await running;
        Assert.Equal(Cut.None, _proxy.Next);
        var mean = $"{((49.5 * 50_000) + 50_049.5) / 50_001:R}"; // Halves, far below 2^53: exact but for the division.
        Assert.Equal($"STATS {{\"avg_1min\": {mean}, \"avg_5min\": {mean}, \"avg_30min\": {mean}}}", await result);
    }

    [Fact]
    public async Task What_expired_while_nobody_was_there_leaves_in_portions()
    {
        (await OpenAsync()).Dispose();
        await ExecuteAsync(_url, $"INSERT INTO series VALUES (1, 'a'); INSERT INTO messages SELECT i, {Now / 1000} + i % 10, 1, i FROM generate_series(1, 120000) i");
        using var store = await OpenAsync();
        store.Commit(new Batch(), cutoff: Now + 9000);
        Assert.Equal(["12000|9"], await QueryAsync(_url, $"SELECT COUNT(*), MIN(epochtime) - {Now / 1000} FROM messages"));
    }

    [Fact]
    public async Task Whoever_takes_the_database_over_meanwhile_keeps_it()
    {
        using var store = await OpenAsync();
        store.Commit(Batch(new Reading("a", Now, 0)), cutoff: Now - 1);
        _proxy.Next = Cut.BeforeRequest;
        Assert.Throws<StoreException>(() => store.Commit(Batch(new Reading("a", Now, 1)), cutoff: Now - 1));
        using (await OpenAsync())
            Assert.Contains("is in use by another aggregator", Assert.Throws<UserException>(() => store.Commit(Batch(new Reading("a", Now, 1)))).Message, StringComparison.Ordinal);
        Assert.Contains("has committed since the connection was lost", Assert.Throws<UserException>(() => store.Commit(Batch(new Reading("a", Now, 1)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_restored_backup_does_not_have_is_noticed()
    {
        using var store = await OpenAsync();
        store.Commit(Batch(new Reading("a", Now, 0)), cutoff: Now - 1);
        _proxy.Next = Cut.BeforeRequest;
        Assert.Throws<StoreException>(() => store.Commit(Batch(new Reading("a", Now, 1)), cutoff: Now - 1));
        await ExecuteAsync(_url, "UPDATE meanwhile SET commits = commits - 1");
        var failure = Assert.Throws<StoreException>(() => store.Commit(Batch(new Reading("a", Now, 1))));
        Assert.False(failure.MayHeal);
        Assert.Contains("has lost what it had committed", failure.Message, StringComparison.Ordinal);
    }

    // As the data path does it.
    private static CommitReport Persist(IStore store, Batch batch)
    {
        for (var attempts = 0; ; attempts++)
        {
            try
            {
                return store.Commit(batch, cutoff: Now - 1);
            }
            catch (StoreException e) when (e.MayHeal && attempts < 20)
            {
                // The server still holds our lost connection.
            }
        }
    }

    private Task<IStore> OpenAsync() =>
        Store.OpenAsync(_url, new StoreOptions("me", "DATA"), NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
}

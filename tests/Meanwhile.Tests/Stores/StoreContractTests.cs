using Meanwhile.Mqtt.Delivery;
using Meanwhile.Stores;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Meanwhile.Tests.Stores;

/// <summary>What every store has to do; a class for each of them says how it is opened and disturbed.</summary>
public abstract class StoreContractTests
{
    private protected const long Now = 1_700_000_000_000;

    /// <summary>As DB_FILE names it; the same one throughout a test.</summary>
    private protected abstract Task<string> NameAsync();

    /// <summary>Keeps the store from committing until it is disposed.</summary>
    private protected abstract Task<IAsyncDisposable> DisturbAsync();

    /// <summary>The topics that its table of series holds.</summary>
    private protected abstract Task<List<string>> SeriesAsync();

    private protected async Task<IStore> OpenAsync(StoreOptions? options = null) =>
        await Store.OpenAsync(await NameAsync(), options ?? new StoreOptions("me", "DATA"), NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);

    [Fact]
    public async Task Readings_come_back_in_the_order_of_time_and_then_of_arrival()
    {
        using (var store = await OpenAsync())
        {
            store.Commit(StoreExtensions.Batch(new("a", Now, 46), new("b", Now + 123, 45.5), new("a", Now - 1, -1e300)));
            store.Commit(StoreExtensions.Batch(new("b", Now, 47), new("a", Now, 48)));
        }
        using var again = await OpenAsync();
        again.Commit(StoreExtensions.Batch(new Reading("c", Now, 49)));

        Assert.Equal(
            [new("a", Now - 1, -1e300), new("a", Now, 46), new("b", Now, 47), new("a", Now, 48), new("c", Now, 49), new("b", Now + 123, 45.5)], again.ReadAll());
        Assert.Equal([46, 47, 48, 49], again.ReadReadings(Now, Now + 122).Select(r => r.Value));
        Assert.Equal([-1e300], again.ReadReadings(Now - 1, Now - 1).Select(r => r.Value));
        Assert.Equal([45.5], again.ReadReadings(Now + 1, Now + 123).Select(r => r.Value));
        Assert.Empty(again.ReadReadings(Now + 124, long.MaxValue));
    }

    [Fact]
    public async Task Every_double_and_every_millisecond_comes_back_as_it_went_in()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        double[] values = [0, double.NegativeZero, 46, -46, 1e15, -1e15, 1L << 51, 1e16, 9007199254740993, long.MaxValue, double.MaxValue, -double.MaxValue, double.Epsilon, 1 / 3.0, .. Enumerable.Range(0, 5000).Select(_ => BitConverter.Int64BitsToDouble(random.NextInt64()))];
        var readings = values.Where(double.IsFinite).Select((value, i) => new Reading("a", Now + (i * 997L), value)).ToList();
        using (var store = await OpenAsync())
            store.Commit(StoreExtensions.Batch(readings));
        using var again = await OpenAsync();

        Assert.True(readings.SequenceEqual(again.ReadAll()), $"seed {seed}");
        Assert.Equal(readings.Select(r => BitConverter.DoubleToInt64Bits(r.Value)), again.ReadAll().Select(r => BitConverter.DoubleToInt64Bits(r.Value))); // -0 equals 0.
    }

    [Fact]
    public async Task The_retention_starts_at_the_cutoff_to_the_millisecond()
    {
        using var store = await OpenAsync();
        store.Commit(StoreExtensions.Batch(new[] { -1001L, -1000, -999, -1, 0, 1, 999, 1000 }.Select(offset => new Reading("a", Now + offset, offset))), cutoff: Now - 2000);
        store.Commit(new Batch(), cutoff: Now);
        Assert.Equal([0, 1, 999, 1000], store.ReadAll().Select(r => r.Time - Now));

        store.Commit(StoreExtensions.Batch(new Reading("late", Now - 5, 0)), cutoff: Now - 10); // The clock has stepped back.
        store.Commit(new Batch(), cutoff: Now + 1);
        Assert.Equal([1, 999, 1000], store.ReadAll().Select(r => r.Time - Now));
    }

    [Fact]
    public async Task The_retention_holds_also_for_what_an_earlier_owner_left()
    {
        using (var store = await OpenAsync())
            store.Commit(StoreExtensions.Batch(new Reading("a", Now, 1), new Reading("a", Now + 1, 2)));
        using var again = await OpenAsync();
        again.Commit(new Batch(), cutoff: Now + 1);
        Assert.Equal([2], again.ReadAll().Select(r => r.Value));
    }

    [Fact]
    public async Task A_series_whose_readings_have_expired_is_forgotten_and_may_come_back()
    {
        using (var store = await OpenAsync())
            store.Commit(StoreExtensions.Batch(new("early", Now, 1), new("late", Now + 120_000, 2), new("other", Now, 3)));
        using (var store = await OpenAsync())
        {
            store.Commit(new Batch(), cutoff: Now + 60_000);
            Assert.Equal(3, (await SeriesAsync()).Count); // One that was there at the start counts as new as the newest reading of all.
            store.Commit(StoreExtensions.Batch(new Reading("late", Now + 240_000, 4)), cutoff: Now + 120_001);
            Assert.Equal(["late"], await SeriesAsync());
            store.Commit(StoreExtensions.Batch(new("new", Now + 240_000, 5), new("early", Now + 240_000, 6)), cutoff: Now + 120_001);
            Assert.Equal([new("late", Now + 240_000, 4), new("new", Now + 240_000, 5), new("early", Now + 240_000, 6)], store.ReadAll());
        }
        using var again = await OpenAsync();
        again.Commit(StoreExtensions.Batch(new Reading("newer", Now + 240_000, 7)), cutoff: Now + 120_001);
        Assert.Equal(["late", "new", "early", "newer"], again.ReadAll().Select(r => r.Series));
    }

    [Fact]
    public async Task Any_topic_is_a_series_of_its_own()
    {
        string[] topics = ["a", "A", "a ", "a/", "\u00e4", "a\u0308", "\ud83d\udca7/\u202e\ufffe\u0001", "'; DROP TABLE messages; --", new('x', 65_535), new('\uffff', 21_845)];
        for (var start = 0; start < 2; start++)
        {
            using var store = await OpenAsync();
            store.Commit(StoreExtensions.Batch(topics.Select((topic, i) => new Reading(topic, Now, i))));
        }
        using var again = await OpenAsync();
        Assert.Equal(topics.Concat(topics), again.ReadAll().Select(r => r.Series));
    }

    [Fact]
    public async Task Identifiers_belong_to_a_session()
    {
        using (var store = await OpenAsync(new("one", "DATA")))
            store.Commit(Changes(new(IdChangeKind.Received, 7), new(IdChangeKind.Received, 8), new(IdChangeKind.Received, 65_535), new(IdChangeKind.Received, 7), new(IdChangeKind.Released, 8)));
        using (var store = await OpenAsync(new("other", "DATA")))
        {
            Assert.Empty(store.ReceivedIds());
            store.Commit(Changes(new(IdChangeKind.Received, 7), new(IdChangeKind.AllForgotten, 0)));
            Assert.Empty(store.ReceivedIds());
            store.Commit(new Batch { Subscription = "DATA" });
            Assert.Equal("DATA", store.ReadSession().Subscription);
            store.Commit(Changes(new IdChange(IdChangeKind.Received, 9)));
            Assert.Equal("DATA", store.ReadSession().Subscription);
        }
        using (var store = await OpenAsync(new("other", "DATA")))
        {
            Assert.Equal("DATA", store.ReadSession().Subscription);
            Assert.Equal([9], store.ReceivedIds());
            store.Commit(Changes(new(IdChangeKind.AllForgotten, 0), new(IdChangeKind.Received, 1)));
            Assert.Null(store.ReadSession().Subscription);
            Assert.Equal([1], store.ReceivedIds());
        }
        using (var store = await OpenAsync(new("one", "DATA")))
            Assert.Equal([7, 65_535], store.ReceivedIds().Order());
    }

    [Fact]
    public async Task Identifiers_belong_to_one_client_of_the_embedded_broker()
    {
        string[] clients = ["a", "b", "a/b", "/", "'; --", "\u00e4\ud83d\udca7", new('x', 256)];
        using (var store = await OpenAsync(new("embedded", "DATA")))
        {
            foreach (var client in clients)
                store.Commit(ChangesOf(client, new(IdChangeKind.Received, 7), new(IdChangeKind.Received, 8)));
            store.Commit(ChangesOf("a", new(IdChangeKind.Released, 7), new(IdChangeKind.Received, 9)));
            store.Commit(ChangesOf("b", new IdChange(IdChangeKind.AllForgotten, 0)));
            store.Commit(Changes(new IdChange(IdChangeKind.Received, 1)));
        }
        using (var store = await OpenAsync(new("embedded0", "DATA")))
            store.Commit(ChangesOf("a", new IdChange(IdChangeKind.Received, 66)));
        using var again = await OpenAsync(new("embedded", "DATA"));
        Assert.Equal(clients.Except(["b"]).Append("").Order(StringComparer.Ordinal), again.ReadSession().ReceivedIds.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([8, 9], again.ReceivedIds("a"));
        Assert.Equal([7, 8], again.ReceivedIds("a/b"));
        Assert.Equal([1], again.ReceivedIds());
    }

    [Fact]
    public async Task A_client_without_identifiers_leaves_nothing_behind()
    {
        using (var store = await OpenAsync())
        {
            store.Commit(ChangesOf("never seen", new IdChange(IdChangeKind.AllForgotten, 0)));
            store.Commit(ChangesOf("at once", new(IdChangeKind.Received, 1), new(IdChangeKind.Released, 1)));
            store.Commit(ChangesOf("later", new IdChange(IdChangeKind.Received, 1)));
            store.Commit(ChangesOf("later", new IdChange(IdChangeKind.Released, 1)));
            Assert.Empty(store.ReadSession().ReceivedIds);
        }
        using var again = await OpenAsync();
        Assert.Empty(again.ReadSession().ReceivedIds);
    }

    [Fact]
    public async Task A_batch_that_cannot_be_committed_leaves_nothing_and_can_be_tried_again()
    {
        using var store = await OpenAsync();
        var batch = StoreExtensions.Batch(new Reading("new series", Now, 1));
        batch.Quarantined.Add(new(Now, "odd", ReadOnlyMemory<byte>.Empty, "because"));
        batch.IdChanges.Add(new("", new(IdChangeKind.Received, 7)));
        await using (await DisturbAsync())
            Assert.True(Assert.Throws<StoreException>(() => store.Commit(batch)).MayHeal);
        Assert.Empty(store.ReadAll());
        Assert.Empty(store.ReadQuarantine());
        Assert.Empty(store.ReceivedIds());

        store.Commit(batch);
        Assert.Equal([new("new series", Now, 1)], store.ReadAll());
        Assert.Single(store.ReadQuarantine());
        Assert.Equal([7], store.ReceivedIds());
    }

    [Fact]
    public async Task It_is_held_by_one_aggregator_at_a_time()
    {
        using (await OpenAsync())
        {
            var failure = await Assert.ThrowsAsync<UserException>(() => OpenAsync());
            Assert.Contains($"(process {Environment.ProcessId} on {Environment.MachineName})", failure.Message, StringComparison.Ordinal);
        }
        (await OpenAsync()).Dispose();
    }

    private protected static Batch Changes(params IdChange[] changes) => ChangesOf("", changes);

    private protected static Batch ChangesOf(string client, params IdChange[] changes)
    {
        var batch = new Batch();
        batch.IdChanges.AddRange(changes.Select(change => new ClientIdChange(client, change)));
        return batch;
    }
}

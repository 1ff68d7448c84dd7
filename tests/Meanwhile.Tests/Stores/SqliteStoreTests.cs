using Meanwhile.Mqtt.Delivery;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Stores;

public sealed class SqliteStoreTests : IDisposable
{
    private const long Now = 1_700_000_000_000;
    private readonly TemporaryFolder _folder = new();

    private string File => _folder["deep/down/test.db"];

    [Fact]
    public void A_batch_is_all_there_and_whole_numbers_stay_whole()
    {
        using (var store = Open("me"))
        {
            var batch = new Batch { Subscription = "DATA" };
            batch.Readings.AddRange([new("a", Now, 46), new("b", Now + 123, 45.5), new("a", Now - 1, -1e300)]);
            batch.Quarantined.Add(new(Now + 5, "odd", new byte[] { 0, 255 }, "because"));
            batch.Quarantined.Add(new(Now, "empty", ReadOnlyMemory<byte>.Empty, "because"));
            batch.IdChanges.AddRange([new(IdChangeKind.Received, 1), new(IdChangeKind.Received, 65_535), new(IdChangeKind.Received, 1)]);
            store.Commit(batch, cutoff: 0);
        }

        Assert.Equal(
            ["-1E+300|1699999999.999|a", "46|1700000000|a", "45.5|1700000000.123|b"],
            ReadingsFile.Query(File, "SELECT number, epochtime, topic FROM messages JOIN series ON series.id = series ORDER BY position"));
        Assert.Equal(
            ["1700000000.005|odd|00FF|because", "1700000000|empty||because"],
            ReadingsFile.Query(File, "SELECT arrived, topic, HEX(payload), reason FROM quarantine ORDER BY id"));
        using var again = Open("me");
        Assert.Equal([new("a", Now - 1, -1e300), new("a", Now, 46), new("b", Now + 123, 45.5)], again.ReadAll());
        Assert.Equal([1, 65_535], again.ReadSession().ReceivedIds.Select(id => (int)id).Order());
        Assert.Equal("DATA", again.ReadSession().Subscription);
    }

    [Fact]
    public void Every_double_comes_back_as_it_went_in()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        double[] values = [0, 1e16, 9007199254740993, long.MaxValue, double.MaxValue, double.Epsilon, 1 / 3.0, .. Enumerable.Range(0, 1000).Select(_ => BitConverter.Int64BitsToDouble(random.NextInt64()))];
        values = [.. values.Where(double.IsFinite)];
        using var store = Open("me");
        var batch = new Batch();
        batch.Readings.AddRange(values.Select(v => new Reading("a", Now, v)));
        store.Commit(batch, cutoff: 0);

        Assert.True(values.SequenceEqual(store.ReadAll().Select(r => r.Value)), $"seed {seed}");
    }

    [Fact]
    public void The_retention_starts_at_the_cutoff_to_the_millisecond()
    {
        using var store = Open("me");
        var batch = new Batch();
        batch.Readings.AddRange(new[] { -1001L, -1000, -999, -1, 0, 1, 999, 1000 }.Select(offset => new Reading("a", Now + offset, offset)));
        store.Commit(batch, cutoff: Now - 2000);
        store.Commit(new Batch(), cutoff: Now);

        Assert.Equal([0, 1, 999, 1000], store.ReadAll().Select(r => r.Time - Now));
        store.Commit(new Batch(), cutoff: Now + 1);
        Assert.Equal([1, 999, 1000], store.ReadAll().Select(r => r.Time - Now));
    }

    [Fact]
    public void A_file_of_the_seeds_program_is_carried_on_and_still_its_own()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        ReadingsFile.Query(File, "CREATE TABLE messages (number INTEGER, epochtime INTEGER)");
        const string SeedInsert = "INSERT INTO messages(number, epochtime) VALUES(46, '1700000000')";
        ReadingsFile.Query(File, SeedInsert);
        ReadingsFile.Query(File, "INSERT INTO messages(number, epochtime) VALUES('junk', 'junk'), (NULL, NULL)");
        using var store = Open("me");
        var batch = new Batch();
        batch.Readings.Add(new("DATA", Now + 500, 45.5));
        store.Commit(batch, cutoff: 0);
        ReadingsFile.Query(File, SeedInsert);

        Assert.Equal([("DATA", Now, 46), ("DATA", Now + 500, 45.5), ("DATA", Now, 46)], store.ReadAll().Select(r => (r.Series, r.Time, r.Value)));
        Assert.Equal(["1700000000.5"], ReadingsFile.Query(File, "SELECT MAX(epochtime) FROM messages WHERE epochtime < 1e12"));
    }

    [Fact]
    public void Identifiers_belong_to_a_session()
    {
        using (var store = Open("one"))
            store.Commit(Changes(new(IdChangeKind.Received, 7), new(IdChangeKind.Received, 8), new(IdChangeKind.Released, 8)), cutoff: 0);
        using (var store = Open("other"))
        {
            Assert.Empty(store.ReadSession().ReceivedIds);
            store.Commit(Changes(new(IdChangeKind.Received, 7), new(IdChangeKind.AllForgotten, 0)), cutoff: 0);
            Assert.Empty(store.ReadSession().ReceivedIds);
            var subscribed = new Batch { Subscription = "DATA" };
            store.Commit(subscribed, cutoff: 0);
            Assert.Equal("DATA", store.ReadSession().Subscription);
            store.Commit(Changes(new IdChange(IdChangeKind.AllForgotten, 0)), cutoff: 0);
            Assert.Null(store.ReadSession().Subscription);
        }
        using (var store = Open("one"))
            Assert.Equal([7], store.ReadSession().ReceivedIds.Select(id => (int)id));
    }

    [Fact]
    public void A_batch_that_cannot_be_committed_leaves_nothing_and_can_be_tried_again()
    {
        using var store = Open("me");
        var batch = new Batch();
        batch.Readings.Add(new("new series", Now, 1));
        using (var other = new Database(File))
        {
            other.Execute("BEGIN IMMEDIATE");
            var failure = Assert.Throws<StoreException>(() => store.Commit(batch, cutoff: 0));
            Assert.True(failure.MayHeal);
            Assert.Contains("held by another program", failure.Message, StringComparison.Ordinal);
            other.Execute("ROLLBACK");
        }
        Assert.Empty(store.ReadAll());
        store.Commit(batch, cutoff: 0);
        Assert.Equal([new("new series", Now, 1)], store.ReadAll());
    }

    [Fact]
    public void A_file_of_a_newer_version_is_left_alone()
    {
        using (var store = Open("me"))
            store.Commit(new Batch(), cutoff: 0);
        ReadingsFile.Query(File, "PRAGMA user_version = 99");
        var failure = Assert.Throws<StoreException>(() => Open("me"));
        Assert.Contains("newer version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_one_clear_error()
    {
        using (var store = Open("me"))
        {
            var batch = new Batch();
            batch.Readings.AddRange(Enumerable.Range(0, 5000).Select(i => new Reading("a", Now + i, i)));
            store.Commit(batch, cutoff: 0);
        }
        using (var stream = System.IO.File.OpenWrite(File))
        {
            stream.Position = 8192;
            for (var i = 0; i < 20; i++)
                stream.Write(new byte[4096].Select((_, j) => (byte)(i + j)).ToArray());
        }
        var failure = Assert.Throws<StoreException>(() =>
        {
            using var damaged = Open("me");
            return damaged.ReadAll().Count();
        });
        Assert.False(failure.MayHeal);
        Assert.Contains("is damaged", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_is_held_by_one_aggregator_at_a_time()
    {
        using (Open("me"))
        {
            var failure = Assert.Throws<UserException>(() => Open("me"));
            Assert.Contains($"(process {Environment.ProcessId} on {Environment.MachineName})", failure.Message, StringComparison.Ordinal);
        }
        Open("me").Dispose();
    }

    public void Dispose() => _folder.Dispose();

    private SqliteStore Open(string session) => SqliteStore.Open(File, new StoreOptions(session, "DATA"));

    private static Batch Changes(params IdChange[] changes)
    {
        var batch = new Batch();
        batch.IdChanges.AddRange(changes);
        return batch;
    }
}

using Meanwhile.Mqtt.Delivery;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Stores;

public sealed class SqliteStoreTests : QuarantineContractTests, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => _folder["deep/down/test.db"];

    private protected override Task<string> NameAsync() => Task.FromResult(File);

    private protected override Task<IAsyncDisposable> DisturbAsync() => Task.FromResult<IAsyncDisposable>(new OtherWriter(File));

    private protected override Task<List<string>> SeriesAsync() => Task.FromResult(ReadingsFile.Query(File, "SELECT topic FROM series"));

    [Fact]
    public void A_batch_is_all_there_and_whole_numbers_stay_whole()
    {
        using (var store = Open())
        {
            var batch = new Batch { Subscription = "DATA" };
            batch.Readings.AddRange([new("a", Now, 46), new("b", Now + 123, 45.5), new("a", Now - 1, -1e300), new("b", Now + 200, double.NegativeZero)]);
            batch.Quarantined.Add(new(Now + 5, "odd", new byte[] { 0, 255 }, "because"));
            batch.Quarantined.Add(new(Now, "empty", ReadOnlyMemory<byte>.Empty, "because"));
            batch.IdChanges.AddRange([new("", new(IdChangeKind.Received, 1)), new("", new(IdChangeKind.Received, 65_535)), new("", new(IdChangeKind.Received, 1))]);
            store.Commit(batch, cutoff: 0);
        }

        Assert.Equal(
            ["-1E+300|1699999999.999|a", "46|1700000000|a", "45.5|1700000000.123|b", "-0|1700000000.2|b"],
            ReadingsFile.Query(File, "SELECT number, epochtime, topic FROM messages JOIN series ON series.id = series ORDER BY position"));
        Assert.Equal(
            ["1700000000.005|odd|00FF|because", "1700000000|empty||because"],
            ReadingsFile.Query(File, "SELECT arrived, topic, HEX(payload), reason FROM quarantine ORDER BY id"));
        using var again = Open();
        Assert.Equal(["real", "integer", "real", "real"], ReadingsFile.Query(File, "SELECT TYPEOF(number) FROM messages ORDER BY position"));
        Assert.Equal(["46"], ReadingsFile.Query(File, "SELECT MAX(number) FROM messages"));
        Assert.Equal([new("a", Now - 1, -1e300), new("a", Now, 46), new("b", Now + 123, 45.5), new("b", Now + 200, 0)], again.ReadAll());
        Assert.Equal([1, 65_535], again.ReceivedIds().Order());
        Assert.Equal("DATA", again.ReadSession().Subscription);
    }

    [Fact]
    public void A_file_of_the_seeds_program_is_carried_on_and_still_its_own()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        ReadingsFile.Query(File, "CREATE TABLE messages (number INTEGER, epochtime INTEGER)");
        const string SeedInsert = "INSERT INTO messages(number, epochtime) VALUES(46, '1700000000')";
        ReadingsFile.Query(File, SeedInsert);
        ReadingsFile.Query(File, "INSERT INTO messages(number, epochtime) VALUES('junk', 'junk'), (NULL, NULL)");
        using var store = Open();
        var batch = new Batch();
        batch.Readings.Add(new("DATA", Now + 500, 45.5));
        store.Commit(batch, cutoff: 0);
        ReadingsFile.Query(File, SeedInsert);

        Assert.Equal([("DATA", Now, 46), ("DATA", Now + 500, 45.5), ("DATA", Now, 46)], store.ReadAll().Select(r => (r.Series, r.Time, r.Value)));
        Assert.Equal(["1700000000.5"], ReadingsFile.Query(File, "SELECT MAX(epochtime) FROM messages WHERE epochtime < 1e12"));
    }

    [Fact]
    public void A_file_of_a_newer_version_is_left_alone()
    {
        using (var store = Open())
            store.Commit(new Batch(), cutoff: 0);
        ReadingsFile.Query(File, "PRAGMA user_version = 99");
        var failure = Assert.Throws<StoreException>(() => Open());
        Assert.Contains("newer version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_one_clear_error()
    {
        using (var store = Open())
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
            using var damaged = Open();
            return damaged.ReadAll().Count();
        });
        Assert.False(failure.MayHeal);
        Assert.Contains("is damaged", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_reading_lies_where_its_time_belongs_in_whatever_order_they_come()
    {
        var random = new Random(5);
        List<Reading> all = [];
        using (var store = Open())
        {
            for (var i = 0; i < 40; i++)
            {
                // Runs of one millisecond as a busy second gives them, late readings, and steps forward.
                var batch = StoreExtensions.Batch(Enumerable.Range(0, random.Next(1, 600)).Select(j =>
                    new Reading($"{j % 3}", Now + (i * 10) + (random.Next(50) == 0 ? random.Next(-20, 20) : j / 200), (i * 1000) + j)));
                if (random.Next(4) == 0)
                    ReadingsFile.Query(File, "INSERT INTO messages (number, epochtime, series, position) SELECT -1, 0, 1, MAX(position) + 1 FROM messages HAVING MAX(position) > 0");
                Retry(store, batch);
                all.AddRange(batch.Readings);
                Assert.Equal(Expected(), store.ReadAll().Where(r => r.Value >= 0));
            }
        }
        using var again = Open();
        Assert.Equal(Expected(), again.ReadAll().Where(r => r.Value >= 0));
        Assert.Equal(
            ["0"], ReadingsFile.Query(File, "SELECT COUNT(*) FROM messages WHERE number >= 0 AND (position >> 22) + 1577836800000 <> CAST(ROUND(epochtime * 1000) AS INTEGER)"));

        IEnumerable<Reading> Expected() => all.OrderBy(r => r.Time).ToList(); // Stable.
    }

    public void Dispose() => _folder.Dispose();

    // The place after the last row may be taken by another program: the store looks again.
    private static void Retry(SqliteStore store, Batch batch)
    {
        try
        {
            store.Commit(batch, cutoff: 0);
        }
        catch (StoreException e) when (e.MayHeal)
        {
            store.Commit(batch, cutoff: 0);
        }
    }

    private SqliteStore Open() => SqliteStore.Open(File, new StoreOptions("me", "DATA"));

    private sealed class OtherWriter : IAsyncDisposable
    {
        private readonly Database _database;

        public OtherWriter(string file)
        {
            _database = new Database(file);
            _database.Execute("BEGIN IMMEDIATE");
        }

        public ValueTask DisposeAsync()
        {
            _database.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

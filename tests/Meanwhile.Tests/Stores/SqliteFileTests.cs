using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using static Meanwhile.Tests.Support.StoreExtensions;

namespace Meanwhile.Tests.Stores;

/// <summary>What is particular to a SQLite file: its age, other programs that write to it, its size, and its loss.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private const long Now = 1_700_000_000_000;
    private const string SeedTable = "CREATE TABLE messages (number INTEGER, epochtime INTEGER)";
    private readonly TemporaryFolder _folder = new();

    private string File => _folder["test.db"];

    [Fact]
    public void Rows_that_the_seeds_program_adds_later_find_their_place_at_the_next_start()
    {
        using (var store = Open())
            store.Commit(Batch(new("DATA", Now, 1), new("DATA", Now + 2000, 2)));
        ReadingsFile.Query(File, $"INSERT INTO messages(number, epochtime) VALUES (3, {(Now / 1000) + 1}), (4, '{(Now / 1000) + 3600}'), (5, {(Now / 1000) + 1})");
        using (var store = Open())
        {
            Assert.Equal([1, 3, 5, 2, 4], store.ReadAll().Select(r => r.Value));
            store.Commit(Batch(new Reading("DATA", Now + 1000, 6)), cutoff: Now + 1000);
            Assert.Equal([3, 5, 6, 2, 4], store.ReadAll().Select(r => r.Value));
            store.Commit(Batch(), cutoff: Now + 3_600_000);
            Assert.Equal([new("DATA", Now + 3_600_000, 4)], store.ReadAll());
        }
    }

    [Fact]
    public void Rows_that_the_seeds_program_adds_meanwhile_are_in_nobodys_way()
    {
        using var store = Open();
        store.Commit(Batch(new Reading("DATA", Now, 1)));
        ReadingsFile.Query(File, $"INSERT INTO messages(number, epochtime) VALUES (2, {Now / 1000})");
        var batch = Batch(new Reading("DATA", Now, 3));
        var failure = Assert.Throws<StoreException>(() => store.Commit(batch));
        Assert.True(failure.MayHeal);
        store.Commit(batch);
        Assert.Equal([1, 2, 3], store.ReadAll().Select(r => r.Value));
    }

    [Fact]
    public void A_file_of_version_1_is_brought_up_to_date()
    {
        ReadingsFile.Query(File, $"""
            CREATE TABLE messages (number NUMERIC, epochtime NUMERIC, series INTEGER);
            CREATE INDEX messages_epochtime ON messages (epochtime);
            CREATE TABLE series (id INTEGER PRIMARY KEY, topic TEXT NOT NULL UNIQUE);
            CREATE TABLE quarantine (id INTEGER PRIMARY KEY, arrived NUMERIC NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL);
            CREATE TABLE sessions (name TEXT PRIMARY KEY, subscription TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE received_ids (session TEXT NOT NULL, packet_id INTEGER NOT NULL, PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
            INSERT INTO series VALUES (7, 'a');
            INSERT INTO messages VALUES (2, {(Now / 1000) + 1}.5, 7), (1, {Now / 1000}, NULL), (3, {(Now / 1000) + 1}.5, 7);
            INSERT INTO quarantine VALUES (1, 5, 't', x'00', 'r');
            INSERT INTO sessions VALUES ('me', 'DATA');
            INSERT INTO received_ids VALUES ('me', 9);
            PRAGMA user_version = 1
            """);
        using var store = Open();
        Assert.Equal([new("DATA", Now, 1), new("a", Now + 1500, 2), new("a", Now + 1500, 3)], store.ReadAll());
        Assert.Equal(9, Assert.Single(store.ReceivedIds()));
        Assert.Equal("t", Assert.Single(store.ReadQuarantine()).Message.Topic);
        Assert.Equal(["0"], ReadingsFile.Query(File, "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('messages_epochtime', 'unordered')"));
    }

    [Fact]
    public void Rows_of_the_seeds_program_that_are_no_numbers_are_left_behind()
    {
        ReadingsFile.Query(File, SeedTable);
        ReadingsFile.Query(File, $"INSERT INTO messages VALUES ('junk', 1), (1, 'junk'), (NULL, NULL), (46, '{Now / 1000}')");
        using var store = Open();
        Assert.Equal([new("DATA", Now, 46)], store.ReadAll());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-wal")]
    public void A_file_that_is_deleted_beneath_us_stops_the_acknowledgements(string suffix)
    {
        using var store = Open();
        store.Commit(Batch(new Reading("a", Now, 1)));
        System.IO.File.Delete(File + suffix);
        var failure = Assert.Throws<StoreException>(() => store.Commit(Batch(new Reading("a", Now, 2))));
        Assert.False(failure.MayHeal);
        Assert.Contains("deleted or moved", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_peak_the_file_gets_smaller_again()
    {
        using var store = Open();
        for (var i = 0; i < 50; i++)
            store.Commit(Batch(Enumerable.Range(0, 10_000).Select(j => new Reading("a", Now + (i * 10_000) + j, j / 3.0))));
        var peak = Pages();
        for (var i = 0; i < 2000; i++)
            store.Commit(Batch(new Reading("a", Now + 600_000, 1)), cutoff: Now + 550_000);
        Assert.InRange(Pages(), 1, peak / 2);

        int Pages() => int.Parse(ReadingsFile.Query(File, "PRAGMA page_count")[0]);
    }

    [Fact]
    public async Task A_file_that_another_program_holds_at_the_start_is_waited_for()
    {
        Open().Dispose();
        using var other = new Database(File);
        other.Execute("BEGIN IMMEDIATE");
        var opening = Store.OpenAsync(File, Options, NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.False(opening.IsCompleted); // It returns when the first attempt has failed.
        other.Execute("ROLLBACK");
        using var store = await opening;
        store.Commit(Batch(new Reading("a", Now, 1)));
    }

    [Fact]
    public void A_new_identity_is_new_also_where_another_program_has_deleted_the_row_before()
    {
        using (var store = Open())
            store.Commit(Batch(new Reading("a", Now, 1) { Identity = "x"u8.ToArray() }, new Reading("a", Now + 1, 2)));
        ReadingsFile.Query(File, "DELETE FROM messages WHERE number = 1");
        using var again = Open();
        Assert.Equal(0, again.Commit(Batch(new Reading("a", Now, 3) { Identity = "y"u8.ToArray() })).Known);
        Assert.Equal(1, again.Commit(Batch(new Reading("a", Now, 4) { Identity = "x"u8.ToArray() })).Known);
        Assert.Equal([3, 2], again.ReadAll().Select(r => r.Value));
    }

    [Fact]
    public void Readings_stay_where_they_are_when_the_file_is_vacuumed()
    {
        using (var store = Open())
            store.Commit(Batch(new Reading("a", Now, 1), new Reading("a", Now - 60_000, 2)));
        ReadingsFile.Query(File, "VACUUM");
        using (var store = Open())
        {
            store.Commit(Batch(), cutoff: Now);
            Assert.Equal([new("a", Now, 1)], store.ReadAll());
        }
    }

    public void Dispose() => _folder.Dispose();

    private SqliteStore Open() => SqliteStore.Open(File, Options);

    private static StoreOptions Options { get; } = new("me", "DATA");
}

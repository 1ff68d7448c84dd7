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
        ReadingsFile.Query(File, $"INSERT INTO messages(number, epochtime) VALUES (3, {(Now / 1000) + 1}), ('4', '{(Now / 1000) + 3600}'), (5, {(Now / 1000) + 1}), ('junk', {Now / 1000}), ('12 V', {Now / 1000})");
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
    public void A_file_of_version_2_goes_on_and_takes_minus_zero()
    {
        Reading[] old = [new("a", Now, 46), new("a", Now + 1, 45.5), new("DATA", Now + 1000, 7)];
        using (var store = Open())
            store.Commit(Batch(old[..2]));
        ReadingsFile.Query(File, $"""
            ALTER TABLE messages RENAME TO new; DROP INDEX foreign_rows;
            CREATE TABLE messages (number NUMERIC, epochtime NUMERIC, series INTEGER, position INTEGER PRIMARY KEY);
            INSERT INTO messages SELECT * FROM new; DROP TABLE new;
            CREATE INDEX foreign_rows ON messages (series) WHERE series IS NULL;
            INSERT INTO messages (number, epochtime) VALUES ('7', '{(Now / 1000) + 1}');
            PRAGMA user_version = 2
            """);
        using (var reader = Store.OpenForReading(File, "DATA", stop: TestContext.Current.CancellationToken))
            Assert.Equal(old, reader.ReadReadings(0, long.MaxValue));
        using var again = Open();
        Assert.Equal(old, again.ReadAll());
        again.Commit(Batch(new Reading("a", Now + 2, double.NegativeZero)));
        Assert.True(double.IsNegative(again.ReadReadings(Now + 2, Now + 2).Single().Value));
        Assert.Equal(["3", "ok"], [.. ReadingsFile.Query(File, "PRAGMA user_version"), .. ReadingsFile.Query(File, "PRAGMA integrity_check")]);
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

    [Fact]
    public void What_is_made_is_for_its_owner_alone_and_what_is_there_keeps_its_mode()
    {
        const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (OperatingSystem.IsWindows())
            return; // Files have no mode there.
        foreach (var name in new[] { File, _folder["test.db.broker"] })
        {
            using IDisposable owner = name == File ? Open() : BrokerFile.Open(name, NullLogger.Instance, TimeProvider.System);
            foreach (var suffix in new[] { "", "-wal", "-shm", ".lock", ".holder" })
                Assert.Equal((name + suffix, OwnersOnly), (name + suffix, System.IO.File.GetUnixFileMode(name + suffix)));
        }

        const UnixFileMode Chosen = OwnersOnly | UnixFileMode.GroupRead;
        System.IO.File.SetUnixFileMode(File, Chosen);
        using var again = Open();
        again.Commit(Batch(new Reading("a", Now, 1)));
        Assert.Equal((Chosen, Chosen), (System.IO.File.GetUnixFileMode(File), System.IO.File.GetUnixFileMode(File + "-wal")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_link_to_a_file_is_as_good_as_the_file_and_has_the_same_owner(bool isThere)
    {
        Directory.CreateDirectory(_folder["disk"]);
        var file = _folder["disk/real.db"];
        if (isThere)
            SqliteStore.Open(file, Options).Dispose();
        System.IO.File.CreateSymbolicLink(_folder["first"], "disk/real.db");
        System.IO.File.CreateSymbolicLink(File, "first");
        using (var store = Open())
        {
            store.Commit(Batch(new Reading("a", Now, 1)));
            foreach (var name in new[] { File, _folder["first"], file })
            {
                var failure = Assert.Throws<UserException>(() => SqliteStore.Open(name, Options));
                Assert.Contains("in use by another aggregator", failure.Message, StringComparison.Ordinal);
                using var reader = Store.OpenForReading(name, "DATA", stop: TestContext.Current.CancellationToken);
                Assert.Equal([new("a", Now, 1)], reader.ReadReadings(0, long.MaxValue));
                Assert.Equal(file + ".broker", Store.BrokerFileOf(name));
            }
            System.IO.File.Delete(file);
            Assert.Contains("deleted or moved", Assert.Throws<StoreException>(() => store.Commit(Batch(new Reading("a", Now, 2)))).Message, StringComparison.Ordinal);
        }
        Assert.Equal(["disk", "first", "test.db"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_reader_tells_names_that_it_has_no_room_for()
    {
        var readings = Enumerable.Range(0, 300).Select(i => new Reading($"{i % 100}/{new string('x', 60_000)}", Now + i, i)).ToArray();
        using var store = Open();
        store.Commit(Batch(readings));
        using var reader = Store.OpenForReading(File, "DATA", stop: TestContext.Current.CancellationToken);
        Assert.Equal(readings, reader.ReadReadings(0, long.MaxValue));
    }

    [Fact]
    public void A_link_that_leads_in_a_circle_is_said()
    {
        System.IO.File.CreateSymbolicLink(File, "other");
        System.IO.File.CreateSymbolicLink(_folder["other"], "test.db");
        Assert.Contains("the link cannot be followed", Assert.Throws<UserException>(Open).Message, StringComparison.Ordinal);
    }

    // 3.51.3 mends a rare fault: connections that write and move the log into the file at the same moment could damage it.
    [Fact]
    public void The_bundled_sqlite_is_one_without_the_fault_of_its_log()
    {
        using var database = new Database(File);
        var version = database.Prepare("SELECT sqlite_version()");
        Assert.True(version.Step());
        Assert.True(Version.Parse(version.Text(0)) >= new Version(3, 51, 3), version.Text(0));
    }

    public void Dispose() => _folder.Dispose();

    private SqliteStore Open() => SqliteStore.Open(File, Options);

    private static StoreOptions Options { get; } = new("me", "DATA");
}

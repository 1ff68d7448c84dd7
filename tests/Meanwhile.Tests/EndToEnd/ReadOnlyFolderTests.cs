using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>A file that lies where nothing can be written: it is read, or it is said why not, and the numbers are never those of another moment.</summary>
public sealed class ReadOnlyFolderTests : ProgramTest
{
    private readonly long _now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    [Theory]
    [InlineData("data")]
    [InlineData("a%20b c#d?e=\u00fc")]
    public async Task After_an_orderly_stop_it_is_read_as_it_is(string folder)
    {
        Directory.CreateDirectory(Folder[folder]);
        var file = $"{folder}/test.db";
        Fill(file).Dispose();
        var before = Directory.GetFiles(Folder[folder]);
        using (Mount.ReadOnly(Folder[folder]))
        {
            Assert.Throws<IOException>(() => File.WriteAllText(Folder[folder + "/x"], "x"));
            await AssertReadAsync(file);
        }
        Assert.Equal(before.Order(), Directory.GetFiles(Folder[folder]).Order());
    }

    [Fact]
    public async Task With_what_a_crash_has_left_beside_it_it_is_read_whole()
    {
        Crash(withSharedMemory: true);
        using (Mount.ReadOnly(Folder["data"]))
            await AssertReadAsync("data/test.db");
    }

    [Fact]
    public async Task With_commits_beside_it_that_cannot_be_seen_it_says_why_not()
    {
        Crash(withSharedMemory: false);
        using (Mount.ReadOnly(Folder["data"]))
        {
            foreach (var arguments in new[] { new[] { "query" }, ["export"], ["quarantine", "list"], ["quarantine", "show", "1"] })
            {
                var (code, output, error) = await RunAsync([.. arguments, "--db", "data/test.db"]);
                Assert.Equal((1, ""), (code, output));
                Assert.Equal("meanwhile: data/test.db: its folder cannot be written to, and test.db-wal beside it holds changes that are not in the file yet: copy both to a folder that can be written to, and read the copy\n", error.Replace(Folder.Path + "/", "", StringComparison.Ordinal));
            }
        }
        foreach (var file in Directory.GetFiles(Folder["data"]))
            File.Copy(file, Folder["copy-" + Path.GetFileName(file)]);
        await AssertReadAsync("copy-test.db");
    }

    [Fact]
    public async Task Beside_an_aggregator_that_writes_by_another_way_what_it_has_committed_is_read()
    {
        Directory.CreateDirectory(Folder["data"]);
        Directory.CreateDirectory(Folder["view"]);
        using var owner = Fill("data/test.db");
        using (Mount.ReadOnly(Folder["data"], Folder["view"]))
        {
            await AssertReadAsync("view/test.db");
            owner.Commit(StoreExtensions.Batch(new Reading("DATA", _now + 2, 3)));
            Assert.Contains("3 readings exported", (await RunAsync("export", "--db", "view/test.db")).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_seeds_file_and_other_files_are_judged_as_elsewhere()
    {
        Directory.CreateDirectory(Folder["data"]);
        ReadingsFile.Query(Folder["data/test.db"], $"CREATE TABLE messages (number INTEGER, epochtime INTEGER); INSERT INTO messages VALUES (1, {_now / 1000})");
        await File.WriteAllTextAsync(Folder["data/notes.txt"], new string('x', 5000), TestContext.Current.CancellationToken);
        using (Mount.ReadOnly(Folder["data"]))
        {
            Assert.Contains("1 readings exported", (await RunAsync("export", "--db", "data/test.db")).Error, StringComparison.Ordinal);
            Assert.Contains("notes.txt is no SQLite database", (await RunAsync("export", "--db", "data/notes.txt")).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_changes_while_it_is_read_is_no_answer()
    {
        Directory.CreateDirectory(Folder["data"]);
        Directory.CreateDirectory(Folder["view"]);
        Fill("data/test.db").Dispose();
        using (Mount.ReadOnly(Folder["data"], Folder["view"]))
        {
            using var reader = SqliteReader.Open(Folder["view/test.db"], "DATA");
            var readings = reader.ReadReadings(0, long.MaxValue).GetEnumerator();
            Assert.True(readings.MoveNext());
            using (var owner = SqliteStore.Open(Folder["data/test.db"], new StoreOptions("test", "DATA")))
                owner.Commit(StoreExtensions.Batch(new Reading("DATA", _now + 2, 3)));
            var failure = Assert.Throws<StoreException>(() => readings.MoveNext() && readings.MoveNext());
            Assert.Contains("was written to while it was read", failure.Message, StringComparison.Ordinal);
        }
    }

    private SqliteStore Fill(string file)
    {
        var store = SqliteStore.Open(Folder[file], new StoreOptions("test", "DATA"));
        var batch = StoreExtensions.Batch(new("DATA", _now, 1), new("DATA", _now + 1, 2));
        batch.Quarantined.Add(new RejectedMessage(_now, "DATA", "x"u8.ToArray(), "because"));
        store.Commit(batch);
        return store;
    }

    // As a process that is killed leaves its files: they are copied while their owner is at work.
    private void Crash(bool withSharedMemory)
    {
        Directory.CreateDirectory(Folder["data"]);
        using var owner = Fill("live.db");
        foreach (var suffix in withSharedMemory ? new[] { "", "-wal", "-shm" } : ["", "-wal"])
            File.Copy(Folder["live.db" + suffix], Folder["data/test.db" + suffix]);
        Assert.True(new FileInfo(Folder["data/test.db-wal"]).Length > 0);
    }

    private async Task AssertReadAsync(string file)
    {
        Assert.Contains("2 readings exported", (await RunAsync("export", "--db", file)).Error, StringComparison.Ordinal);
        var query = await RunAsync("query", "--db", file, "--stats", "count");
        Assert.Contains("\"avg_1min\": 1.5", query.Output, StringComparison.Ordinal);
        Assert.Contains("\"count_30min\": 2", query.Output, StringComparison.Ordinal);
        Assert.Contains("DATA: because", (await RunAsync("quarantine", "list", "--db", file)).Output, StringComparison.Ordinal);
        Assert.Equal("x\n", (await RunAsync("quarantine", "show", "1", "--raw", "--db", file)).Output);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var program = Meanwhile(arguments);
        var code = await program.ExitAsync();
        return (code, program.Output, program.Error);
    }
}

using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Stores;

/// <summary>Disks that are full, and files that cannot be written, for real.</summary>
public sealed class SqliteDiskTests : IDisposable
{
    private const long Now = 1_700_000_000_000;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void On_a_full_disk_nothing_is_committed_and_with_room_again_everything_is_once()
    {
        using var disk = Mount.SmallDisk(_folder["disk"], 4 << 20);
        var file = _folder["disk/test.db"];
        using (var store = Open(file))
        {
            store.Commit(Batch(0, 100));
            var ballast = Fill();
            var batch = Batch(100, 5000);
            for (var attempt = 0; attempt < 3; attempt++)
            {
                var failure = Assert.Throws<StoreException>(() => store.Commit(batch));
                Assert.True(failure.MayHeal);
                Assert.Contains("the disk is full", failure.Message, StringComparison.Ordinal);
                Assert.Equal(100, store.ReadAll().Count());
            }

            System.IO.File.Delete(ballast);
            store.Commit(batch);
            Assert.Equal(Enumerable.Range(0, 5100).Select(i => (double)i), store.ReadAll().Select(r => r.Value));
        }
        using var again = Open(file);
        Assert.Equal(5100, again.ReadAll().Count());
    }

    [Fact]
    public void A_disk_that_is_full_at_the_start_may_have_room_later()
    {
        using var disk = Mount.SmallDisk(_folder["disk"], 1 << 20);
        var ballast = Fill();
        var failure = Assert.Throws<StoreException>(() => Open(_folder["disk/test.db"]));
        Assert.True(failure.MayHeal, failure.Message);

        System.IO.File.Delete(ballast);
        using var store = Open(_folder["disk/test.db"]);
        store.Commit(Batch(0, 10));
        Assert.Equal(10, store.ReadAll().Count());
    }

    [Fact]
    public void A_file_that_is_read_only_is_one_clear_error_and_stays_as_it_is()
    {
        var file = _folder["test.db"];
        using (var store = Open(file))
            store.Commit(Batch(0, 10));
        var before = System.IO.File.ReadAllBytes(file);
        using (Mount.ReadOnly(file))
        {
            var failure = Assert.Throws<StoreException>(() => Open(file));
            Assert.False(failure.MayHeal);
            Assert.Contains("is read-only", failure.Message, StringComparison.Ordinal);
        }
        Assert.Equal(before, System.IO.File.ReadAllBytes(file));
        using var again = Open(file);
        Assert.Equal(10, again.ReadAll().Count());
    }

    public void Dispose() => _folder.Dispose();

    private static Batch Batch(int first, int count) => StoreExtensions.Batch(Enumerable.Range(first, count).Select(i => new Reading("DATA", Now + i, i)));

    private static SqliteStore Open(string file) => SqliteStore.Open(file, new StoreOptions("me", "DATA"));

    // Takes all the room that is left.
    private string Fill()
    {
        var ballast = _folder["disk/ballast"];
        using var stream = new FileStream(ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                stream.Write(new byte[4096]);
        }
        catch (IOException)
        {
            return ballast;
        }
    }
}

using System.Text;
using Meanwhile.Stores;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Stores;

/// <summary>Identities: no reading counts twice.</summary>
public abstract class IdentityContractTests : StoreContractTests
{
    [Fact]
    public async Task A_reading_whose_identity_is_known_is_taken_out()
    {
        var batch = StoreExtensions.Batch(Reading("a", "1", 1), Reading("a", "2", 2), Reading("a", "1", 3), Reading("b", "1", 4), Reading("a", "", 5), Reading("a", "", 6), Reading("a", "2", 7));
        using (var store = await OpenAsync())
        {
            Assert.Equal(2, store.Commit(batch).Known);
            Assert.Equal([1, 2, 4, 5, 6], batch.Readings.Select(r => r.Value));
            Assert.Equal(new CommitReport(1, 0), store.Commit(StoreExtensions.Batch(Reading("a", "1", 8))));
        }
        using var again = await OpenAsync();
        batch = StoreExtensions.Batch(Reading("c", "1", 9), Reading("b", "1", 10), Reading("b", "11", 11));
        Assert.Equal(1, again.Commit(batch).Known);
        Assert.Equal([9, 11], batch.Readings.Select(r => r.Value));
        Assert.Equal([1, 2, 4, 5, 6, 9, 11], again.ReadAll().Select(r => r.Value));
    }

    [Fact]
    public async Task An_identity_is_forgotten_with_its_readings_retention()
    {
        using var store = await OpenAsync();
        store.Commit(StoreExtensions.Batch(Reading("a", "1", 1), Reading("a", "2", 2, Now + 1)));
        store.Commit(new Batch(), cutoff: Now + 1);
        Assert.Equal(0, store.Commit(StoreExtensions.Batch(Reading("a", "1", 3, Now + 5)), cutoff: Now + 1).Known);
        Assert.Equal(1, store.Commit(StoreExtensions.Batch(Reading("a", "2", 4, Now + 5)), cutoff: Now + 1).Known);
        Assert.Equal([2, 3], store.ReadAll().Select(r => r.Value));
    }

    [Fact]
    public async Task Identities_may_be_long_and_hold_any_bytes()
    {
        byte[][] identities = [[0], [0, 0], new byte[63], new byte[64], new byte[65], new byte[100_000], [.. new byte[99_999], 1], [0xff, 0xfe], Encoding.UTF8.GetBytes("\ud83d\udca7")];
        using var store = await OpenAsync();
        for (var round = 0; round < 2; round++)
        {
            var batch = StoreExtensions.Batch(identities.Select((identity, i) => new Reading("a", Now, i) { Identity = identity }));
            Assert.Equal(round * identities.Length, store.Commit(batch).Known);
        }
        Assert.Equal(identities.Length, store.ReadAll().Count());
    }

    private static Reading Reading(string series, string identity, double value, long time = Now) => new(series, time, value) { Identity = Encoding.UTF8.GetBytes(identity) };
}

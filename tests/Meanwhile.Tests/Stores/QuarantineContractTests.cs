using Meanwhile.Stores;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Stores;

/// <summary>The quarantine: what comes in, leaves, and is dropped.</summary>
public abstract class QuarantineContractTests : IdentityContractTests
{
    private static readonly StoreOptions Options = new("me", "DATA");

    [Fact]
    public async Task Messages_come_back_oldest_first_until_they_are_taken()
    {
        using (var store = await OpenAsync())
            store.Commit(Messages((Now + 5, "odd", [0, 255]), (Now, "", []), (Now, "b", [1])));
        long taken;
        using (var store = await OpenAsync())
        {
            var messages = store.ReadQuarantine().ToList();
            Assert.Equal([$"{Now + 5} odd 00FF because", $"{Now}   because", $"{Now} b 01 because"], messages.Select(Show));
            var batch = new Batch();
            batch.TakenFromQuarantine.AddRange([messages[1].Number, messages[2].Number, long.MaxValue]);
            Assert.Equal(0, store.Commit(batch).Dropped);
            taken = messages[2].Number;
        }
        using var again = await OpenAsync();
        again.Commit(Messages((Now, "later", [])));
        Assert.Equal([$"{Now + 5} odd 00FF because", $"{Now} later  because"], again.ReadQuarantine().Select(Show));
        Assert.True(again.ReadQuarantine().Last().Number > taken);
    }

    [Fact]
    public async Task It_is_bounded_by_their_number()
    {
        using (var store = await OpenAsync(Options with { QuarantinedMessages = 3 }))
        {
            Assert.Equal(0, store.Commit(Messages([.. Enumerable.Range(0, 3).Select(i => (Now, $"{i}", Array.Empty<byte>()))])).Dropped);
            Assert.Equal(2, store.Commit(Messages((Now, "3", []), (Now, "4", []))).Dropped);
            Assert.Equal(["2", "3", "4"], Topics(store));
            var batch = Messages((Now, "5", []));
            batch.TakenFromQuarantine.Add(store.ReadQuarantine().ElementAt(1).Number);
            Assert.Equal(0, store.Commit(batch).Dropped);
            Assert.Equal(["2", "4", "5"], Topics(store));
        }
        using var again = await OpenAsync(Options with { QuarantinedMessages = 2 });
        Assert.Equal(2, again.Commit(Messages((Now, "6", []))).Dropped);
        Assert.Equal(["5", "6"], Topics(again));
        Assert.Equal(5, again.Commit(Messages([.. Enumerable.Range(7, 5).Select(i => (Now, $"{i}", Array.Empty<byte>()))])).Dropped);
        Assert.Equal(["10", "11"], Topics(again));
    }

    [Fact]
    public async Task It_is_bounded_by_their_bytes()
    {
        var options = Options with { QuarantinedBytes = 100 };
        using (var store = await OpenAsync(options))
        {
            Assert.Equal(0, store.Commit(Messages((Now, "a", new byte[50]), (Now, "b", new byte[50]))).Dropped);
            Assert.Equal(1, store.Commit(Messages((Now, "c", new byte[1]))).Dropped);
            Assert.Equal(["b", "c"], Topics(store));
        }
        using var again = await OpenAsync(options);
        Assert.Equal(0, again.Commit(Messages((Now, "d", new byte[49]))).Dropped);
        Assert.Equal(2, again.Commit(Messages((Now, "e", new byte[51]))).Dropped);
        Assert.Equal(["d", "e"], Topics(again));
        Assert.Equal(3, again.Commit(Messages((Now, "f", new byte[101]))).Dropped);
        Assert.Empty(again.ReadQuarantine());
    }

    [Fact]
    public async Task It_is_bounded_by_their_age_to_the_millisecond()
    {
        using (var store = await OpenAsync())
            store.Commit(Messages((Now + 1, "a", []), (Now, "b", []), (Now + 2, "c", [])));
        using var again = await OpenAsync();
        Assert.Equal(0, (await again.CommitAsync(new Batch(), new Cutoff(0, Now), TestContext.Current.CancellationToken)).Dropped);
        Assert.Equal(1, (await again.CommitAsync(new Batch(), new Cutoff(0, Now + 1), TestContext.Current.CancellationToken)).Dropped);
        Assert.Equal(["a", "c"], Topics(again));
        Assert.Equal(2, (await again.CommitAsync(new Batch(), new Cutoff(0, Now + 3), TestContext.Current.CancellationToken)).Dropped);
        Assert.Empty(again.ReadQuarantine());
    }

    private static IEnumerable<string> Topics(IStore store) => store.ReadQuarantine().Select(m => m.Message.Topic);

    private static string Show(QuarantinedMessage message) =>
        $"{message.Message.Arrived} {message.Message.Topic} {Convert.ToHexString(message.Message.Payload.Span)} {message.Message.Reason}";

    private static Batch Messages(params (long Arrived, string Topic, byte[] Payload)[] messages)
    {
        var batch = new Batch();
        batch.Quarantined.AddRange(messages.Select(m => new RejectedMessage(m.Arrived, m.Topic, m.Payload, "because")));
        return batch;
    }
}

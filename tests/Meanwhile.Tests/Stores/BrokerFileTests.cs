using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Stores;

/// <summary>The embedded broker's file. A crash is a copy of it, taken while it is open.</summary>
public sealed class BrokerFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _crashes;

    [Fact]
    public async Task What_was_committed_is_there_after_a_crash()
    {
        var full = new Message
        {
            Topic = "a/b",
            Payload = new byte[] { 0, 255 },
            Qos = 2,
            ExpiresAt = TimeSpan.FromMilliseconds(1_700_000_000_123),
            Properties = new Properties(new Property(PropertyId.ContentType, Text: "text"), new Property(PropertyId.UserProperty, Text: "k", Value: "v")),
        };
        var empty = new Message { Topic = "a" };
        using var file = Open("test.db");
        await CommitAsync(
            file,
            new SessionOpened("c", uint.MaxValue),
            new SessionOpened("d", 10),
            new SubscriptionAdded("c", new SubscriptionRequest("a/#", 2, NoLocal: true, RetainAsPublished: true), 7),
            new SubscriptionAdded("c", new SubscriptionRequest("x", 1), null),
            new SubscriptionAdded("c", new SubscriptionRequest("x", 0), null),
            new SubscriptionAdded("c", new SubscriptionRequest("y", 0), null),
            new SubscriptionRemoved("c", "y"),
            new IdReceived("c", 65_535),
            new IdReceived("c", 1),
            new IdReleased("c", 1),
            new MessageQueued("c", 10, full, 2, Retain: true, [1, 300]),
            new MessageQueued("c", 9, empty, 1, Retain: false, null),
            new MessageQueued("c", 8, empty, 1, Retain: false, null),
            new MessageReleased("c", 10),
            new MessageFinished("c", 8),
            new RetainedChanged("a/b", full),
            new RetainedChanged("a", empty),
            new RetainedChanged("a", null),
            new SessionLeft("d", TimeSpan.FromSeconds(1_700_000_000), 42));

        var changes = Crash();
        Assert.Equal([new SessionOpened("c", uint.MaxValue), new SessionOpened("d", 10)], changes.OfType<SessionOpened>());
        Assert.Equal(
            [new SubscriptionAdded("c", new SubscriptionRequest("a/#", 2, true, true), 7), new SubscriptionAdded("c", new SubscriptionRequest("x", 0), null)],
            changes.OfType<SubscriptionAdded>());
        Assert.Equal([new IdReceived("c", 65_535)], changes.OfType<IdReceived>());
        Assert.Equal([new SessionLeft("d", TimeSpan.FromSeconds(1_700_000_000), 42)], changes.OfType<SessionLeft>());
        Assert.Equal(
            [(9, "a", 1, false, false, ""), (10, "a/b", 2, true, true, "1,300")],
            changes.OfType<MessageQueued>().Select(m => ((int)m.Number, m.Message.Topic, m.Qos, m.Retain, m.IsReleased, string.Join(',', m.Identifiers ?? []))));
        foreach (var message in new[] { changes.OfType<MessageQueued>().Last().Message, Assert.Single(changes.OfType<RetainedChanged>()).Message! })
        {
            Assert.Equal((full.Topic, full.Qos, full.ExpiresAt, "00FF"), (message.Topic, message.Qos, message.ExpiresAt, Convert.ToHexString(message.Payload.Span)));
            Assert.Equal(full.Properties.ToBytes(), message.Properties.ToBytes());
        }
    }

    [Theory]
    [InlineData("''", "the topic is empty")]
    [InlineData("'a/#'", "'a/#' is no topic of a message")]
    [InlineData("CAST(x'61FF' AS TEXT)", "a text in it is not UTF-8")]
    public async Task A_topic_that_is_none_is_damage_and_one_line(string topic, string expected)
    {
        using (var file = Open("test.db"))
            await CommitAsync(file, new RetainedChanged("a", new Message { Topic = "a" }));
        ReadingsFile.Query(_folder["test.db"], $"UPDATE retained SET topic = {topic}");
        using var again = Open("test.db");
        var failure = Assert.Throws<StoreException>(() => again.Read().ToList());
        Assert.Contains($"test.db is damaged ({expected}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_is_over_leaves_nothing_and_one_that_is_opened_again_has_not_been_left()
    {
        using var file = Open("test.db");
        Change[] session = [new SubscriptionAdded("c", new SubscriptionRequest("a", 2), null), new IdReceived("c", 1), new MessageQueued("c", 1, new Message { Topic = "a" }, 1, false, null)];
        await CommitAsync(file, [new SessionOpened("c", 1), .. session, new SessionEnded("c"), new SessionOpened("d", 1), new SessionLeft("d", TimeSpan.Zero, 1), new SessionOpened("d", 2)]);
        Assert.Equal([new SessionOpened("d", 2)], Crash());
    }

    [Fact]
    public async Task The_file_does_not_grow_with_what_has_passed_through_it()
    {
        using var file = Open("test.db");
        var message = new Message { Topic = "a", Payload = new byte[1000] };
        for (var round = 0; round < 100; round++)
        {
            await CommitAsync(file, [.. Enumerable.Range(round * 100, 100).Select(number => new MessageQueued("c", number, message, 1, false, null))]);
            await CommitAsync(file, [.. Enumerable.Range(round * 100, 100).Select(number => new MessageFinished("c", number))]);
        }
        Assert.InRange(int.Parse(ReadingsFile.Query(_folder["test.db"], "PRAGMA page_count")[0]), 1, 300); // Of 2,500 that came.
    }

    [Fact]
    public async Task Wills_are_kept_until_they_are_forgotten()
    {
        var will = new Will("w", new byte[] { 0, 255 }, 2, Retain: true, new Properties(new Property(PropertyId.WillDelayInterval, 5), new Property(PropertyId.ContentType, Text: "text")));
        using var file = Open("test.db");
        await CommitAsync(file, new WillKept("c", 1, will, DueAt: null), new WillKept("d", 2, will with { Topic = "x" }, DueAt: null), new WillKept("c", 1, will, TimeSpan.FromSeconds(9)), new WillForgotten(2));
        var kept = Assert.IsType<WillKept>(Assert.Single(Crash()));
        Assert.Equal(("c", 1L, TimeSpan.FromSeconds(9)), (kept.ClientId, kept.Number, kept.DueAt));
        Assert.Equal(("w", "00FF", 2, true), (kept.Will.Topic, Convert.ToHexString(kept.Will.Payload.Span), kept.Will.Qos, kept.Will.Retain));
        Assert.Equal(will.Properties.ToBytes(), kept.Will.Properties.ToBytes());
    }

    [Fact]
    public async Task A_file_of_the_version_without_wills_is_carried_on()
    {
        using (var file = Open("test.db"))
            await CommitAsync(file, new SessionOpened("c", 1));
        ReadingsFile.Query(_folder["test.db"], "DROP TABLE wills; PRAGMA user_version = 1");
        using var again = Open("test.db");
        await CommitAsync(again, new WillKept("c", 1, new Will("w", default, 0, Retain: false, default), DueAt: null));
        Assert.Equal(2, Crash().Count);
    }

    [Fact]
    public async Task A_file_of_the_version_without_users_is_carried_on_and_whose_its_sessions_are_is_not_known()
    {
        using (var file = Open("test.db"))
            await CommitAsync(file, new SessionOpened("c", 1), new WillKept("c", 1, new Will("w", default, 0, Retain: false, default), DueAt: null), new MessageQueued("c", 1, new Message { Topic = "a" }, 1, false, null));
        ReadingsFile.Query(_folder["test.db"], "ALTER TABLE sessions DROP COLUMN user; ALTER TABLE wills DROP COLUMN user; PRAGMA user_version = 2");
        using var again = Open("test.db");
        var changes = Crash();
        Assert.Equal(3, changes.Count);
        Assert.Equal([new SessionOpened("c", 1)], changes.OfType<SessionOpened>());
        Assert.Null(Assert.Single(changes.OfType<WillKept>()).User);
    }

    [Fact]
    public async Task Whose_sessions_and_wills_are_is_kept_and_a_client_without_a_name_is_not_one_that_is_not_known()
    {
        var will = new Will("w", default, 0, Retain: false, default);
        using var file = Open("test.db");
        await CommitAsync(
            file,
            new SessionOpened("a", 1) { User = "ada" },
            new SessionOpened("b", 1) { User = "" },
            new SessionOpened("c", 1),
            new SessionOpened("c", 2) { User = "bob" },
            new WillKept("a", 1, will, DueAt: null) { User = "ada" },
            new WillKept("b", 2, will, DueAt: null) { User = "" });
        var changes = Crash();
        Assert.Equal([new("a", 1) { User = "ada" }, new("b", 1) { User = "" }, new SessionOpened("c", 2) { User = "bob" }], changes.OfType<SessionOpened>());
        Assert.Equal(["ada", ""], changes.OfType<WillKept>().Select(kept => kept.User));
    }

    [Fact]
    public void A_file_of_a_newer_version_is_left_alone()
    {
        Open("test.db").Dispose();
        ReadingsFile.Query(_folder["test.db"], "PRAGMA user_version = 99");
        Assert.Contains("newer version", Assert.Throws<StoreException>(() => Open("test.db")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_file_is_one_clear_error()
    {
        using (var file = Open("test.db"))
            await CommitAsync(file, [.. Enumerable.Range(0, 5000).Select(number => new MessageQueued("c", number, new Message { Topic = "a" }, 1, false, null))]);
        await using (var stream = File.OpenWrite(_folder["test.db"]))
        {
            stream.Position = 8192;
            stream.Write([.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7))]);
        }
        var failure = Assert.Throws<StoreException>(() =>
        {
            using var damaged = Open("test.db");
            return damaged.Read().Count();
        });
        Assert.False(failure.MayHeal);
        Assert.Contains("is damaged", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static ValueTask CommitAsync(BrokerFile file, params Change[] changes) => file.CommitAsync(changes, TestContext.Current.CancellationToken);

    private BrokerFile Open(string name) => BrokerFile.Open(_folder[name], new ListLogger(), TimeProvider.System);

    private List<Change> Crash()
    {
        var copy = $"crash{_crashes++}.db";
        foreach (var suffix in new[] { "", "-wal" })
            File.Copy(_folder["test.db" + suffix], _folder[copy + suffix]);
        using var file = Open(copy);
        return [.. file.Read()];
    }
}

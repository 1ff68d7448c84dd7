using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Session;

/// <summary>What subscribers cost: the work is counted, so that one of them, or thousands that are away, do not slow the others.</summary>
public class FanOutTests
{
    private static readonly TimeSpan Now = TimeSpan.FromDays(20_000);

    [Fact]
    [Clause("MQTT-3.3.4-2", "MQTT-3.3.4-3", "MQTT-3.3.4-4")]
    public void Subscriptions_of_one_session_that_overlap_become_one_copy_with_the_highest_qos_and_all_identifiers()
    {
        var random = Seeds.Random();
        ClientSession[] sessions = [.. Enumerable.Range(0, 4).Select(i => Session($"{i}"))];
        var copies = new MergedCopies();
        for (var round = 0; round < 1000; round++)
        {
            var message = new Message { Topic = "a", Qos = random.Next(3), Retain = random.Next(2) == 0 };
            Subscription[] matches =
            [
                .. Enumerable.Range(0, random.Next(12)).Select(i => new Subscription(
                    sessions[random.Next(sessions.Length)], $"{i}", random.Next(3), NoLocal: false, random.Next(2) == 0, random.Next(2) == 0 ? [(uint)random.Next(1, 5)] : null)),
            ];
            copies.Clear();
            foreach (var match in matches)
                copies.Add(match, message);
            var expected = matches.GroupBy(match => match.Session).Select(own => (
                own.Key.ClientId,
                Qos: Math.Min(message.Qos, own.Max(match => match.Qos)),
                Retain: message.Retain && own.Any(match => match.RetainAsPublished),
                Identifiers: string.Join(' ', own.SelectMany(match => match.Identifiers ?? []))));
            Assert.Equal(expected, Enumerable.Range(0, copies.Count).Select(i => copies[i]).Select(copy =>
                (copy.Session.ClientId, copy.Outgoing.Qos, copy.Outgoing.Retain, string.Join(' ', copy.Outgoing.Identifiers ?? []))));
        }
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 8)] // Each identifier, once.
    public void A_thousand_filters_of_one_session_that_overlap_take_no_memory_but_for_their_identifiers(bool hasIdentifiers, int bytesAFilter)
    {
        const int filters = 1000;
        var session = Session("s");
        Subscription[] matches = [.. Enumerable.Range(1, filters).Select(i => new Subscription(session, $"{i}", 1, NoLocal: false, RetainAsPublished: false, hasIdentifiers ? [(uint)i] : null))];
        var (copies, message) = (new MergedCopies(), new Message { Topic = "a", Qos = 1 });
        Assert.Equal(hasIdentifiers ? filters : 0, Merge().Identifiers?.Length ?? 0);
        Assert.InRange(Allocations.Of(() => Merge()), 0, bytesAFilter * filters);

        Outgoing Merge()
        {
            copies.Clear();
            foreach (var match in matches)
                copies.Add(match, message);
            return copies[0].Outgoing;
        }
    }

    [Fact]
    public void A_topic_that_a_thousand_filters_match_is_looked_for_once_until_subscriptions_change()
    {
        var (subscribers, session) = (new SubscriptionIndex(), Session("s"));
        for (var i = 0; i < 1024; i++)
            subscribers.Set(Subscription(session, string.Join('/', Enumerable.Range(0, 10).Select(level => (i >> level) % 2 == 0 ? "+" : "a"))));
        var topic = string.Join('/', Enumerable.Repeat("a", 10));
        for (var i = 0; i < 100; i++)
            Assert.Equal(1, subscribers.Find(topic, out _).Length);
        Assert.InRange(subscribers.Steps, 1024, 3000);

        subscribers.Set(Subscription(Session("other"), "a/#"));
        Assert.Equal(2, subscribers.Find(topic, out _).Length);
        subscribers.Remove(session, topic);
        Assert.Equal((1024, 2), (subscribers.Count, subscribers.Find(topic, out _).Length));
        Assert.InRange(subscribers.Steps, 3 * 1024, 3 * 3000);
    }

    [Fact]
    public void Who_is_due_a_message_is_what_plain_matching_says_whatever_was_remembered()
    {
        var random = Seeds.Random();
        var subscribers = new SubscriptionIndex();
        ClientSession[] sessions = [.. Enumerable.Range(0, 3).Select(i => Session($"{i}"))];
        var present = new Dictionary<(ClientSession Session, string Filter), Subscription>();
        for (var round = 0; round < 6000; round++)
        {
            var session = sessions[random.Next(sessions.Length)];
            var filter = string.Join('/', Enumerable.Range(0, 7).Select(_ => random.Next(3) == 0 ? "a" : "+"));
            filter = random.Next(10) == 0 ? $"$share/g{random.Next(3)}/{filter}" : filter;
            if (random.Next(6) == 0 && present.Remove((session, filter)))
                subscribers.Remove(session, filter);
            else if (round % 3 == 0)
                subscribers.Set(present[(session, filter)] = new Subscription(session, filter, random.Next(3), random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0 ? [(uint)random.Next(1, 9)] : null));

            var topic = string.Join('/', Enumerable.Range(0, 7).Select(_ => random.Next(8) == 0 ? "b" : "a"));
            var found = subscribers.Find(topic, out var groups).ToArray();
            var expected = present.Values.Where(one => !one.IsShared && PlainMatching.IsMatch(one.Filter, topic)).ToList();
            Assert.Equal(Summary(expected), Summary(found));
            Assert.Equal(
                present.Values.Where(one => one.IsShared && PlainMatching.IsMatch(one.Filter[(one.Filter.IndexOf('/', 7) + 1)..], topic)).Select(one => one.Filter).Distinct().Count(), groups.Length);
            Assert.Equal(present.Count, subscribers.Count);
        }

        // For the session itself, and for all others.
        static IEnumerable<string> Summary(IEnumerable<Subscription> subscriptions) => subscriptions.GroupBy(one => (one.Session.ClientId, one.NoLocal)).OrderBy(group => group.Key).Select(group =>
            $"{group.Key} {group.Max(one => one.Qos)} {group.Any(one => one.RetainAsPublished)} {string.Join(' ', group.SelectMany(one => one.Identifiers ?? []).Order())}");
    }

    [Fact]
    public void Many_identifiers_of_a_message_that_waits_count_as_its_memory()
    {
        var session = Session("s");
        session.Connected(Terms("s"), sessionPresent: false);
        var message = new Message { Topic = "a", Qos = 1 };
        session.Add(new Outgoing(message, 1, Retain: false, [5]), isBounded: false);
        var one = session.Fill.Bytes;
        session.Add(new Outgoing(message, 1, Retain: false, [.. Enumerable.Range(1, 1000).Select(i => (uint)i)]), isBounded: false);
        Assert.Equal((2 * one) + 4000, session.Fill.Bytes);
    }

    [Fact]
    public void What_is_due_is_found_without_looking_at_sessions_whose_time_has_not_come()
    {
        var deadlines = new Deadlines();
        ClientSession[] sessions = [.. Enumerable.Range(0, 30_000).Select(i => Session($"{i}"))];
        foreach (var session in sessions)
            deadlines.Set(session, Now + TimeSpan.FromDays(1));
        for (var i = 0; i < 1000; i++)
            Assert.Empty(deadlines.Due(Now, int.MaxValue));
        Assert.Equal(0, deadlines.Looks);

        deadlines.Set(sessions[7], Now - TimeSpan.FromSeconds(1));
        deadlines.Set(sessions[9], Now);
        deadlines.Set(sessions[11], Now);
        deadlines.Remove(sessions[11]);
        deadlines.Set(sessions[8], TimeSpan.MaxValue);
        Assert.Equal([sessions[7], sessions[9]], deadlines.Due(Now, int.MaxValue));
        Assert.Equal(3, deadlines.Looks);
        Assert.Equal([sessions[7]], deadlines.Due(Now, 1));
        Assert.Equal(29_998, deadlines.Due(TimeSpan.MaxValue, int.MaxValue).Count);
    }

    [Fact]
    public void Sessions_end_in_their_time_the_first_one_first_and_one_that_cannot_end_yet_is_postponed()
    {
        var table = new SessionRegistry(new SessionLimits(1, 1, 1, 1), new Journal(store: null), new DropCounters((_, _, _) => { }));
        for (var i = 0; i < 1000; i++)
            table.Restore($"{i}", [], [], Now + TimeSpan.FromSeconds(1000 - i));
        Assert.Empty(table.Over(Now, int.MaxValue));
        Assert.Equal(["999", "998", "997"], table.Over(Now + TimeSpan.FromSeconds(3), int.MaxValue).Select(session => session.ClientId));

        Assert.True(table.TryFind("999", out var blocked));
        table.Postpone(blocked, Now + TimeSpan.FromSeconds(10));
        Assert.True(table.IsOver(blocked, Now + TimeSpan.FromSeconds(3)));
        Assert.Equal(["998", "997"], table.Over(Now + TimeSpan.FromSeconds(3), int.MaxValue).Select(session => session.ClientId));
    }

    [Fact]
    public void A_shared_subscription_finds_the_one_member_that_is_here_without_asking_ten_thousand_that_are_away()
    {
        var asked = 0;
        var group = new SharedGroup();
        ClientSession[] sessions = [.. Enumerable.Range(0, 10_000).Select(i => Session($"{i}", _ => ++asked > 0))];
        foreach (var session in sessions)
            group.Set(Subscription(session));
        sessions[5000].Connected(Terms("5000"), sessionPresent: true);
        group.Returned(sessions[5000]);
        for (var i = 0; i < 100; i++)
            Assert.Same(sessions[5000], group.Choose("a").Session);
        Assert.Equal(100, asked);

        sessions[5000].Disconnected(Now);
        Assert.Equal(10_000, Enumerable.Range(0, 10_000).Select(_ => group.Choose("a").Session).Distinct().Count()); // Nobody is here: each has its turn.
        Assert.Equal(10_100, asked);
        Assert.All(sessions, session => Assert.True(group.Remove(session)));
        Assert.True(group.IsEmpty);
    }

    [Fact]
    public void A_shared_subscription_takes_turns_over_those_who_are_here_whoever_comes_and_goes()
    {
        var random = Seeds.Random();
        var group = new SharedGroup();
        ClientSession[] sessions = [.. Enumerable.Range(0, 10).Select(i => Session($"{i}"))];
        var members = new HashSet<ClientSession>();
        for (var round = 0; round < 2000; round++)
        {
            var session = sessions[random.Next(sessions.Length)];
            if (random.Next(3) == 0)
                Assert.Equal(members.Remove(session), group.Remove(session));
            else if (random.Next(2) == 0)
                Assert.Equal(members.Add(session), group.Set(Subscription(session)));
            else if (session.IsConnected)
                session.Disconnected(Now);
            else
                Connect(session);
            Assert.Equal(members.Count == 0, group.IsEmpty);
            var here = members.Where(member => member.IsConnected).ToHashSet();
            var due = here.Count > 0 ? here : members;
            Assert.Equal(due, Enumerable.Range(0, due.Count).Select(_ => group.Choose("a").Session).ToHashSet());
        }

        void Connect(ClientSession session)
        {
            session.Connected(Terms(session.ClientId), sessionPresent: true);
            group.Returned(session);
        }
    }

    [Fact]
    public void Thousands_of_members_that_may_not_read_a_topic_are_not_all_asked_for_each_message()
    {
        var asked = 0;
        var group = new SharedGroup();
        for (var i = 0; i < 10_000; i++)
            group.Set(Subscription(Session($"{i}", _ => ++asked < 0)));
        group.Choose("a");
        Assert.InRange(asked, 1, 300);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Messages_that_have_waited_in_vain_are_passed_over_in_slices(bool haveExpired)
    {
        const int messages = 10_000;
        var (asked, dropped) = (0, 0);
        var session = new ClientSession("s", new SessionLimits(1, 0, messages, long.MaxValue), new Journal(store: null), new DropCounters((_, _, count) => dropped += count), [], []);
        session.Permissions = Permissions.All with { MayRead = _ => ++asked < 0 };
        session.Connected(Terms("s"), sessionPresent: false);
        for (var i = 0; i < messages; i++)
            session.Add(new Outgoing(new Message { Topic = "a", ExpiresAt = haveExpired ? Now : null }, 0, Retain: false), isBounded: false);
        using var writer = new PacketWriter();
        var (slices, before) = (1, 0);
        for (; !session.Write(writer, Now, enough: 1000); slices++)
        {
            Assert.InRange(dropped - before, 1, 1024);
            before = dropped;
        }
        Assert.Equal((messages, 0), (dropped, writer.Length));
        Assert.InRange(slices, 9, 41);
    }

    private static ClientSession Session(string clientId, Func<string, bool>? mayRead = null)
    {
        var session = new ClientSession(clientId, new SessionLimits(1, 0, 1000, long.MaxValue), new Journal(store: null), new DropCounters((_, _, _) => { }), [], []);
        if (mayRead is not null)
            session.Permissions = Permissions.All with { MayRead = mayRead };
        return session;
    }

    private static Subscription Subscription(ClientSession session, string filter = "$share/g/a") => new(session, filter, 0, NoLocal: false, RetainAsPublished: false, Identifiers: null);

    private static Terms Terms(string clientId) => new(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = clientId, CleanStart = true }, 100, 0);
}

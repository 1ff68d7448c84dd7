using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Session;

public class SessionRegistryTests
{
    [Fact]
    public void Sessions_go_on_and_end_and_wills_are_published_when_a_plain_table_says_so()
    {
        var random = Seeds.Random();
        var registry = new SessionRegistry(new SessionLimits(1, 0, 1, 1), new Journal(store: null), new DropCounters((_, _, _) => { }));
        var model = new Dictionary<string, Entry>(StringComparer.Ordinal);
        var now = TimeSpan.Zero;
        for (var step = 0; step < 50_000; step++)
        {
            var id = $"c{random.Next(6)}";
            var entry = model.GetValueOrDefault(id);
            switch (random.Next(4))
            {
                case 0 when entry is not { IsHere: true }: // [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-3.1.2-6]
                    var cleanStart = random.Next(3) == 0;
                    var session = registry.Open(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = id, CleanStart = cleanStart }, id, user: null, now, out var will);
                    var isPresent = entry is not null && !cleanStart && now < entry.ExpiresAt;
                    Assert.Equal(isPresent, session == entry?.Session);
                    Assert.Equal(isPresent ? null : entry?.Will, will); // [MQTT-3.1.3-9]
                    model[id] = new Entry(session);
                    break;
                case 1 when entry is { IsHere: true }:
                    var (expiry, delay) = (TimeSpan.FromSeconds(random.Next(10)), random.Next(10));
                    var left = random.Next(2) == 0 ? null : registry.Keep(entry.Session, new Will("w", default, 0, Retain: false, new Properties(new Property(PropertyId.WillDelayInterval, (uint)delay))), Permissions.All);
                    registry.Leave(entry.Session, left, now + expiry, now);
                    var ends = now + expiry;
                    var due = now + TimeSpan.FromSeconds(delay);
                    model[id] = entry with { IsHere = false, ExpiresAt = ends, Will = left, WillAt = due < ends ? due : ends }; // [MQTT-3.1.2-8]
                    break;
                case 2:
                    now += TimeSpan.FromSeconds(random.Next(4));
                    break;
                default:
                    Assert.Equal(
                        model.Values.Where(one => one.Will is not null && one.WillAt <= now).Select(one => one.Session.ClientId).Order(StringComparer.Ordinal),
                        registry.Due(now).Select(one => one.Session.ClientId).Order(StringComparer.Ordinal));
                    foreach (var (key, one) in model.ToList())
                    {
                        if (one.WillAt <= now)
                            model[key] = one with { Will = null };
                    }
                    var over = model.Where(one => !one.Value.IsHere && one.Value.ExpiresAt <= now).Select(one => one.Key).ToList(); // [MQTT-3.1.2-23]
                    Assert.Equal(over.Order(StringComparer.Ordinal), registry.Over(now, int.MaxValue).Select(one => one.ClientId).Order(StringComparer.Ordinal));
                    foreach (var key in over)
                    {
                        Assert.True(registry.IsOver(model[key].Session, now));
                        registry.Remove(model[key].Session);
                        model.Remove(key);
                    }
                    break;
            }
            Assert.Equal(model.Count, registry.Count);
            Assert.Equal(model.ContainsKey(id), registry.TryFind(id, out _));
        }
    }

    private sealed record Entry(ClientSession Session)
    {
        public bool IsHere { get; init; } = true;

        public TimeSpan ExpiresAt { get; init; }

        public PendingWill? Will { get; init; }

        public TimeSpan WillAt { get; init; }
    }
}

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>Attacks by a user who subscribes or has sessions.</summary>
internal static class Subscribers
{
    private const string Fan = "fan";

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    public static IReadOnlyList<Attack> All { get; } =
    [
        new("filters", "140,000 filters in one SUBSCRIBE, 60,000 retained messages", "10,000 filters per packet; retained messages are searched in slices", FiltersAsync, RetainAsync),
        new("overlapping", "1,000 overlapping filters", "copies are made in slices", OverlappingAsync),
        new("deaf-20", "20 subscribers that never read", "--max-queued-bytes, --max-memory", (attacker, stop) => NeverReadAsync(attacker, 20, 20_000, 4096, stop)),
        new("deaf-1000", "1,000 subscribers that never read", "--max-queued-bytes, --max-memory", (attacker, stop) => NeverReadAsync(attacker, 1000, 20_000, 4096, stop)),
        new("deaf-large", "300 subscribers that never read, 40 messages of 1 MB", "a large payload is not copied for each subscriber", (attacker, stop) => NeverReadAsync(attacker, 300, 40, 1_000_000, stop)),
        new("sessions", "30,000 kept sessions", "connecting does not depend on their number", (_, _) => Task.CompletedTask, KeepSessionsAsync),
        new("take-overs", "300 take-overs during an outage of the store", "a session change waits for --connect-timeout at most", TakeOversAsync) { EndsService = true },
        new("deaths", "300 deaths with a will during an outage", "housekeeping waits for no queue", DeathsAsync, PrepareDeathsAsync) { EndsService = true },
    ];

    private static async Task RetainAsync(Attacker attacker, CancellationToken stop)
    {
        var connection = await attacker.LogInAsync("retainer", stop);
        await Attacker.PublishAsync(connection, attacker.Scaled(60_000), (i, id) => Packets.Publish($"kept/{i}", qos: 1, id, "1"u8, retain: true), stop);
    }

    private static async Task FiltersAsync(Attacker attacker, CancellationToken stop)
    {
        var connection = await attacker.LogInAsync("filters", stop);
        await Attacker.TryAsync(async () => await connection.SendAsync(Packets.Subscribe(Enumerable.Repeat("k/#", attacker.Scaled(140_000)), qos: 0), stop));
        // As many as are allowed, and these match.
        connection = await attacker.LogInAsync("filters", stop);
        await Attacker.TryAsync(async () => await connection.SendAsync(Packets.Subscribe(Enumerable.Repeat("kept/#", attacker.Scaled(10_000)), qos: 0), stop));
    }

    private static async Task OverlappingAsync(Attacker attacker, CancellationToken stop)
    {
        const int Together = 100;
        var connection = await attacker.LogInAsync("overlapping", stop);
        _ = Attacker.DrainAsync(connection, stop);
        var levels = GoodClient.Topic.Split('/');
        var filters = Enumerable.Range(0, attacker.Scaled(1000)).Select(number => string.Join('/', levels.Select((level, i) => (number >> i & 1) == 0 ? level : "+")));
        foreach (var some in filters.Chunk(Together))
            await connection.SendAsync(Packets.Subscribe(some, qos: 0), stop);
    }

    private static async Task NeverReadAsync(Attacker attacker, int count, int messages, int size, CancellationToken stop)
    {
        await Attacker.ManyAsync(attacker.Scaled(count), async (i, stopping) => await (await attacker.LogInAsync($"deaf{i}", stopping)).SendAsync(Packets.Subscribe([Fan], qos: 1), stopping), stop);
        var connection = await attacker.LogInAsync("fan", stop);
        var payload = new byte[size];
        await Attacker.TryAsync(() => Attacker.PublishAsync(connection, attacker.Scaled(messages), (_, id) => Packets.Publish(Fan, qos: 1, id, payload), stop));
    }

    private static Task KeepSessionsAsync(Attacker attacker, CancellationToken stop) => Attacker.ManyAsync(
        attacker.Scaled(30_000),
        async (i, stopping) =>
        {
            using var connection = await RawConnection.ConnectAsync(Target.Local(attacker.Server.MqttPort), Packets.Connect($"kept{i}", Attacker.User, expiry: 86_400), "kept", stopping);
        },
        stop);

    private static Task TakeOversAsync(Attacker attacker, CancellationToken stop) => DuringOutageAsync(
        attacker, () => Attacker.ManyAsync(attacker.Scaled(300), (_, stopping) => attacker.SendAsync(attacker.Server.MqttPort, Packets.Connect("again", Attacker.User, expiry: 3600), stopping), stop), stop);

    private static Task PrepareDeathsAsync(Attacker attacker, CancellationToken stop) => Attacker.ManyAsync(
        attacker.Scaled(300),
        async (i, stopping) =>
        {
            var packet = Packets.Connect($"dying{i}", Attacker.User, expiry: 3600, will: ($"wills/{i}", "dead"));
            attacker.Hold(await RawConnection.ConnectAsync(Target.Local(attacker.Server.MqttPort), packet, "dying", stopping));
        },
        stop);

    private static Task DeathsAsync(Attacker attacker, CancellationToken stop) => DuringOutageAsync(
        attacker,
        () =>
        {
            attacker.Release();
            return Task.CompletedTask;
        },
        stop);

    // Another program locks the file of sessions and queues.
    private static async Task DuringOutageAsync(Attacker attacker, Func<Task> work, CancellationToken stop)
    {
        using var file = new SqliteFile(attacker.Server.BrokerDatabase);
        while (!file.TryExecute("BEGIN IMMEDIATE"))
            await Task.Delay(Moment, attacker.Time, stop);
        await work();
        await Task.Delay(Outage, attacker.Time, stop);
        file.Execute("ROLLBACK");
    }
}

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>Attacks by a user who publishes.</summary>
internal static class Publishers
{
    private const int Mebibyte = 1 << 20;

    public static IReadOnlyList<Attack> All { get; } =
    [
        new("topics", "1.5 million topics at QoS 0", "--max-series", SeriesAsync),
        new("retained", "400 retained messages of 1 MB", "a quarter of --max-memory for retained messages", (attacker, stop) => PublishAsync(attacker, 400, (i, id) => Packets.Publish($"kept/{i}", qos: 1, id, new byte[Mebibyte - 100], retain: true), stop)),
        new("unreleased", "65,000 messages at QoS 2, never released", "--max-inflight", UnreleasedAsync),
        new("user-properties", "200 messages with 9,000 user properties", "properties have at most 128 KiB", (attacker, stop) => PublishAsync(attacker, 200, (i, id) => Packets.Publish("properties", qos: 1, id, "1"u8, userProperties: 9000), stop)),
        new("pings", "4.2 million PINGREQ", "no state per PINGREQ", PingsAsync),
        new("client-id", "client identifier of another user", "a session belongs to its user (0x87)", ClientIdentifierAsync),
        new("long-topics", "100 clients, 64 topics of 60,000 bytes each", "long topics are not remembered", LongTopicsAsync),
        new("wills", "5,000 wills of 60,000 bytes", "a sixteenth of --max-memory for wills", WillsAsync),
        new("will", "a will that is no longer allowed", "wills are checked again after a restart", WillAsync, PrepareWillAsync) { Terms = new(AccessList: Allowed + "topic write " + Secret + "\n") },
    ];

    private const string Secret = "secret/door";
    private const string Allowed = $"user {GoodClient.User}\ntopic readwrite #\nuser {Attacker.User}\ntopic write other\n";

    private static async Task SeriesAsync(Attacker attacker, CancellationToken stop)
    {
        const int Block = 1000;
        var connection = await attacker.LogInAsync("many-topics", stop);
        var count = attacker.Scaled(1_500_000);
        for (var i = 0; i < count; i += Block)
        {
            var block = Enumerable.Range(i, Math.Min(Block, count - i)).SelectMany(number => Packets.Publish($"{AttackedServer.Topic}/{number}", qos: 0, 0, "1"u8)).ToArray();
            await connection.SendAsync(block, stop);
        }
        await PongAsync(connection, stop);
    }

    private static async Task PublishAsync(Attacker attacker, int count, Func<int, int, byte[]> packet, CancellationToken stop) =>
        await Attacker.TryAsync(async () => await Attacker.PublishAsync(await attacker.LogInAsync("publisher", stop), attacker.Scaled(count), packet, stop));

    private static async Task UnreleasedAsync(Attacker attacker, CancellationToken stop)
    {
        var connection = await attacker.LogInAsync("unreleased", stop);
        _ = Attacker.DrainAsync(connection, stop);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(3), attacker.Time); // The server stops reading at some point.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, stop);
        try
        {
            for (var i = 1; i <= attacker.Scaled(65_000); i++)
                await connection.SendAsync(Packets.Publish("unreleased", qos: 2, i, new byte[1000]), either.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or TrialException && !stop.IsCancellationRequested)
        {
            // The server has closed the connection, or reads no further.
        }
    }

    private static async Task PingsAsync(Attacker attacker, CancellationToken stop)
    {
        var connection = await attacker.LogInAsync("pings", stop);
        var answers = Attacker.DrainAsync(connection, stop);
        await Attacker.TryAsync(() => Attacker.RepeatAsync(Packets.Ping, attacker.Scaled(4_200_000), block => connection.SendAsync(block, stop)));
        await Attacker.TryAsync(() => Task.WhenAny(answers, Task.Delay(TimeSpan.FromMilliseconds(100), attacker.Time, stop)));
    }

    private static async Task ClientIdentifierAsync(Attacker attacker, CancellationToken stop)
    {
        for (var i = 0; i < attacker.Scaled(100); i++)
        {
            if (await Attacker.TryAsync(() => attacker.LogInAsync(GoodClient.User, stop)))
                attacker.Find("another user got the session of the good client");
        }
    }

    private static Task LongTopicsAsync(Attacker attacker, CancellationToken stop)
    {
        var tail = new string('t', 60_000);
        return Attacker.ManyAsync(
            attacker.Scaled(100),
            async (i, stopping) =>
            {
                var connection = await attacker.LogInAsync($"long{i}", stopping);
                for (var number = 0; number < 64; number++)
                    await connection.SendAsync(Packets.Publish($"{i}/{number}/{tail}", qos: 0, 0, "1"u8), stopping);
                await PongAsync(connection, stopping);
            },
            stop);
    }

    private static Task WillsAsync(Attacker attacker, CancellationToken stop)
    {
        var payload = new string('w', 60_000);
        return Attacker.ManyAsync(
            attacker.Scaled(5000),
            async (i, stopping) =>
            {
                var packet = Packets.Connect($"will{i}", Attacker.User, will: ($"wills/{i}", payload));
                attacker.Hold(await RawConnection.ConnectAsync(Target.Local(attacker.Server.MqttPort), packet, "wills", stopping));
            },
            stop);
    }

    private static async Task PrepareWillAsync(Attacker attacker, CancellationToken stop)
    {
        var packet = Packets.Connect("will", Attacker.User, expiry: 3600, will: (Secret, "open"));
        attacker.Hold(await RawConnection.ConnectAsync(Target.Local(attacker.Server.MqttPort), packet, "will", stop));
        await attacker.Server.RestartAsync(() => attacker.Server.SetAccessList(Allowed), stop);
    }

    // The will is retained if it was published.
    private static async Task WillAsync(Attacker attacker, CancellationToken stop)
    {
        using var reader = await RawConnection.ConnectAsync(Target.Local(attacker.Server.MqttPort), Packets.Connect("reader", GoodClient.User), "reader", stop);
        await reader.SendAsync(Packets.Subscribe([Secret], qos: 0), stop);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(1), attacker.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, stop);
        try
        {
            while (true)
                await reader.ReadAsync((packet, _) => Look(packet[0]), either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // There is no will.
        }

        void Look(byte type)
        {
            if ((type & 0xF0) == PreparedPackets.Publish)
                attacker.Find("a will was published that its user may no longer publish");
        }
    }

    private static async Task PongAsync(RawConnection connection, CancellationToken stop)
    {
        const byte Pong = 0xD0;
        var isAnswered = false;
        await connection.SendAsync(Packets.Ping, stop);
        while (!isAnswered)
            await connection.ReadAsync((packet, _) => isAnswered |= packet[0] == Pong, stop);
    }
}

namespace Meanwhile.Mqtt.Bench;

/// <summary>The same load on one broker after the other, in turns, and the medians.</summary>
internal static class SideBySide
{
    private static readonly Scenario[] Scenarios =
    [
        new("8 publishers, QoS 1, 1,000 in flight each", Publishers: 8, Qos: 1, IsSubscribed: false),
        new("1 publisher, QoS 1, 1,000 in flight", Publishers: 1, Qos: 1, IsSubscribed: false),
        new("publisher to subscriber, QoS 0", Publishers: 1, Qos: 0, IsSubscribed: true),
        new("publisher to subscriber, QoS 1", Publishers: 1, Qos: 1, IsSubscribed: true),
        new("publisher to subscriber, QoS 2", Publishers: 1, Qos: 2, IsSubscribed: true),
    ];

    public static async Task RunAsync(TimeSpan duration, int rounds, BrokerProcess? other)
    {
        using var ours = BrokerProcess.Start("ours");
        using var held = BrokerProcess.Start("ours, held");
        using var mqttnet = BrokerProcess.Start("mqttnet");
        BrokerProcess[] brokers = other is null ? [ours, held, mqttnet] : [ours, held, mqttnet, other];
        foreach (var scenario in Scenarios)
        {
            var measured = brokers.ToDictionary(broker => broker.Name, _ => new List<(double Rate, double Cost)>(), StringComparer.Ordinal);
            for (var round = 0; round < rounds; round++)
            {
                foreach (var broker in brokers)
                    measured[broker.Name].Add(await MeasureAsync(broker, scenario, duration));
            }
            Console.WriteLine(scenario.Name);
            foreach (var (name, results) in measured)
            {
                var (rate, cost) = (Median(results.Select(r => r.Rate)), Median(results.Select(r => r.Cost)));
                Console.WriteLine($"  {name,-10} {rate,10:N0} messages/s  {cost,6:F2} µs of CPU a message");
            }
        }
    }

    private static async Task<(double Rate, double Cost)> MeasureAsync(BrokerProcess broker, Scenario scenario, TimeSpan duration)
    {
        var (counter, sent) = (new Counter(), new Counter());
        using var subscriber = scenario.IsSubscribed ? await RawPeer.ConnectAsync(broker.EndPoint, "subscriber") : null;
        if (subscriber is not null)
            await subscriber.SubscribeAsync(scenario.Qos);
        var receiving = subscriber?.ReceiveAsync(counter) ?? Task.CompletedTask;

        using var stop = new CancellationTokenSource();
        var publishers = new List<RawPeer>();
        for (var i = 0; i < scenario.Publishers; i++)
            publishers.Add(await RawPeer.ConnectAsync(broker.EndPoint, $"publisher{i}"));
        var publishing = publishers.Select(p => Task.Run(() => p.PublishAsync(scenario.Qos, 1000, scenario.IsSubscribed ? sent : counter, stop.Token))).ToList();
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None); // Compiled and warm.

        var (count, cpu, start) = (counter.Value, broker.ProcessorTime, TimeProvider.System.GetTimestamp());
        await Task.Delay(duration, TimeProvider.System, CancellationToken.None);
        var (counted, spent, elapsed) = (counter.Value - count, broker.ProcessorTime - cpu, TimeProvider.System.GetElapsedTime(start));
        await stop.CancelAsync();
        await Task.WhenAny(Task.WhenAll(publishing), Task.Delay(duration, TimeProvider.System, CancellationToken.None)); // At QoS 0 one may wait for TCP.
        publishers.ForEach(publisher => publisher.Dispose());
        subscriber?.Dispose();
        await receiving;
        return (counted / elapsed.TotalSeconds, spent.TotalMicroseconds / Math.Max(1, counted));
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);

    private sealed record Scenario(string Name, int Publishers, int Qos, bool IsSubscribed);
}

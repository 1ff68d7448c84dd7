namespace Meanwhile.Mqtt.Bench;

/// <summary>From one publisher to one subscriber, 1,000 messages under way.</summary>
internal static class PassThrough
{
    private const int InFlight = 1000;
    private const int BufferSize = 1 << 20;

    /// <summary>Measures one broker after the other.</summary>
    public static async Task RunAsync(string program, TimeSpan duration, int rounds)
    {
        using var folder = new Folder();
        using var ours = await Broker.OursAsync(program, folder.Path);
        using var mosquitto = await Broker.MosquittoAsync(folder.Path);
        using var mqttnet = await Broker.MqttNetAsync(folder.Path);
        for (var qos = 0; qos <= 2; qos++)
        {
            var report = new Report();
            for (var round = 0; round < rounds; round++)
            {
                foreach (var broker in (Broker[])[ours, mosquitto, mqttnet])
                    report.Add(broker.Name, await MeasureAsync(broker, qos, duration));
            }
            report.Print($"publisher to subscriber, QoS {qos}", mosquitto.Name);
        }
    }

    /// <summary>Measures one of them.</summary>
    public static Task<Result> MeasureAsync(Broker broker, int qos, TimeSpan duration)
    {
        var publisher = new PublishingPeer(broker.Port, "publisher", qos, InFlight) { WaitsForArrival = true };
        var subscriber = new SubscribingPeer(broker.Port, "subscriber", qos, BufferSize, publisher.Arrived);
        return ClientLoop.MeasureAsync(broker, [publisher, subscriber], duration, () => subscriber.Received);
    }
}

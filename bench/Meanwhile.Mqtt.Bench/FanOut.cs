namespace Meanwhile.Mqtt.Bench;

/// <summary>From one publisher to a thousand subscribers at QoS 0.</summary>
internal static class FanOut
{
    private const int Subscribers = 1000;
    private const int BufferSize = 64 * 1024;

    // More would make longer writes of what is measured by its many short ones.
    private static readonly int[] InFlight = [1, 20];

    /// <summary>Measures one broker after the other.</summary>
    public static async Task RunAsync(string program, TimeSpan duration, int rounds)
    {
        using var folder = new Folder();
        using var ours = await Broker.OursAsync(program, folder.Path);
        using var mosquitto = await Broker.MosquittoAsync(folder.Path);
        foreach (var inFlight in InFlight)
        {
            var report = new Report();
            for (var round = 0; round < rounds; round++)
            {
                foreach (var broker in (Broker[])[ours, mosquitto])
                    report.Add(broker.Name, await MeasureAsync(broker, inFlight, duration));
            }
            report.Print($"copies to {Subscribers:N0} subscribers, QoS 0, {inFlight} messages in flight", mosquitto.Name);
        }
    }

    private static Task<Result> MeasureAsync(Broker broker, int inFlight, TimeSpan duration)
    {
        var publisher = new PublishingPeer(broker.Port, "publisher", 0, inFlight, BufferSize) { WaitsForArrival = true };
        var (copies, messages) = (0L, 0L);
        List<SubscribingPeer> subscribers = [.. Enumerable.Range(0, Subscribers).Select(i => new SubscribingPeer(broker.Port, $"subscriber{i}", 0, BufferSize, Arrived))];
        return ClientLoop.MeasureAsync(broker, [publisher, .. subscribers], duration, () => copies);

        void Arrived(int count)
        {
            copies += count;
            if (copies / Subscribers == messages)
                return;
            publisher.Arrived((int)((copies / Subscribers) - messages));
            messages = copies / Subscribers;
        }
    }
}

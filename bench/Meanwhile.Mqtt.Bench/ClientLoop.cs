namespace Meanwhile.Mqtt.Bench;

/// <summary>Clients on one thread of their own, and what one broker made of them in a while.</summary>
internal static class ClientLoop
{
    /// <summary>How long one turn waits at most for something to do.</summary>
    public const int TurnMilliseconds = 10;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    /// <summary>Lets clients work: first until everything is compiled and warm, then for a measured while.</summary>
    /// <param name="broker">Whose they are.</param>
    /// <param name="peers">The clients.</param>
    /// <param name="duration">How long.</param>
    /// <param name="count">What is counted of them.</param>
    /// <param name="began">Told when what follows is measured.</param>
    public static async Task<Result> MeasureAsync(Broker broker, IReadOnlyList<Peer> peers, TimeSpan duration, Func<long> count, Action? began = null)
    {
        using var poller = new Poller();
        var result = await Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        foreach (var peer in peers)
            peer.Dispose();
        return result;

        Result Work()
        {
            foreach (var peer in peers)
                poller.Watch(peer);
            foreach (var publisher in peers.OfType<PublishingPeer>())
                publisher.Send();
            Turn(WarmUp);
            began?.Invoke();
            var (counted, cpu, own, start) = (count(), broker.Process.ProcessorTime.TotalSeconds, OwnCpu(), TimeProvider.System.GetTimestamp());
            Turn(duration);
            var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
            var messages = Math.Max(1, count() - counted);
            return new Result(messages / seconds, (broker.Process.ProcessorTime.TotalSeconds - cpu) * 1e6 / messages, (OwnCpu() - own) * 1e6 / messages);
        }

        void Turn(TimeSpan time)
        {
            var start = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(start) < time)
                poller.Turn(TurnMilliseconds);
        }
    }

    private static double OwnCpu() => Environment.CpuUsage.TotalTime.TotalSeconds;
}

/// <summary>What was measured.</summary>
/// <param name="Rate">Messages a second.</param>
/// <param name="Cost">The broker's processor time a message, in microseconds.</param>
/// <param name="LoadCost">Ours.</param>
internal sealed record Result(double Rate, double Cost, double LoadCost);

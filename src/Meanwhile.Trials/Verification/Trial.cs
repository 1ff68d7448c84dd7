using Meanwhile.Mqtt.Client;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Verification;

/// <summary>What a trial has shown.</summary>
/// <param name="Faults">What was done to the processes.</param>
/// <param name="Deliveries">What became of the messages.</param>
/// <param name="Redelivered">How many messages the broker has sent to the aggregator with DUP; null where nobody could count.</param>
internal sealed record TrialReport(InjectedFaults Faults, DeliveryChecker Deliveries, long? Redelivered);

/// <summary>Publishers with a known sequence, an aggregator and a broker, accidents, and then the account of every message.</summary>
/// <param name="options">What the program is put through.</param>
/// <param name="login">How a client logs in at a broker.</param>
/// <param name="stagnates">Told what does not change any more, and how many there are, when something that has to happen is given up.</param>
/// <param name="time">The clock.</param>
internal sealed class Trial(TrialOptions options, Func<Uri, ClientOptions> login, Action<string, long> stagnates, TimeProvider time)
{
    // What has to happen is waited for as long as something moves, and then so long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    private List<StoredReading> _lastRows = [];

    /// <summary>Runs it.</summary>
    /// <param name="progress">Told how much of all is done, from 0 to 1, and what is going on.</param>
    public async Task<TrialReport> RunAsync(Action<double, string> progress, CancellationToken stop)
    {
        await using var processes = new TrialProcesses(options, login, time);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await processes.StartAsync(stop);
        var results = new LastResults(login(processes.Broker) with { ClientId = options.ClientId("watch") }, options.StatsTopic);
        var watched = results.RunAsync(watching.Token);

        var faults = new FaultInjector(processes, options.Seed, time);
        while (faults.Faults.Kills < options.Kills)
        {
            progress(0.9 * faults.Faults.Kills / options.Kills, $"{faults.Faults.Kills} of {options.Kills} kills, {Messages(processes).Count()} messages");
            await faults.InjectAsync(stop);
        }
        await WaitForAsync("messages", () => Task.FromResult<(bool, long)>((Messages(processes).Count() >= options.Messages, Messages(processes).Count())), processes, stop);
        await HearOfEachAsync(processes, stop);
        progress(0.9, "waiting for the rest");
        await FinishPublishersAsync(processes, stop);
        await SettleAsync(processes, results, stop);
        await watching.CancelAsync();
        await watched;
        await processes.StopAggregatorAsync(stop);
        return new TrialReport(faults.Faults, await CheckAsync(processes, results, stop), processes.Redelivered);
    }

    // A result comes with a reading. What an aggregator had committed, but not published before it was killed, comes with the next one; and at QoS 0 the last one is not sent again.
    private async Task HearOfEachAsync(TrialProcesses processes, CancellationToken stop)
    {
        var before = (await LookAtRowsAsync(stop)).CountBy(row => row.Topic, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        await WaitForAsync("rows", HaveGrownAsync, processes, stop);

        async Task<(bool, long)> HaveGrownAsync()
        {
            var rows = (await LookAtRowsAsync(stop)).ToLookup(row => row.Topic, StringComparer.Ordinal);
            return (options.Topics.All(topic => rows[topic].Count() > before.GetValueOrDefault(topic)), _lastRows.Count);
        }
    }

    private async Task FinishPublishersAsync(TrialProcesses processes, CancellationToken stop)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var finishing = processes.FinishPublishersAsync(giveUp.Token);
        if (!await WaitForAsync("acknowledgements", () => Task.FromResult<(bool, long)>((finishing.IsCompleted, Messages(processes).Count(m => m.IsAcknowledged))), processes: null, stop))
            await giveUp.CancelAsync(); // Its account says what was not acknowledged.
        else
            await finishing;
    }

    private static IEnumerable<SentMessage> Messages(TrialProcesses processes) => Enumerable.Range(1, TrialOptions.Publishers).SelectMany(processes.SentBy);

    private async Task SettleAsync(TrialProcesses processes, LastResults results, CancellationToken stop)
    {
        await WaitForAsync("rows", IsSettledAsync, processes: null, stop);

        async Task<(bool, long)> IsSettledAsync()
        {
            var rows = (await LookAtRowsAsync(stop)).ToLookup(row => row.Topic, row => row.Number, StringComparer.Ordinal);
            var isSettled = options.Topics.Select((topic, i) => (Topic: topic, Sent: processes.SentBy(i + 1).Count))
                .All(s => Settlement.IsReached(Expectations.Of(options.Qos), s.Sent, rows[s.Topic], results.Of(s.Topic)));
            return (isSettled, _lastRows.Count);
        }
    }

    // Whether it has happened; and what grows until then.
    private async Task<bool> WaitForAsync(string what, Func<Task<(bool IsDone, long Count)>> look, TrialProcesses? processes, CancellationToken stop)
    {
        var (last, moved) = (-1L, time.GetTimestamp());
        while (await look() is { IsDone: false } current)
        {
            processes?.CheckAlive();
            if (current.Count != last)
                (last, moved) = (current.Count, time.GetTimestamp());
            if (time.GetElapsedTime(moved) >= Patience)
            {
                stagnates(what, last);
                return false;
            }
            await Task.Delay(LookInterval, time, stop);
        }
        return true;
    }

    private async Task<DeliveryChecker> CheckAsync(TrialProcesses processes, LastResults results, CancellationToken stop)
    {
        var sent = options.Topics.Select((topic, i) => (topic, Messages: processes.SentBy(i + 1))).ToDictionary(s => s.topic, s => s.Messages, StringComparer.Ordinal);
        return new DeliveryChecker(new Evidence(Expectations.Of(options.Qos), sent, await ReadRowsAsync(stop), processes.Redelivered, results.Of, TrialOptions.Windows));
    }

    private async Task<List<StoredReading>> LookAtRowsAsync(CancellationToken stop)
    {
        try
        {
            return _lastRows = await ReadRowsAsync(stop);
        }
        catch (TrialException)
        {
            return _lastRows; // A server that is away for a moment. At the end they are read once more.
        }
    }

    private async Task<List<StoredReading>> ReadRowsAsync(CancellationToken stop)
    {
        var topics = options.Topics.ToHashSet(StringComparer.Ordinal);
        List<StoredReading> rows = [];
        await StoreExport.ReadAsync(program: null, options.Database, options.Name, Path.Combine(options.Folder, "export.log"), rows.Add, stop);
        return [.. rows.Where(row => topics.Contains(row.Topic))];
    }
}

using Meanwhile.Mqtt.Client;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Verification;

/// <summary>What a trial has shown.</summary>
/// <param name="Casualties">What was done to the processes.</param>
/// <param name="Account">What became of the messages.</param>
/// <param name="Redelivered">How many messages the broker has sent to the aggregator with DUP; null where nobody could count.</param>
internal sealed record TrialReport(Casualties Casualties, Accounting Account, long? Redelivered);

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
        await using var cast = new Cast(options, time);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await cast.StartAsync(stop);
        var results = new LastResults(login(cast.Broker) with { ClientId = options.ClientId("watch") }, options.StatsTopic);
        var watched = results.RunAsync(watching.Token);

        var chaos = new Chaos(cast, options.Seed, time);
        while (chaos.Done.Kills < options.Kills)
        {
            progress(0.9 * chaos.Done.Kills / options.Kills, $"{chaos.Done.Kills} of {options.Kills} kills, {Messages(cast).Count()} messages");
            await chaos.StrikeAsync(stop);
        }
        await WaitForAsync("messages", () => Task.FromResult<(bool, long)>((Messages(cast).Count() >= options.Messages, Messages(cast).Count())), cast, stop);
        await HearOfEachAsync(cast, stop);
        progress(0.9, "waiting for the rest");
        await FinishPublishersAsync(cast, stop);
        await SettleAsync(cast, results, stop);
        await watching.CancelAsync();
        await watched;
        await cast.StopAggregatorAsync(stop);
        return new TrialReport(chaos.Done, await AccountAsync(cast, results, stop), cast.Redelivered);
    }

    // A result comes with a reading. What an aggregator had committed, but not published before it was killed, comes with the next one; and at QoS 0 the last one is not sent again.
    private async Task HearOfEachAsync(Cast cast, CancellationToken stop)
    {
        var before = (await LookAtRowsAsync(stop)).CountBy(row => row.Topic, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        await WaitForAsync("rows", HaveGrownAsync, cast, stop);

        async Task<(bool, long)> HaveGrownAsync()
        {
            var rows = (await LookAtRowsAsync(stop)).ToLookup(row => row.Topic, StringComparer.Ordinal);
            return (options.Topics.All(topic => rows[topic].Count() > before.GetValueOrDefault(topic)), _lastRows.Count);
        }
    }

    private async Task FinishPublishersAsync(Cast cast, CancellationToken stop)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var finishing = cast.FinishPublishersAsync(giveUp.Token);
        if (!await WaitForAsync("acknowledgements", () => Task.FromResult<(bool, long)>((finishing.IsCompleted, Messages(cast).Count(m => m.IsAcknowledged))), cast: null, stop))
            await giveUp.CancelAsync(); // Its account says what was not acknowledged.
        else
            await finishing;
    }

    private static IEnumerable<SentMessage> Messages(Cast cast) => Enumerable.Range(1, TrialOptions.Publishers).SelectMany(cast.SentBy);

    private async Task SettleAsync(Cast cast, LastResults results, CancellationToken stop)
    {
        await WaitForAsync("rows", IsSettledAsync, cast: null, stop);

        async Task<(bool, long)> IsSettledAsync()
        {
            var rows = (await LookAtRowsAsync(stop)).ToLookup(row => row.Topic, row => row.Number, StringComparer.Ordinal);
            var isSettled = options.Topics.Select((topic, i) => (Topic: topic, Sent: cast.SentBy(i + 1).Count))
                .All(s => Settlement.IsReached(Expectations.Of(options.Qos), s.Sent, rows[s.Topic], results.Of(s.Topic)));
            return (isSettled, _lastRows.Count);
        }
    }

    // Whether it has happened; and what grows until then.
    private async Task<bool> WaitForAsync(string what, Func<Task<(bool IsDone, long Count)>> look, Cast? cast, CancellationToken stop)
    {
        var (last, moved) = (-1L, time.GetTimestamp());
        while (await look() is { IsDone: false } current)
        {
            cast?.CheckAlive();
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

    private async Task<Accounting> AccountAsync(Cast cast, LastResults results, CancellationToken stop)
    {
        var sent = options.Topics.Select((topic, i) => (topic, Messages: cast.SentBy(i + 1))).ToDictionary(s => s.topic, s => s.Messages, StringComparer.Ordinal);
        return new Accounting(new Evidence(Expectations.Of(options.Qos), sent, await ReadRowsAsync(stop), cast.Redelivered, results.Of, TrialOptions.Windows));
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

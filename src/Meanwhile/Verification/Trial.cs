using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Stores;
using Meanwhile.Terminal;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Verification;

/// <summary>What a trial has shown.</summary>
/// <param name="Casualties">What was done to the processes.</param>
/// <param name="Account">What became of the messages.</param>
/// <param name="Redelivered">How many messages the broker has sent to the aggregator with DUP; null where nobody could count.</param>
internal sealed record TrialReport(Casualties Casualties, Accounting Account, long? Redelivered);

/// <summary>Publishers with a known sequence, an aggregator and a broker, accidents, and then the account of every message.</summary>
internal sealed class Trial(TrialOptions options, string? userName, byte[]? password, ILogger logger, TimeProvider time)
{
    // What has to happen is waited for as long as something moves, and then so long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    private List<Reading> _lastRows = [];

    /// <summary>Runs it.</summary>
    public async Task<TrialReport> RunAsync(IProgress<WorkProgress> progress, CancellationToken stop)
    {
        await using var cast = new Cast(options, time);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await cast.StartAsync(stop);
        var watcher = new BrokerSettings(cast.Broker, options.ClientId("watch"), userName, password);
        var results = new LastResults(watcher, options.StatsTopic, time);
        var watched = results.RunAsync(watching.Token);

        var chaos = new Chaos(cast, options.Seed, time);
        while (chaos.Done.Kills < options.Kills)
        {
            progress.Report(new(0.9 * chaos.Done.Kills / options.Kills, $"{chaos.Done.Kills} of {options.Kills} kills, {Messages(cast).Count()} messages"));
            await chaos.StrikeAsync(stop);
        }
        await WaitForAsync("messages", () => Messages(cast).Count() >= options.Messages, () => Messages(cast).Count(), cast, stop);
        await HearOfEachAsync(cast, stop);
        progress.Report(new(0.9, "waiting for the rest"));
        await FinishPublishersAsync(cast, stop);
        await SettleAsync(cast, results, stop);
        await watching.CancelAsync();
        await watched;
        await cast.StopAggregatorAsync(stop);
        return new TrialReport(chaos.Done, Account(cast, results), cast.Redelivered);
    }

    // A result comes with a reading. What an aggregator had committed, but not published before it was killed, comes with the next one; and at QoS 0 the last one is not sent again.
    private async Task HearOfEachAsync(Cast cast, CancellationToken stop)
    {
        var before = LookAtRows().CountBy(row => row.Series, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        await WaitForAsync("rows", HaveGrown, () => LookAtRows().Count, cast, stop);

        bool HaveGrown()
        {
            var rows = LookAtRows().ToLookup(row => row.Series, StringComparer.Ordinal);
            return options.Topics.All(topic => rows[topic].Count() > before.GetValueOrDefault(topic));
        }
    }

    private async Task FinishPublishersAsync(Cast cast, CancellationToken stop)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var finishing = cast.FinishPublishersAsync(giveUp.Token);
        if (!await WaitForAsync("acknowledgements", () => finishing.IsCompleted, () => Messages(cast).Count(m => m.IsAcknowledged), cast: null, stop))
            await giveUp.CancelAsync(); // Its account says what was not acknowledged.
        else
            await finishing;
    }

    private static IEnumerable<SentMessage> Messages(Cast cast) => Enumerable.Range(1, TrialOptions.Publishers).SelectMany(cast.SentBy);

    private async Task SettleAsync(Cast cast, LastResults results, CancellationToken stop)
    {
        await WaitForAsync("rows", IsSettled, () => LookAtRows().Count, cast: null, stop);

        bool IsSettled()
        {
            var rows = LookAtRows().ToLookup(row => row.Series, row => row.Value, StringComparer.Ordinal);
            return options.Topics.Select((topic, i) => (Topic: topic, Sent: cast.SentBy(i + 1).Count))
                .All(s => Settlement.IsReached(Expectations.Of(options.Qos), s.Sent, rows[s.Topic], results.Of(s.Topic)));
        }
    }

    private async Task<bool> WaitForAsync(string what, Func<bool> condition, Func<long> movement, Cast? cast, CancellationToken stop)
    {
        var (last, moved) = (movement(), time.GetTimestamp());
        while (!condition())
        {
            cast?.CheckAlive();
            await Task.Delay(LookInterval, time, stop);
            var current = movement();
            if (current != last)
                (last, moved) = (current, time.GetTimestamp());
            if (time.GetElapsedTime(moved) < Patience)
                continue;
            Log.Stagnates(logger, what, last);
            return false;
        }
        return true;
    }

    private Accounting Account(Cast cast, LastResults results)
    {
        var sent = options.Topics.Select((topic, i) => (topic, Messages: cast.SentBy(i + 1))).ToDictionary(s => s.topic, s => s.Messages, StringComparer.Ordinal);
        return new Accounting(new Evidence(
            Expectations.Of(options.Qos), sent, ReadRows(), cast.Redelivered, results.Of, TrialOptions.Windows));
    }

    private List<Reading> LookAtRows()
    {
        try
        {
            return _lastRows = ReadRows();
        }
        catch (StoreException e) when (e.MayHeal)
        {
            return _lastRows; // A server that is away for a moment.
        }
    }

    private List<Reading> ReadRows()
    {
        var topics = options.Topics.ToHashSet(StringComparer.Ordinal);
        using var store = Store.OpenForReading(options.Database, unnamedSeries: "");
        return [.. store.ReadReadings(0, long.MaxValue).Where(row => topics.Contains(row.Series))];
    }
}

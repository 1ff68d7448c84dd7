namespace Meanwhile.Trials.Verification;

/// <summary>What has befallen the processes of a trial so far.</summary>
internal sealed record Casualties
{
    public int AggregatorKills { get; set; }

    public int PublisherKills { get; set; }

    public int Cuts { get; set; }

    public int BrokerRestarts { get; set; }

    public int StoreCuts { get; set; }

    public int Kills => AggregatorKills + PublisherKills;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Kills} (aggregator {AggregatorKills}, publishers {PublisherKills}); connections cut {Cuts} times; broker restarted {BrokerRestarts} times"
        + (StoreCuts == 0 ? "" : $"; store cut off {StoreCuts} times");
}

/// <summary>Kills processes and cuts connections at random moments. The same seed gives the same accidents in the same order.</summary>
internal sealed class Chaos(Cast cast, int seed, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Random _random = new(seed);
    private bool _aggregatorWasCutOff;

    /// <summary>What was done.</summary>
    public Casualties Done { get; } = new();

    /// <summary>Lets something happen after a moment.</summary>
    public async Task StrikeAsync(CancellationToken stop)
    {
        // Some accidents happen to an aggregator that is still starting; most to one that is at work.
        if (_random.Next(4) > 0)
            await cast.AggregatorIsReadyAsync(stop);
        await Task.Delay(LongestPause * _random.NextDouble(), time, stop);
        cast.CheckAlive();
        switch (_random.Next(20))
        {
            case < 3 when cast.CanCutPublishers:
                cast.CutPublishers();
                Done.Cuts++;
                break;
            case < 6 when cast.CanCutAggregator && !_aggregatorWasCutOff: // Again and again would look like another client with the same id.
                cast.CutAggregator();
                Done.Cuts++;
                _aggregatorWasCutOff = true;
                break;
            case < 7 when cast.CanRestartBroker && !_aggregatorWasCutOff:
                await cast.RestartBrokerAsync(stop);
                Done.BrokerRestarts++;
                _aggregatorWasCutOff = true;
                break;
            case < 11:
                await cast.KillPublisherAsync(_random.Next(TrialOptions.Publishers) + 1, stop);
                Done.PublisherKills++;
                break;
            case > 16 when cast.CanCutStore:
                Done.StoreCuts += await cast.CutStoreAsync(stop) ? 1 : 0;
                break;
            default:
                await cast.KillAggregatorAsync(stop);
                Done.AggregatorKills++;
                _aggregatorWasCutOff = false;
                break;
        }
    }
}

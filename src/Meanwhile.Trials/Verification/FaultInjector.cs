namespace Meanwhile.Trials.Verification;

/// <summary>What has befallen the processes of a trial so far.</summary>
internal sealed record InjectedFaults
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
internal sealed class FaultInjector(TrialProcesses processes, int seed, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Random _random = new(seed);
    private bool _aggregatorWasCutOff;

    /// <summary>What was done.</summary>
    public InjectedFaults Faults { get; } = new();

    /// <summary>Lets something happen after a moment.</summary>
    public async Task InjectAsync(CancellationToken stop)
    {
        // Some accidents happen to an aggregator that is still starting; most to one that is at work.
        if (_random.Next(4) > 0)
            await processes.AggregatorIsReadyAsync(stop);
        await Task.Delay(LongestPause * _random.NextDouble(), time, stop);
        processes.CheckAlive();
        switch (_random.Next(20))
        {
            case < 3 when processes.CanCutPublishers:
                processes.CutPublishers();
                Faults.Cuts++;
                break;
            case < 6 when processes.CanCutAggregator && !_aggregatorWasCutOff: // Again and again would look like another client with the same id.
                processes.CutAggregator();
                Faults.Cuts++;
                _aggregatorWasCutOff = true;
                break;
            case < 7 when processes.CanRestartBroker && !_aggregatorWasCutOff:
                await processes.RestartBrokerAsync(stop);
                Faults.BrokerRestarts++;
                _aggregatorWasCutOff = true;
                break;
            case < 11:
                await processes.KillPublisherAsync(_random.Next(TrialOptions.Publishers) + 1, stop);
                Faults.PublisherKills++;
                break;
            case > 16 when processes.CanCutStore:
                Faults.StoreCuts += await processes.CutStoreAsync(stop) ? 1 : 0;
                break;
            default:
                await processes.KillAggregatorAsync(stop);
                Faults.AggregatorKills++;
                _aggregatorWasCutOff = false;
                break;
        }
    }
}

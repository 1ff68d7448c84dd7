using Meanwhile.Mqtt.Client;
using Meanwhile.Trials.Processes;
using Npgsql;

namespace Meanwhile.Trials.Verification;

/// <summary>The processes of a trial, and the connections between them: started, killed, cut and started again.</summary>
internal sealed class TrialProcesses : IAsyncDisposable
{
    private readonly TrialOptions _options;
    private readonly Func<Uri, ClientOptions> _login;
    private readonly TimeProvider _time;
    private readonly MosquittoProcess? _mosquitto;
    private readonly Uri _broker;
    private readonly CuttingProxy? _toPublishers;
    private readonly CuttingProxy? _toAggregator;
    private readonly ChildProcess?[] _publishers = new ChildProcess?[TrialOptions.Publishers];
    private ChildProcess? _aggregator;
    private PahoPublisher? _paho;

    public TrialProcesses(TrialOptions options, Func<Uri, ClientOptions> login, TimeProvider time)
    {
        (_options, _login, _time) = (options, login, time);
        _mosquitto = options.OwnMosquitto ? new MosquittoProcess(options.Folder, time, MosquittoProcess.Durable(options.Folder)) : null;
        _broker = options.Broker ?? new Uri($"mqtt://127.0.0.1:{_mosquitto?.Port ?? Loopback.FreePort()}");
        if (_broker.Scheme != "mqtt")
            return; // Certificates and paths are bound to the broker's own name.
        _toPublishers = new CuttingProxy(_broker.DnsSafeHost, _broker.Port);
        _toAggregator = options.IsEmbedded ? null : new CuttingProxy(_broker.DnsSafeHost, _broker.Port);
    }

    /// <summary>The broker itself.</summary>
    public Uri Broker => _broker;

    /// <summary>Connections of publishers can be cut.</summary>
    public bool CanCutPublishers => _toPublishers is not null;

    /// <summary>The connection of the aggregator can be cut.</summary>
    public bool CanCutAggregator => _toAggregator is not null;

    /// <summary>The broker can be started again.</summary>
    public bool CanRestartBroker => _mosquitto is not null;

    /// <summary>The aggregator's connection to its store can be cut.</summary>
    public bool CanCutStore => _options.DatabaseServer is not null;

    /// <summary>How many messages the broker has sent to the aggregator with DUP; null where nobody could count.</summary>
    public long? Redelivered => _options.IsEmbedded ? 0 : _toAggregator?.Redelivered;

    private string ReadyFile => Path.Combine(_options.Folder, "ready");

    /// <summary>Starts everything: publishers when the aggregator is subscribed.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        if (_options.WithPaho)
            _paho = await PahoPublisher.FindAsync(_options.Folder, stop);
        if (_mosquitto is not null)
            await _mosquitto.StartAsync(stop);
        StartAggregator();
        await AggregatorIsReadyAsync(stop);
        for (var number = 1; number <= TrialOptions.Publishers; number++)
            StartPublisher(number, count: null);
    }

    /// <summary>Kills the aggregator, and starts it again.</summary>
    public async Task KillAggregatorAsync(CancellationToken stop)
    {
        await _aggregator!.KillAsync(stop);
        _aggregator.Dispose();
        StartAggregator();
    }

    /// <summary>Waits until the aggregator is connected and subscribed.</summary>
    public async Task AggregatorIsReadyAsync(CancellationToken stop)
    {
        while (!File.Exists(ReadyFile))
        {
            CheckAlive();
            await Task.Delay(TimeSpan.FromMilliseconds(20), _time, stop);
        }
    }

    /// <summary>Kills a publisher, and starts it again.</summary>
    public async Task KillPublisherAsync(int number, CancellationToken stop)
    {
        await _publishers[number - 1]!.KillAsync(stop);
        StartPublisher(number, count: null);
    }

    /// <summary>Resets the connections of all publishers.</summary>
    public void CutPublishers() => _toPublishers!.Cut();

    /// <summary>Resets the aggregator's connection.</summary>
    public void CutAggregator() => _toAggregator!.Cut();

    /// <summary>Ends the session of the aggregator at its store, whatever that is doing.</summary>
    /// <returns>False when there was none.</returns>
    public async Task<bool> CutStoreAsync(CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(_options.DatabaseServer);
        try
        {
            await connection.OpenAsync(stop);
            await using var end = new NpgsqlCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1", connection)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = $"meanwhile %: process {_aggregator!.Id} on %" } },
            };
            return await end.ExecuteScalarAsync(stop) is not null;
        }
        catch (NpgsqlException)
        {
            return false; // The server is away.
        }
    }

    /// <summary>Stops the broker in good order, and starts it again.</summary>
    public async Task RestartBrokerAsync(CancellationToken stop)
    {
        await _mosquitto!.StopAsync(stop);
        await _mosquitto.StartAsync(stop);
    }

    /// <summary>Lets the publishers finish what they have begun, and send one more message, for which the last results are published.</summary>
    public async Task FinishPublishersAsync(CancellationToken stop)
    {
        await Task.WhenAll(_publishers.Select(publisher => publisher!.StopAsync(stop)));
        for (var number = 1; number <= TrialOptions.Publishers; number++)
            StartPublisher(number, count: 1);
        await Task.WhenAll(_publishers.Select(publisher => publisher!.ExitAsync(stop)));
        CheckExitCodes();
    }

    /// <summary>Stops the aggregator in good order.</summary>
    public async Task StopAggregatorAsync(CancellationToken stop)
    {
        if (await _aggregator!.StopAsync(stop) != 0)
            throw new TrialException($"the aggregator did not stop in good order ({_aggregator.Ending})");
    }

    /// <summary>What a publisher has sent so far.</summary>
    public List<SentMessage> SentBy(int number) => PublisherLog.Read(LogOf(number));

    /// <summary>Sees to it that no process has ended by itself.</summary>
    /// <exception cref="TrialException">One has.</exception>
    public void CheckAlive()
    {
        if (_aggregator!.HasExited)
            throw new TrialException($"the aggregator has ended by itself ({_aggregator.Ending})");
        if (Array.Find(_publishers, publisher => publisher?.HasExited == true) is { } ended)
            throw new TrialException($"a publisher has ended by itself ({ended.Ending})");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var publisher in _publishers)
            publisher?.Dispose();
        _aggregator?.Dispose();
        _mosquitto?.Dispose();
        foreach (var proxy in new[] { _toPublishers, _toAggregator })
        {
            if (proxy is not null)
                await proxy.DisposeAsync();
        }
    }

    private void CheckExitCodes()
    {
        foreach (var publisher in _publishers)
        {
            if (publisher!.ExitCode != 0)
                throw new TrialException($"a publisher has failed ({publisher.Ending})");
        }
    }

    private void StartAggregator()
    {
        File.Delete(ReadyFile);
        var broker = _options.IsEmbedded ? $"embedded://{_broker.Host}:{_broker.Port}" : _toAggregator?.Address ?? _broker.OriginalString;
        _aggregator = ChildProcess.StartMeanwhile(null, Path.Combine(_options.Folder, "aggregate.log"), _options.AggregatorArguments(broker, ReadyFile));
    }

    private void StartPublisher(int number, int? count)
    {
        _publishers[number - 1]?.Dispose();
        var log = Path.Combine(_options.Folder, $"publish-{number}.log");
        var broker = _toPublishers is null ? _broker : new Uri($"mqtt://{_toPublishers.Address}");
        _publishers[number - 1] = _paho is null
            ? ChildProcess.StartMeanwhile(null, log, _options.PublisherArguments(number, broker, LogOf(number), count))
            : _paho.Start(log, _options.PahoArguments(number, broker, LogOf(number), count), _login(_broker));
    }

    private string LogOf(int number) => Path.Combine(_options.Folder, $"sent-{number}");
}

using System.Text;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Starts brokers, this program and what it is compared with, each a process of its own, and ends them.</summary>
internal sealed class BenchEnvironment(BenchOptions options, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(5);

    private readonly List<Competitor> _competitors = [];
    private readonly List<string> _heralded = [];
    private MosquittoProcess? _mosquitto;
    private ChildProcess? _brokerProcess;
    private Target? _broker;
    private int _number;

    public BenchOptions Options => options;

    public TimeProvider Time => time;

    /// <summary>Stores for the time of the scenario.</summary>
    public ScratchStores Stores { get; } = new(options, time);

    /// <summary>The disk on which a store's file would be.</summary>
    public string DiskFolder => options.HasFile && options.Database is { } file ? Path.GetDirectoryName(Path.GetFullPath(file))! : options.Folder;

    /// <summary>The builds to measure, with their names.</summary>
    public IEnumerable<(string Name, string? Program)> Programs => options.Programs.Count > 1
        ? options.Programs.Select((program, i) => ($"{ProgramName} ({i + 1})", (string?)program))
        : [(ProgramName, options.Programs.Count == 0 ? null : options.Programs[0])];

    /// <summary>Which build is which, where there are several.</summary>
    public IEnumerable<string> ProgramNotes => options.Programs.Count > 1 ? options.Programs.Select((program, i) => $"({i + 1}) is {program}") : [];

    private string ProgramName => options.IsEmbedded ? "aggregate with its broker" : "aggregate";

    /// <summary>A topic that nobody else uses.</summary>
    public string NewTopic() => $"bench/{Guid.NewGuid().ToString("n")[..8]}/{++_number}";

    /// <summary>The broker alone, without this program's data path: the embedded one as <c>meanwhile broker</c>, or the one that was chosen.</summary>
    public async Task<Target> BrokerAsync(CancellationToken stop)
    {
        if (_broker is not null)
            return _broker;
        if (options.OwnMosquitto)
        {
            _mosquitto = new MosquittoProcess(options.Folder, time, MosquittoProcess.Durable(options.Folder));
            await _mosquitto.StartAsync(stop);
            return _broker = Target.Local(_mosquitto.Port);
        }
        if (options.Broker is { } broker)
            return _broker = broker;
        var port = Loopback.FreePort();
        _brokerProcess = ChildProcess.StartMeanwhile(options.Programs.Count > 0 ? options.Programs[0] : null, Path.Combine(options.Folder, "broker.log"), ["broker", "--listen", $"127.0.0.1:{port}", "--db", Path.Combine(options.Folder, $"broker-{port}.db")]);
        await ListensAsync(port, _brokerProcess, stop);
        return _broker = Target.Local(port);
    }

    /// <summary>A bare reader in the place of a broker.</summary>
    public async Task<Competitor> LoopbackAsync(LoadOptions load, CancellationToken stop)
    {
        var port = Loopback.FreePort();
        var competitor = Keep((tell, log) => ChildProcess.StartMeanwhile(null, log, ["bench", "reader", "--listen", $"127.0.0.1:{port}"], tell), "loopback", RowKind.Floor, brokerCpu: null);
        await ListensAsync(port, competitor.Process, stop);
        competitor.Connect(await LoadGenerator.ConnectAsync(Target.Local(port), load, time, stop), results: null);
        return competitor;
    }

    /// <summary>This program.</summary>
    /// <param name="program">Another build of it; null for this one.</param>
    /// <param name="rows">In the store already.</param>
    public async Task<Competitor> ProgramAsync(string name, string? program, LoadOptions load, long rows, Action<long>? moved, CancellationToken stop)
    {
        var database = await Stores.NewAsync(stop);
        var before = await Stores.FillAsync(program, database, load.Topic, rows, stop);
        var started = await StartProgramAsync(name, program, load.Topic, database, stop);
        var (competitor, broker) = (started.Competitor, started.Broker);
        competitor.Connect(
            await LoadGenerator.ConnectAsync(broker, load, time, stop),
            await ResultReader.StartAsync(broker, ResultsOf(load.Topic), load.Series, moved, stop));
        competitor.Before = before;
        competitor.Check = stopping => CheckAsync(competitor, program, database, before, started.Log, stopping);
        return competitor;
    }

    /// <summary>Starts this program, and waits until it takes messages in.</summary>
    public async Task<(Competitor Competitor, Target Broker, string Log)> StartProgramAsync(string name, string? program, string topic, string database, CancellationToken stop)
    {
        var ready = Path.Combine(options.Folder, $"ready-{++_number}");
        var port = options.IsEmbedded ? Loopback.FreePort() : 0;
        var broker = options.IsEmbedded ? Target.Local(port) : await BrokerAsync(stop);
        var logPath = "";
        var competitor = Keep(
            (_, log) => ChildProcess.StartMeanwhile(
                program,
                logPath = log,
                [
                    "aggregate", "--broker", options.IsEmbedded ? $"embedded://127.0.0.1:{port}" : broker.ToString(), "--topic", PublishTemplate.FilterOf(topic), "--stats-topic", ResultsOf(topic),
                    "--stats", "count", "--db", database, "--client-id", topic.Replace('/', '-'), "--ready-file", ready,
                    .. options is { IsEmbedded: true, HasFile: false } ? ["--broker-db", Path.Combine(options.Folder, $"sessions-{port}.db")] : (string[])[],
                ]),
            name, RowKind.Program, options.IsEmbedded ? null : BrokerCpu());
        while (!File.Exists(ready))
            await LookAgainAsync(competitor.Process, stop);
        return (competitor, broker, logPath);
    }

    /// <summary>A subscriber of the broker.</summary>
    /// <param name="program">Null for this one.</param>
    /// <param name="environment">Variables for it.</param>
    /// <param name="publishesResults">It publishes a result for each message, by which it is followed; otherwise it writes a byte to standard output for each.</param>
    public async Task<Competitor> SubscriberAsync(
        string name, RowKind kind, string? program, Func<Target, IEnumerable<string>> arguments, Func<Target, IEnumerable<(string, string)>>? environment, bool publishesResults, LoadOptions load, CancellationToken stop)
    {
        var broker = await BrokerAsync(stop);
        var results = publishesResults ? await ResultReader.StartAsync(broker, ResultsOf(load.Topic), 1, moved: null, stop) : null;
        await HeraldAsync(broker, load.Topic, $$"""{"number": 1, "epochtime": "{{time.GetUtcNow().ToUnixTimeSeconds()}}"}""", stop);
        _heralded.Add(load.Topic);
        var competitor = Keep(
            (tell, log) => program is null
                ? ChildProcess.StartMeanwhile(null, log, arguments(broker), tell)
                : ChildProcess.Start(program, log, arguments(broker), tell, environment?.Invoke(broker) ?? []),
            name, kind, BrokerCpu());
        competitor.Connect(await LoadGenerator.ConnectAsync(broker, load, time, stop), results);
        while (competitor.Processed == 0)
            await LookAgainAsync(competitor.Process, stop);
        competitor.Before = 1;
        return competitor;
    }

    /// <summary>The topic below which the results of a load are.</summary>
    public static string ResultsOf(string topic) => topic + "-results";

    /// <summary>What is wrong with a competitor's messages. It has ended then.</summary>
    public async Task<IReadOnlyList<string>> EndAsync(Competitor competitor, CancellationToken stop)
    {
        var findings = await competitor.CheckAsync(stop);
        await ForgetAsync(competitor);
        return findings;
    }

    /// <summary>Ends a competitor.</summary>
    public ValueTask ForgetAsync(Competitor competitor)
    {
        _competitors.Remove(competitor);
        return competitor.DisposeAsync();
    }

    /// <summary>The line in which a program that has stopped accounts for its messages.</summary>
    public static string? LedgerIn(string log) => File.ReadLines(log).LastOrDefault(line => line.Contains("ledger: ", StringComparison.Ordinal))?.Split("ledger: ")[1];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var competitor in _competitors)
            await competitor.DisposeAsync();
        if (options.Broker is not null)
        {
            foreach (var topic in _heralded)
                await HeraldAsync(_broker!, topic, "", CancellationToken.None); // Retained no more.
        }
        _brokerProcess?.Dispose();
        _mosquitto?.Dispose();
        await Stores.DisposeAsync();
    }

    // Retained, so that it is the first that a subscriber gets, and shows that it is there.
    private static async Task HeraldAsync(Target broker, string topic, string payload, CancellationToken stop)
    {
        using var herald = await RawConnection.ConnectAsync(broker, $"bench-{Guid.NewGuid():n}"[..16], version: 4, stop);
        await herald.SendAsync(PreparedPackets.PublishTo(topic + "/herald", qos: 0, retain: true, Encoding.UTF8.GetBytes(payload)), stop);
    }

    private Func<TimeSpan>? BrokerCpu() => _mosquitto is not null ? () => _mosquitto.Process.ProcessorTime : _brokerProcess is not null ? () => _brokerProcess.ProcessorTime : null;

    private Competitor Keep(Func<Func<Stream, Task>, string, ChildProcess> start, string name, RowKind kind, Func<TimeSpan>? brokerCpu)
    {
        var log = Path.Combine(options.Folder, $"{++_number}.log");
        _competitors.Add(new Competitor(name, kind, tell => start(tell, log), brokerCpu, time));
        return _competitors[^1];
    }

    private async Task<IReadOnlyList<string>> CheckAsync(Competitor competitor, string? program, string database, int before, string log, CancellationToken stop)
    {
        var (sent, results) = (competitor.Load.Sent, competitor.Results!);
        List<string> findings = [.. LoadChecker.OfResults(sent, before, results.Counts, results.Means)];
        if (await competitor.Process.StopAsync(stop) != 0)
            findings.Add($"it did not stop in good order ({competitor.Process.Ending})");
        findings.AddRange(LoadChecker.OfLedger(sent, options.Qos, LedgerIn(log)));
        var rows = new StoredRows(competitor.Load.Options.Topic, sent.Counts.Length);
        await StoreExport.ReadAsync(program, database, rows.Topic, log, rows.Add, stop);
        findings.AddRange(LoadChecker.OfRows(sent, rows));
        return findings;
    }

    private async Task ListensAsync(int port, ChildProcess process, CancellationToken stop)
    {
        while (!await Loopback.ListensAsync(port, stop))
            await LookAgainAsync(process, stop);
    }

    /// <summary>Waits a moment for something that a process does.</summary>
    /// <exception cref="TrialException">It has ended.</exception>
    public async Task LookAgainAsync(ChildProcess process, CancellationToken stop)
    {
        if (process.HasExited)
            throw new TrialException($"a process of the benchmark has ended by itself ({process.Ending})");
        await Task.Delay(LookInterval, time, stop);
    }
}

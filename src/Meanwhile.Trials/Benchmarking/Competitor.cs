using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Somebody who receives a load, and the load.</summary>
internal sealed class Competitor : IAsyncDisposable
{
    // Whoever receives may be so far behind what is sent: brokers bound their queues, and some drop what is too much. And half a second at most, as the
    // round before has shown it: a slow one would have to be waited for.
    private const int MostBehind = 20_000;
    private const int LeastBehind = 500;
    private const double SecondsBehind = 0.5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(1);

    private readonly Func<TimeSpan>? _brokerCpu;
    private readonly TimeProvider _time;
    private LoadGenerator? _load;
    private ResultReader? _results;
    private long _output;
    private long _mayBeBehind = 4 * LeastBehind;

    /// <summary>Starts it.</summary>
    /// <param name="start">Is given what reads its standard output, where a byte stands for a message.</param>
    /// <param name="brokerCpu">What the broker beside it has cost so far; null where there is none, or it is somebody else's.</param>
    public Competitor(string name, RowKind kind, Func<Func<Stream, Task>, ChildProcess> start, Func<TimeSpan>? brokerCpu, TimeProvider time)
    {
        (Name, Kind, _brokerCpu, _time) = (name, kind, brokerCpu, time);
        Process = start(CountAsync);
    }

    public string Name { get; }

    public RowKind Kind { get; }

    public ChildProcess Process { get; }

    /// <summary>The load; there once it is connected.</summary>
    public LoadGenerator Load => _load ?? throw new InvalidOperationException("no load is connected");

    /// <summary>The results; null for who publishes none.</summary>
    public ResultReader? Results => _results;

    /// <summary>Messages that were received before the load began.</summary>
    public long Before { get; set; }

    /// <summary>Proves at the end what has become of all messages.</summary>
    public Func<CancellationToken, Task<IReadOnlyList<string>>>? Check { get; set; }

    /// <summary>Messages of the load that were received.</summary>
    public long Processed => Math.Max(0, (_results?.Processed ?? Interlocked.Read(ref _output)) - Before);

    /// <summary>Where the load comes from, and where results go.</summary>
    public void Connect(LoadGenerator load, ResultReader? results) => (_load, _results) = (load, results);

    /// <summary>Loads it for a while, and waits until all has come through.</summary>
    public async Task<RoundResult> MeasureAsync(TimeSpan duration, CancellationToken stop)
    {
        await Load.ConnectAsync(stop);
        var start = _time.GetTimestamp();
        return await MeasureAsync(() => Load.RunAsync(() => _time.GetElapsedTime(start) >= duration, HasRoom, stop), stop);
    }

    /// <summary>Sends a message to each series, and waits until all has come through.</summary>
    public async Task FillAsync(CancellationToken stop)
    {
        await Load.ConnectAsync(stop);
        await MeasureAsync(() => Load.FillAsync(HasRoom, stop), stop);
    }

    /// <summary>Waits until all that was sent has come through, for as long as something moves.</summary>
    public async Task SettleAsync(CancellationToken stop)
    {
        var (last, moved) = (Processed, _time.GetTimestamp());
        while (Processed < Load.Sent.Total)
        {
            CheckAlive();
            await Task.Delay(LookInterval, _time, stop);
            if (Processed != last)
                (last, moved) = (Processed, _time.GetTimestamp());
            if (_time.GetElapsedTime(moved) > Patience)
                return; // The account says what is missing.
        }
    }

    /// <summary>What is wrong with what has become of the messages; ends the competitor where that takes it.</summary>
    public async Task<IReadOnlyList<string>> CheckAsync(CancellationToken stop)
    {
        var sent = Load.Sent;
        List<string> findings = [];
        if (Load.Options.Qos > 0 && sent.Acknowledged != sent.Total)
            findings.Add($"{sent.Total:N0} messages were sent, and {sent.Acknowledged:N0} acknowledged to their publishers");
        if (Processed != sent.Total)
            findings.Add($"{sent.Total:N0} messages were sent, and {Processed:N0} received{(_results is null ? "" : ", as the last results count them")}");
        if (Check is not null)
            findings.AddRange(await Check(stop));
        return [.. findings.Select(finding => $"{Name}: {finding}")];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _load?.Dispose();
        if (_results is not null)
            await _results.DisposeAsync();
        Process.Dispose();
    }

    private async Task CountAsync(Stream output)
    {
        var buffer = new byte[1 << 16];
        while (await output.ReadAsync(buffer) is > 0 and var messages)
            Interlocked.Add(ref _output, messages);
    }

    private bool HasRoom()
    {
        if (Load.Sent.Total - Processed < _mayBeBehind)
            return true;
        CheckAlive();
        return false;
    }

    private void CheckAlive()
    {
        if (Process.HasExited)
            throw new TrialException($"{Name} has ended by itself ({Process.Ending})");
    }

    private async Task<RoundResult> MeasureAsync(Func<Task> work, CancellationToken stop)
    {
        var (messages, cpu, broker, load, results) = (Load.Sent.Total, Process.ProcessorTime, BrokerCpu(), Environment.CpuUsage.TotalTime, _results?.Results ?? 0);
        var start = _time.GetTimestamp();
        await work();
        await SettleAsync(stop);
        var seconds = _time.GetElapsedTime(start).TotalSeconds;
        messages = Load.Sent.Total - messages;
        _mayBeBehind = Math.Clamp((long)(SecondsBehind * messages / seconds), LeastBehind, MostBehind);
        if (Load.IsLarge)
            Load.Disconnect();
        return new RoundResult(
            messages,
            seconds,
            Each(Process.ProcessorTime - cpu),
            _brokerCpu is null ? double.NaN : Each(BrokerCpu() - broker),
            Each(Environment.CpuUsage.TotalTime - load),
            _results is not { Counts.Length: 1 } ? double.NaN : (double)messages / Math.Max(1, _results.Results - results),
            Process.ResidentBytes / (double)(1 << 20));

        double Each(TimeSpan total) => total.TotalMicroseconds / Math.Max(1, messages);
    }

    private TimeSpan BrokerCpu() => _brokerCpu?.Invoke() ?? default;
}

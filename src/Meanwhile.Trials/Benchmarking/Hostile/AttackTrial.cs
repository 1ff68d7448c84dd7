namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>One attack, once, on a new server.</summary>
internal sealed class AttackTrial(BenchEnvironment environment, string? program, Attack attack, long percent)
{
    // A server that has just started is still compiling.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    // Everything has to be well for so long before the server counts as recovered.
    private static readonly TimeSpan Well = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestAttack = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(60);

    // The good clients' own connections come and go.
    private const int FewSockets = 4;

    private readonly TimeProvider _time = environment.Time;
    private readonly List<string> _findings = [];

    /// <summary>Starts the server, attacks it, and stops it.</summary>
    public async Task<AttackOutcome> RunAsync(CancellationToken stop)
    {
        using var server = await AttackedServer.StartAsync(environment, program, attack.Terms, stop);
        using var attacker = new Attacker(server, percent, _time);
        if (attack.PrepareAsync is not null)
            await attack.PrepareAsync(attacker, stop);
        using var good = new GoodClient(server.MqttPort, _time);
        await using var logins = new GoodLogins(server.MqttPort, _time);
        await DelayAsync(WarmUp + environment.Options.Duration, stop);
        good.Take();
        logins.Reset();
        var outcome = await AttackAsync(server, attacker, good, logins, stop);
        await logins.EndAsync();
        await good.EndAsync(stop);
        outcome = outcome with { End = await EndAsync(server, stop) };
        _findings.AddRange(await CheckRowsAsync(server, good, stop));
        if (!attack.EndsService)
            _findings.AddRange(good.Refusals.Concat(logins.Refusals).GroupBy(text => text, StringComparer.Ordinal).Select(same => $"{same.Key}, {same.Count():N0} times"));
        _findings.AddRange(attacker.Findings.Distinct(StringComparer.Ordinal));
        return outcome with { Findings = _findings };
    }

    private async Task<AttackOutcome> AttackAsync(AttackedServer server, Attacker attacker, GoodClient good, GoodLogins logins, CancellationToken stop)
    {
        var (before, sockets) = (server.Resident, server.OpenSockets);
        var start = _time.GetTimestamp();
        await AttackAsync(attacker, stop);
        var rest = environment.Options.Duration - _time.GetElapsedTime(start);
        await DelayAsync(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, stop);
        var outcome = new AttackOutcome(good.Take(), logins.LongestSoFar(), before, server.PeakResident);
        attacker.Release();
        var recovery = await RecoverAsync(server, good, logins, sockets, stop);
        return outcome with { Recovery = recovery, PeakResident = Math.Max(outcome.PeakResident, server.PeakResident), ResidentAfter = server.Resident };
    }

    private async Task AttackAsync(Attacker attacker, CancellationToken stop)
    {
        using var longest = new CancellationTokenSource(LongestAttack, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(longest.Token, stop);
        try
        {
            await BackgroundScheduler.Instance.RunAsync(() => attack.RunAsync(attacker, either.Token));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The attack is long enough.
        }
        catch (Exception e) when (e is TrialException or System.Net.Sockets.SocketException)
        {
            _findings.Add($"the attack was cut short ({e.Message})");
        }
    }

    // The time until everything was as before.
    private async Task<TimeSpan> RecoverAsync(AttackedServer server, GoodClient good, GoodLogins logins, int sockets, CancellationToken stop)
    {
        var (start, letIn) = (_time.GetTimestamp(), logins.LetIn);
        var lastLeft = TimeSpan.Zero; // When connections of the attack were last open.
        while (server.Ending is null && _time.GetElapsedTime(start) < LongestRecovery)
        {
            var now = _time.GetElapsedTime(start);
            if (server.OpenSockets > sockets + FewSockets)
                lastLeft = now;
            if (good.WellFor() >= Well && now - lastLeft >= Well && logins.LetIn > letIn)
                return now - Well > lastLeft ? Longer(now - good.WellFor(), lastLeft) : lastLeft;
            await DelayAsync(LookInterval, stop);
        }
        if (server.Ending is not null)
            _findings.Add($"the server has ended ({server.Ending})");
        else if (server.OpenSockets > sockets + FewSockets)
            _findings.Add($"{server.OpenSockets - sockets:N0} connections were still open after {LongestRecovery.TotalSeconds:N0} s");
        else if (logins.LetIn == letIn)
            _findings.Add($"nobody could log in for {LongestRecovery.TotalSeconds:N0} s after the attack");
        return LongestRecovery;
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private async Task<TimeSpan> EndAsync(AttackedServer server, CancellationToken stop)
    {
        var start = _time.GetTimestamp();
        using var longest = new CancellationTokenSource(LongestEnd, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(longest.Token, stop);
        try
        {
            if (server.Ending is null && await server.StopAsync(either.Token) != 0)
                _findings.Add($"the server did not stop in good order ({server.Ending})");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            _findings.Add($"the server had not ended {LongestEnd.TotalSeconds:N0} s after SIGTERM");
        }
        return _time.GetElapsedTime(start);
    }

    // An acknowledgement means committed, also under attack.
    private static async Task<IEnumerable<string>> CheckRowsAsync(AttackedServer server, GoodClient good, CancellationToken stop)
    {
        var rows = await server.CountRowsAsync(GoodClient.Topic, stop);
        return rows >= good.Acknowledged && rows <= good.Sent ? [] : [$"{good.Sent:N0} readings were sent, {good.Acknowledged:N0} acknowledged, and {rows:N0} are in the store"];
    }

    private Task DelayAsync(TimeSpan delay, CancellationToken stop) => Task.Delay(delay, _time, stop);
}

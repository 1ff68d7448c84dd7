using System.Diagnostics;
using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>A process that a test has started: ours or a peer's. It is stopped by its own process id.</summary>
internal sealed class RunningProgram : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private RunningProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Append(_output, e.Data);
        process.ErrorDataReceived += (_, e) => Append(_error, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it has written to standard output so far; lines end with \n.</summary>
    public string Output => Text(_output);

    /// <summary>What it has written to standard error so far.</summary>
    public string Error => Text(_error);

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>It has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it reads.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Starts this repository's program.</summary>
    public static RunningProgram Meanwhile(string folder, string[] arguments, params (string Name, string Value)[] environment) =>
        Start(Path.Combine(AppContext.BaseDirectory, "meanwhile"), folder, arguments, environment);

    /// <summary>Starts a program.</summary>
    public static RunningProgram Start(string program, string folder, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var name in new[] { "BROKER", "TOPIC", "STATS_TOPIC", "DB_FILE", "MQTT_USERNAME", "MQTT_PASSWORD_FILE", "MQTT_CLIENT_ID", "LOG_LEVEL", "LOG_FORMAT" })
            start.Environment.Remove(name);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("OTEL_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new RunningProgram(Process.Start(start)!);
    }

    /// <summary>Waits until its standard error says something.</summary>
    public Task SaysAsync(string text) => WaitAsync(() => Error.Contains(text, StringComparison.Ordinal), $"it says '{text}'");

    /// <summary>Waits for a condition, with what the process has said in the failure.</summary>
    public Task WaitAsync(Func<bool> condition, string what) =>
        Until.TrueAsync(condition, () => $"waiting until {what}; output:\n{Output}\nerror:\n{Error}", giveUp: () => _process.HasExited && !condition());

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync(TimeSpan? patience = null)
    {
        using var timeout = new CancellationTokenSource(patience ?? Patience, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"it does not end; output:\n{Output}\nerror:\n{Error}");
        }
        return _process.ExitCode;
    }

    /// <summary>Asks it to stop, as a service manager does.</summary>
    public Task<int> TerminateAsync() => SignalAsync("TERM");

    /// <summary>Ends it at once, at whatever instruction it is.</summary>
    public Task<int> KillAsync() => SignalAsync("KILL");

    /// <summary>Sends a signal and waits for the end.</summary>
    public Task<int> SignalAsync(string signal)
    {
        using (var kill = Process.Start("kill", ["-" + signal, _process.Id.ToString()]))
            kill.WaitForExit();
        return ExitAsync();
    }


    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.Append(line).Append('\n');
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }
}

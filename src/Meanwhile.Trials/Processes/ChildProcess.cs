using System.Diagnostics;

namespace Meanwhile.Trials.Processes;

/// <summary>A process that we have started, with what it says in a file. It does not outlive us, however we end.</summary>
internal sealed class ChildProcess : IDisposable
{
    // Becomes the program, beside a watcher that reads our pipe: it ends without a word when we die, and with a line when the program is to be left alone.
    private const string Guarded = "exec 3<&0 </dev/null; (read line <&3 || kill -KILL $$) >/dev/null 2>&1 & exec 3<&-; exec \"$@\"";

    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly Task _reading = Task.CompletedTask;
    private volatile string _lastLine = "";

    private ChildProcess(Process process, StreamWriter log, Func<Stream, Task>? output)
    {
        (_process, _log) = (process, log);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        if (output is null)
            process.BeginOutputReadLine();
        else
            _reading = output(process.StandardOutput.BaseStream);
        process.BeginErrorReadLine();
    }

    /// <summary>What it has cost so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The memory that it holds now, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>The most memory that it has held, in bytes.</summary>
    public long PeakResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    /// <summary>How many sockets it has open; 0 where the system does not tell.</summary>
    public int OpenSockets
    {
        get
        {
            var folder = $"/proc/{_process.Id}/fd";
            return Directory.Exists(folder) && !_process.HasExited ? Directory.EnumerateFileSystemEntries(folder).Count(entry => new FileInfo(entry).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true) : 0;
        }
    }

    /// <summary>Its number.</summary>
    public int Id => _process.Id;

    /// <summary>It has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it returned.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>How it ended, in words for a person.</summary>
    public string Ending => $"exit code {_process.ExitCode}: {_lastLine}";

    /// <summary>Starts a build of meanwhile.</summary>
    /// <param name="program">Null for this very program.</param>
    /// <param name="output">As in <see cref="Start"/>.</param>
    /// <param name="environment">As in <see cref="Start"/>.</param>
    public static ChildProcess StartMeanwhile(
        string? program, string logPath, IEnumerable<string> arguments, Func<Stream, Task>? output = null, params IEnumerable<(string Name, string Value)> environment)
    {
        string[] command = [.. CommandOf(program), .. arguments];
        return Start(command[0], logPath, command[1..], output, environment);
    }

    /// <summary>The beginning of a command line that starts a build of meanwhile.</summary>
    /// <param name="program">Null for this very program.</param>
    public static string[] CommandOf(string? program)
    {
        var file = program ?? Environment.ProcessPath ?? throw new TrialException("it is not known where this program is: expected to be started from a file");
        return program is null && Path.GetFileNameWithoutExtension(file) == "dotnet" ? [file, Environment.GetCommandLineArgs()[0]] : [file]; // dotnet meanwhile.dll.
    }

    /// <summary>Starts a program.</summary>
    /// <param name="output">Reads its standard output, which then goes nowhere else.</param>
    /// <param name="environment">Variables beside our own.</param>
    public static ChildProcess Start(
        string program, string logPath, IEnumerable<string> arguments, Func<Stream, Task>? output = null, params IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Guarded, program, program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new ChildProcess(Process.Start(start)!, new StreamWriter(logPath, append: true) { AutoFlush = true }, output);
    }

    /// <summary>Ends it at once, at whatever instruction it is.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill(); // SIGKILL.
        await _process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Asks it to stop, and waits until it has.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
            await kill.WaitForExitAsync(cancellationToken);
        }
        return await ExitAsync(cancellationToken);
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        LeaveAlone();
        _process.Dispose();
        lock (_log)
            _log.Dispose();
    }

    private void LeaveAlone()
    {
        try
        {
            _process.StandardInput.Write('\n'); // Its number may belong to another process soon.
        }
        catch (IOException)
        {
            // The watcher is gone as well.
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        _lastLine = line;
        lock (_log)
        {
            if (_log.BaseStream.CanWrite)
                _log.WriteLine(line);
        }
    }
}

using System.Diagnostics;

namespace Meanwhile.Verification;

/// <summary>A process of a trial, with what it says in a file. It does not outlive us, however we end.</summary>
internal sealed class ChildProcess : IDisposable
{
    // Becomes the program, beside a watcher that reads our pipe: it ends without a word when we die, and with a line when the program is to be left alone.
    private const string Guarded = "exec 3<&0 </dev/null; (read line <&3 || kill -KILL $$) >/dev/null 2>&1 & exec 3<&-; exec \"$@\"";

    private readonly Process _process;
    private readonly StreamWriter _log;
    private volatile string _lastLine = "";

    private ChildProcess(Process process, StreamWriter log)
    {
        (_process, _log) = (process, log);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>It has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it returned.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>How it ended, in words for a person.</summary>
    public string Ending => $"exit code {_process.ExitCode}: {_lastLine}";

    /// <summary>Starts this very program.</summary>
    public static ChildProcess StartMeanwhile(string logPath, IEnumerable<string> arguments)
    {
        var self = Environment.ProcessPath ?? throw new UserException("it is not known where this program is: expected to be started from a file");
        return Path.GetFileNameWithoutExtension(self) == "dotnet" // Started as dotnet meanwhile.dll.
            ? Start(self, logPath, [Environment.GetCommandLineArgs()[0], .. arguments])
            : Start(self, logPath, arguments);
    }

    /// <summary>Starts a program.</summary>
    public static ChildProcess Start(string program, string logPath, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Guarded, program, program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new ChildProcess(Process.Start(start)!, File.AppendText(logPath));
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

using System.Diagnostics;
using System.Globalization;

namespace Meanwhile.Bench;

/// <summary>A program beside us: what it says, and what it has cost.</summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];

    /// <summary>Starts it.</summary>
    public Child(string program, params string[] arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true },
        };
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Ticks of a hundredth of a second in user and kernel mode (proc(5), fields 14 and 15 of stat), in seconds.</summary>
    public double CpuSeconds()
    {
        var fields = File.ReadAllText($"/proc/{_process.Id}/stat").Split(") ")[1].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }

    /// <summary>The memory that it holds now.</summary>
    public long ResidentMebibytes()
    {
        _process.Refresh();
        return _process.WorkingSet64 >> 20;
    }

    /// <summary>What stands between two texts in a line that it has said.</summary>
    public string Said(string before, string after)
    {
        lock (_lines)
        {
            var line = _lines.First(line => line.Contains(before, StringComparison.Ordinal) && line.Contains(after, StringComparison.Ordinal));
            var from = line.IndexOf(before, StringComparison.Ordinal) + before.Length;
            return line[from..line.IndexOf(after, from, StringComparison.Ordinal)];
        }
    }

    /// <summary>Waits until it has said something.</summary>
    public Task SaysAsync(string text) => WaitAsync(() =>
    {
        lock (_lines)
            return _lines.Exists(line => line.Contains(text, StringComparison.Ordinal));
    });

    /// <summary>Looks every few milliseconds whether a condition holds.</summary>
    public async Task WaitAsync(Func<bool> condition)
    {
        while (!condition())
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"{_process.StartInfo.FileName} has ended: {string.Join('\n', _lines)}");
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_lines)
            _lines.Add(line);
    }
}

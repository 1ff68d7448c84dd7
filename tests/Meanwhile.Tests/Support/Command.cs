using System.Collections.Concurrent;
using System.Diagnostics;

namespace Meanwhile.Tests.Support;

/// <summary>What a program left behind.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>A program with its arguments, run to its end or beside the test.</summary>
/// <param name="folder">Its working directory.</param>
/// <param name="environment">What it has beside the environment of the tests.</param>
internal sealed class Command(string folder, IReadOnlyDictionary<string, string> environment)
{
    /// <summary>Runs it to its end.</summary>
    public async Task<CommandResult> RunAsync(string input, string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(StartInfo(program, arguments))!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new CommandResult(process.ExitCode, await output, await error);
    }

    /// <summary>Starts it, and collects the lines that it writes on either stream.</summary>
    public Process Start(ConcurrentQueue<string> lines, string program, IEnumerable<string> arguments)
    {
        var process = new Process { StartInfo = StartInfo(program, arguments) };
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Collect(object sender, DataReceivedEventArgs e)
        {
            if (e.Data is { } line)
                lines.Enqueue(line);
        }
    }

    private ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        return info;
    }
}

using System.CommandLine;
using System.Runtime.InteropServices;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Stores;
using Meanwhile.Trials;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Verbs;

/// <summary>What every verb runs with: its settings, the clock, and a log on standard error. Standard output belongs to results.</summary>
internal sealed class VerbContext : IDisposable
{
    // Who asked the program to stop does not wait for a reader of the log who sleeps.
    private static readonly TimeSpan LogPatience = TimeSpan.FromSeconds(2);

    private readonly OutputQueue _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration? _hangUp;
    private readonly bool _isLogForPrograms; // Who reads it expects the last words in the same form.

    private VerbContext(ParseResult commandLine, SettingSources sources)
    {
        (CommandLine, Sources) = (commandLine, sources);
        var (level, format) = LogSettings.Read(commandLine, sources);
        _isLogForPrograms = format == JsonFormatter.FormatterName;
        LineFormatter formatter = _isLogForPrograms ? new JsonFormatter(Time) : new PlainFormatter(Time);
        _log = new OutputQueue(StandardHandle.Error, count => Gap(formatter, count), goesOn: true);
        LogDiversion = new LogDiversion(_log.Add);
        Logger = new LineLogger(level, formatter, LogDiversion);
        Output = new StandardStream(StandardHandle.Output, Time, _stopping.Token);
        _hangUp = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, HangUp);
    }

    public ParseResult CommandLine { get; }

    public SettingSources Sources { get; }

    public ILogger Logger { get; }

    public LogDiversion LogDiversion { get; }

    public TimeProvider Time { get; } = TimeProvider.System;

    /// <summary>Standard output.</summary>
    public Stream Output { get; }

    /// <summary>What SIGHUP does: it reads files again; where there is nothing to be read again, it stops the program.</summary>
    public Action? Reload { get; set; }

    /// <summary>Makes a verb's command out of its options and what it does.</summary>
    /// <param name="run">Runs until it is done or told to stop.</param>
    public static Command Command(string name, string description, IEnumerable<Option> options, Func<VerbContext, CancellationToken, Task> run)
    {
        var command = new Command(name, description);
        foreach (var option in options)
            command.Options.Add(option);
        foreach (var option in LogSettings.Options)
            command.Options.Add(option);
        command.SetAction(async (commandLine, stop) =>
        {
            await Task.Yield(); // Signals are listened for only from the first wait on, and under load the data path has none for long.
            var sources = SettingSources.Load(Directory.GetCurrentDirectory(), Environment.GetEnvironmentVariable);
            using var context = new VerbContext(commandLine, sources);
            using var told = stop.Register(context.Stop);
            return await context.RunAsync(run);
        });
        return command;
    }

    /// <summary>A setting's value, or its default, or null.</summary>
    public T? Read<T>(Setting<T> setting) => setting.Read(CommandLine, Sources);

    /// <summary>Opens the store as its owner, for a moment in which no aggregator uses it. Its quarantine keeps what the aggregator's bounds let in.</summary>
    public Task<IStore> OpenStoreAsync(string unnamedSeries, CancellationToken stop) => Store.OpenAsync(
        Read(CommonSettings.DbFile)!,
        new StoreOptions(Session: "", unnamedSeries) { QuarantinedMessages = long.MaxValue, QuarantinedBytes = long.MaxValue },
        Logger, Time, stop);

    /// <summary>Opens the store for reading, also beside an aggregator, and says what is left out of its readings.</summary>
    /// <param name="filter">The topic or filter that it is read for.</param>
    public IStoreReader OpenForReading(string filter)
    {
        var name = Read(CommonSettings.DbFile)!;
        return Store.OpenForReading(name, filter, found => Log.LeftOut(Logger, Store.Describe(name), found.Readings, found.Reason, repeated: ""), _stopping.Token);
    }

    /// <summary>Lets a text be written to standard output, until all is written or its reader has gone.</summary>
    public void Write(Action<TextWriter> write) => WriteBytes(output =>
    {
        using var text = new StreamWriter(output, Console.OutputEncoding, leaveOpen: true);
        write(text);
    });

    /// <inheritdoc cref="Write"/>
    public void WriteBytes(Action<Stream> write)
    {
        try
        {
            write(Output);
        }
        catch (OutputException e) when (e.IsReaderGone)
        {
            // It has enough; what there is to do besides is done.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _hangUp?.Dispose();
        _log.Complete();
        _log.Writing.Wait(LogPatience); // Writes what is left of it.
    }

    private async Task<int> RunAsync(Func<VerbContext, CancellationToken, Task> run)
    {
        try
        {
            await run(this, _stopping.Token);
        }
        catch (OutputException e) when (e.IsReaderGone)
        {
            // Whoever read the output has enough: that is no failure.
        }
        catch (Exception e) when (e is UserException or StoreException or OutputException or TrialException)
        {
            var failure = e as UserException ?? new UserException(e.Message, inner: e);
            if (!_isLogForPrograms)
                throw failure;
            Log.Failed(Logger, failure.Message);
            return failure.ExitCode;
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Told to stop before it had begun.
        }
        return ExitCode.Success;
    }

    private static string Gap(LineFormatter formatter, long count)
    {
        var line = "";
        Log.LinesDropped(new LineLogger(default, formatter, new LogDiversion(text => line = text)), count);
        return line;
    }

    private void HangUp(PosixSignalContext signal)
    {
        signal.Cancel = true;
        (Reload ?? Stop)();
    }

    private void Stop()
    {
        Log.Stopping(Logger);
        _stopping.Cancel();
    }
}

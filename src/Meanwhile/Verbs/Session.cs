using System.CommandLine;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Meanwhile.Verbs;

/// <summary>What every verb runs with: its settings, the clock, and a log on standard error. Standard output belongs to results.</summary>
internal sealed class Session : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly bool _isLogForPrograms; // Who reads it expects the last words in the same form.

    private Session(ParseResult commandLine, SettingSources sources, bool isLogForPrograms, ServiceProvider services)
    {
        (CommandLine, Sources, _isLogForPrograms, _services) = (commandLine, sources, isLogForPrograms, services);
        Logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("meanwhile");
        LogDiversion = services.GetRequiredService<LogDiversion>();
    }

    public ParseResult CommandLine { get; }

    public SettingSources Sources { get; }

    public ILogger Logger { get; }

    public LogDiversion LogDiversion { get; }

    public TimeProvider Time { get; } = TimeProvider.System;

    /// <summary>Makes a verb's command out of its options and what it does.</summary>
    /// <param name="run">Runs until it is done or told to stop.</param>
    public static Command Command(string name, string description, IEnumerable<Option> options, Func<Session, CancellationToken, Task> run)
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
            using var session = Start(commandLine, sources);
            using var stopping = new CancellationTokenSource();
            using var told = stop.Register(() =>
            {
                Log.Stopping(session.Logger);
                stopping.Cancel();
            });
            try
            {
                await run(session, stopping.Token);
            }
            catch (Exception e) when (e is UserException or StoreException)
            {
                var failure = e as UserException ?? new UserException(e.Message, inner: e);
                if (!session._isLogForPrograms)
                    throw failure;
                Log.Failed(session.Logger, failure.Message);
                return failure.ExitCode;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // Told to stop before it had begun.
            }
            return ExitCode.Success;
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
        return Store.OpenForReading(name, filter, found => Log.LeftOut(Logger, Store.Describe(name), found.Readings, found.Reason, repeated: ""));
    }

    /// <inheritdoc/>
    public void Dispose() => _services.Dispose(); // Writes what is left of the log.

    private static Session Start(ParseResult commandLine, SettingSources sources)
    {
        var (level, format) = LogSettings.Read(commandLine, sources);
        var services = new ServiceCollection();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<LogDiversion>();
        services.AddSingleton<ConsoleFormatter, PlainFormatter>();
        services.AddSingleton<ConsoleFormatter, JsonFormatter>();
        services.AddLogging(logging => logging
            .SetMinimumLevel(level)
            .AddConsole(console =>
            {
                console.FormatterName = format;
                console.LogToStandardErrorThreshold = LogLevel.Trace;
            }));
        return new Session(commandLine, sources, format == JsonFormatter.FormatterName, services.BuildServiceProvider());
    }
}

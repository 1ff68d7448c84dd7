using System.CommandLine;
using Meanwhile.Logging;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Settings;

/// <summary>What the program says on standard error, and how.</summary>
internal static class LogSettings
{
    private static readonly Dictionary<string, LogLevel> Levels = new(StringComparer.Ordinal)
    {
        ["debug"] = LogLevel.Debug,
        ["info"] = LogLevel.Information,
        ["warning"] = LogLevel.Warning,
        ["error"] = LogLevel.Error,
    };

    private static readonly Option<bool> Verbose = new("--verbose") { Description = "say what happens to each message, as --log-level debug does" };

    private static readonly Setting<LogLevel> Level = new(
        "--log-level", "LOG_LEVEL", "info", string.Join('|', Levels.Keys), "say nothing of less weight", ParseLevel);

    private static readonly Setting<string> Format = new(
        "--log-format", "LOG_FORMAT", PlainFormatter.FormatterName, $"{PlainFormatter.FormatterName}|{JsonFormatter.FormatterName}", "a line of text for each event, or a line of JSON", ParseFormat);

    /// <summary>All of them; every verb has them.</summary>
    public static IEnumerable<Option> Options { get; } = [Verbose, Level.Option, Format.Option];

    /// <summary>Reads them.</summary>
    /// <returns>The least level that is said, and the name of the formatter.</returns>
    public static (LogLevel Level, string Format) Read(ParseResult commandLine, SettingSources sources)
    {
        var isVerbose = commandLine.GetValue(Verbose);
        if (isVerbose && commandLine.GetResult(Level.Option) is { Implicit: false })
            throw new UserException("--verbose and --log-level say the same thing in two ways: expected one of them", ExitCode.Usage);
        var level = Level.Read(commandLine, sources);
        return (isVerbose ? LogLevel.Debug : level, Format.Read(commandLine, sources)!);
    }

    private static LogLevel ParseLevel(string text) =>
        Levels.TryGetValue(text, out var level) ? level : throw new FormatException(string.Join(", ", Levels.Keys.SkipLast(1)) + " or error");

    private static string ParseFormat(string text) =>
        text is PlainFormatter.FormatterName or JsonFormatter.FormatterName ? text : throw new FormatException($"{PlainFormatter.FormatterName} or {JsonFormatter.FormatterName}");
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Meanwhile;
using Meanwhile.Logging;
using Meanwhile.Verbs;

var root = new RootCommand("Rolling statistics for MQTT: every reading is committed to disk before it is acknowledged, and every mean is exact.")
{
    DemoVerb.Command(),
    BrokerVerb.Command(),
    PublishVerb.Command(),
    AggregateVerb.Command(),
    WatchVerb.Command(),
    QueryVerb.Command(),
    ExportVerb.Command(),
    ImportVerb.Command(),
    QuarantineVerb.Command(),
    PasswdVerb.Command(),
    VerifyVerb.Command(),
    BenchVerb.Command(),
    CompletionVerb.Command(),
    ManVerb.Command(),
};

// The forms of Windows would be suggested to every shell.
foreach (var help in root.Options.OfType<HelpOption>())
{
    help.Aliases.Remove("/h");
    help.Aliases.Remove("/?");
}

if (args.FirstOrDefault(argument => !Utf8Text.IsWhole(argument)) is { } broken)
{
    Console.Error.WriteLine($"meanwhile: the argument '{broken}' is not UTF-8, or has U+FFFD in it, which stands for what is not: expected a text in UTF-8");
    return ExitCode.Usage;
}

var commandLine = root.Parse(args);
if (commandLine.Errors.Count > 0)
{
    var verb = string.Concat(Verbs(commandLine.CommandResult).Reverse().Select(name => name + " "));
    var problem = commandLine.UnmatchedTokens is [var unknown, ..]
        ? $"'{unknown}' is neither a verb nor an option that is known here."
        : commandLine.Errors[0].Message.ReplaceLineEndings(" ");
    return End($"{problem} See: meanwhile {verb}--help", ExitCode.Usage);
}

try
{
    await using var output = new StreamWriter(new StandardStream(StandardHandle.Output, TimeProvider.System, CancellationToken.None), Console.OutputEncoding); // For --help and --version.
    return await commandLine.InvokeAsync(new InvocationConfiguration
    {
        Output = output,
        EnableDefaultExceptionHandler = false,
        // A store that cannot commit, or a broker that does not answer, has its own time-outs: nothing needs to be cut off here.
        ProcessTerminationTimeout = TimeSpan.FromMinutes(5),
    });
}
catch (OutputException e) when (e.IsReaderGone)
{
    return ExitCode.Success;
}
catch (OutputException e)
{
    return End(e.Message, ExitCode.Failure);
}
catch (UserException e)
{
    return End(e.Message, e.ExitCode);
}
catch (Exception e)
{
    return End($"this should not have happened, please report it: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}", ExitCode.Failure);
}

// The last words; a reader who sleeps does not keep the program from its end.
static int End(string text, int exitCode)
{
    try
    {
        using var error = new StandardStream(StandardHandle.Error, TimeProvider.System, new CancellationToken(canceled: true));
        error.Write(Console.OutputEncoding.GetBytes($"meanwhile: {text}\n"));
    }
    catch (Exception e) when (e is OutputException or OperationCanceledException)
    {
        // Nobody reads them.
    }
    return exitCode;
}

// A verb may be part of another: quarantine list.
static IEnumerable<string> Verbs(SymbolResult? verb)
{
    for (; verb is CommandResult { Parent: not null } inner; verb = verb.Parent)
        yield return inner.Command.Name;
}

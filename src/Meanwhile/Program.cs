using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Meanwhile;
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
    CompletionVerb.Command(),
    ManVerb.Command(),
};

// The forms of Windows would be suggested to every shell.
foreach (var help in root.Options.OfType<HelpOption>())
{
    help.Aliases.Remove("/h");
    help.Aliases.Remove("/?");
}

var commandLine = root.Parse(args);
if (commandLine.Errors.Count > 0)
{
    var verb = string.Concat(Verbs(commandLine.CommandResult).Reverse().Select(name => name + " "));
    var problem = commandLine.UnmatchedTokens is [var unknown, ..]
        ? $"'{unknown}' is neither a verb nor an option that is known here."
        : commandLine.Errors[0].Message.ReplaceLineEndings(" ");
    Console.Error.WriteLine($"meanwhile: {problem} See: meanwhile {verb}--help");
    return ExitCode.Usage;
}

try
{
    // A store that cannot commit, or a broker that does not answer, has its own time-outs: nothing needs to be cut off here.
    return await commandLine.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(5) });
}
catch (UserException e)
{
    Console.Error.WriteLine($"meanwhile: {e.Message}");
    return e.ExitCode;
}
catch (Exception e)
{
    Console.Error.WriteLine($"meanwhile: this should not have happened, please report it: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
    return ExitCode.Failure;
}

// A verb may be part of another: quarantine list.
static IEnumerable<string> Verbs(SymbolResult? verb)
{
    for (; verb is CommandResult { Parent: not null } inner; verb = verb.Parent)
        yield return inner.Command.Name;
}

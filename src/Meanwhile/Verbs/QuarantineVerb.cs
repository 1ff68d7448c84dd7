using System.CommandLine;
using System.Text;
using Meanwhile.History;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Stores;

namespace Meanwhile.Verbs;

/// <summary>Looks after the messages that were no readings.</summary>
internal static class QuarantineVerb
{
    private static readonly Option<bool> Raw = new("--raw") { Description = "the payload's bytes and nothing else" };
    private static readonly Option<bool> All = new("--all") { Description = "all messages" };
    private static readonly Argument<long> Number = new("NUMBER") { Description = "of the message, as list shows it" };
    private static readonly Argument<long[]> Numbers = new("NUMBER") { Description = "of the messages, as list shows them", Arity = ArgumentArity.ZeroOrMore };

    public static Command Command() => new("quarantine", "list, show, replay or drop the messages that were no readings")
    {
        VerbContext.Command("list", "one line a message, oldest first; also while an aggregator runs", [CommonSettings.DbFile.Option, ListFormat.AsJson.Option], List),
        With(Number, VerbContext.Command("show", "a message; also while an aggregator runs", [CommonSettings.DbFile.Option, Raw], Show)),
        With(Numbers, VerbContext.Command(
            "replay",
            "commit those that are readings with these settings; no aggregator may be using the store",
            [
                All, CommonSettings.DbFile.Option, CommonSettings.Topic.Option, CommonSettings.StatsTopic.Option, AggregatorSettings.Windows.Option,
                .. AggregatorSettings.ParserOptions,
            ],
            ReplayAsync)),
        With(Numbers, VerbContext.Command("drop", "delete messages; no aggregator may be using the store", [All, CommonSettings.DbFile.Option], DropAsync)),
    };

    private static Command With(Argument argument, Command command)
    {
        command.Arguments.Add(argument);
        return command;
    }

    private static Task List(VerbContext context, CancellationToken stop)
    {
        using var store = OpenForReading(context, stop);
        context.Write(output =>
        {
            var list = new QuarantineList(output, context.Read(ListFormat.AsJson));
            foreach (var message in store.ReadQuarantine())
            {
                stop.ThrowIfCancellationRequested();
                list.Write(message);
            }
        });
        return Task.CompletedTask;
    }

    private static async Task Show(VerbContext context, CancellationToken stop)
    {
        var number = context.CommandLine.GetValue(Number);
        using var store = OpenForReading(context, stop);
        var message = store.ReadQuarantine().FirstOrDefault(m => m.Number == number);
        if (message.Number != number)
            throw NotThere(number);
        if (!context.CommandLine.GetValue(Raw))
            context.Write(output => QuarantineList.WriteWhole(output, message));
        else
            await DataFile.WriteAsync(context, path: null, output => output.WriteAsync(message.Message.Payload, stop).AsTask());
    }

    private static async Task ReplayAsync(VerbContext context, CancellationToken stop)
    {
        var options = AggregatorSettings.Read(context.CommandLine, context.Sources);
        var chosen = ReadChosen(context);
        using var store = await context.OpenStoreAsync(options.Filter, stop);
        using var quarantine = OpenForReading(context, stop); // As it is now: the store changes while it is read.
        var replay = new Replay(store, options);
        var stays = new StringBuilder();
        await replay.RunAsync(
            Choose(quarantine, chosen), context.Time.GetUtcNow().ToUnixTimeMilliseconds(), (number, reason) => stays.Append($"{number} stays: {reason}\n"), stop);
        context.Write(output => output.Write(stays)); // Afterwards: a reader who has enough does not end the work.
        Log.Replayed(context.Logger, replay.Committed, replay.Known, replay.Stayed);
        if (replay.Stayed > 0)
            throw new UserException($"{replay.Stayed} messages stay in the quarantine: see what they are with meanwhile quarantine show NUMBER");
    }

    private static async Task DropAsync(VerbContext context, CancellationToken stop)
    {
        var chosen = ReadChosen(context);
        using var store = await context.OpenStoreAsync(unnamedSeries: "", stop);
        var batch = new Batch();
        batch.TakenFromQuarantine.AddRange(Choose(store, chosen).Select(message => message.Number));
        await store.CommitAsync(batch, default, stop);
        Log.Dropped(context.Logger, batch.TakenFromQuarantine.Count);
    }

    // Null for all.
    private static HashSet<long>? ReadChosen(VerbContext context)
    {
        var numbers = context.CommandLine.GetValue(Numbers) ?? [];
        if (context.CommandLine.GetValue(All) == numbers.Length > 0)
            throw new UserException("expected either the numbers of messages, as meanwhile quarantine list shows them, or --all", ExitCode.Usage);
        return numbers.Length > 0 ? [.. numbers] : null;
    }

    private static IEnumerable<QuarantinedMessage> Choose(IStoreReader store, HashSet<long>? chosen)
    {
        if (chosen is null)
            return store.ReadQuarantine();
        var missing = chosen.Except(store.ReadQuarantine().Select(message => message.Number)).ToList();
        return missing.Count == 0 ? store.ReadQuarantine().Where(message => chosen.Contains(message.Number)) : throw NotThere(missing[0]);
    }

    private static UserException NotThere(long number) =>
        new($"there is no message {number} in the quarantine: expected a number that meanwhile quarantine list shows");

    private static IStoreReader OpenForReading(VerbContext context, CancellationToken stop) =>
        Store.OpenForReading(context.Read(CommonSettings.DbFile)!, unnamedSeries: "", stop: stop);
}

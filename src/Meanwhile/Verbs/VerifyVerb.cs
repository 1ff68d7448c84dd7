using System.CommandLine;
using Meanwhile.Clients;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Stores;
using Meanwhile.Stores.Postgres;
using Meanwhile.Terminal;
using Meanwhile.Trials.Verification;

namespace Meanwhile.Verbs;

/// <summary>Proves on this machine that nothing is lost and nothing counted twice.</summary>
internal static class VerifyVerb
{
    private const int MostFindings = 20;

    private static readonly Setting<BrokerChoice> Broker = BrokerChoice.Setting;

    private static readonly Setting<int> Qos = new(
        "--qos", null, "1", "0|1|2", "quality of service of the publishers", text => (int)CommonSettings.ParseWhole(text, 0, 2));

    private static readonly Setting<bool> WithPaho = new(
        "--publishers", null, "own", "own|paho", "what publishes: this program, or Eclipse paho in Python, a client that shares no code with it", text => text switch
        {
            "own" => false,
            "paho" => true,
            _ => throw new FormatException("own or paho"),
        });

    private static readonly Setting<int> Kills = new(
        "--kills", null, "10", "NUMBER", "how many times a process is killed", text => (int)CommonSettings.ParseWhole(text, 0, 1_000_000));

    private static readonly Setting<long> Messages = new(
        "--messages", null, "1000", "NUMBER", "send at least so many, however few kills there are", text => CommonSettings.ParseWhole(text, 1, 10_000_000));

    private static readonly Setting<Pace> Rate = new("--rate", null, "500", "NUMBER", "messages a second", Pace.ParseRate);

    private static readonly Setting<string> Database = new(
        "--db", null, null, "FILE", "store of the readings, a SQLite file or postgres://user@host/database [default: a file in a temporary folder]", CommonSettings.ParseDbFile)
    {
        Mask = Store.Describe,
    };

    private static readonly Option<bool> Keep = new("--keep") { Description = "keep the folder with all logs, which is otherwise kept only when something is wrong" };

    private static readonly Setting<string> LogFile = new("--log", null, "sent", "FILE", "what was sent and acknowledged", text => text);

    private static readonly Setting<long?> Count = new(
        "--count", null, null, "NUMBER", "stop after so many", text => CommonSettings.ParseWhole(text, 1, long.MaxValue));

    private static readonly Setting<string> ClientId = CommonSettings.ClientId("verify");

    public static Command Command()
    {
        var command = VerbContext.Command(
            "verify",
            "kill processes and cut connections at random moments, and account for every message",
            [
                Broker.Option, WithPaho.Option, Qos.Option, Kills.Option, Messages.Option, Rate.Option, CommonSettings.Seed.Option, Database.Option, Keep,
            ],
            RunAsync);
        var publisher = VerbContext.Command(
            "publisher",
            "a part of verify: publish 1, 2, 3 ...",
            [
                CommonSettings.Broker.Option, CommonSettings.PublishTopic.Option, Qos.Option, Rate.Option, Count.Option, ClientId.Option, LogFile.Option,
            ],
            PublishAsync);
        publisher.Hidden = true;
        command.Subcommands.Add(publisher);
        return command;
    }

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var settings = ReadOptions(context); // May be wrong, and then nothing is left behind.
        var folder = Directory.CreateTempSubdirectory("meanwhile-verify-");
        var options = settings with { Folder = folder.FullName, Database = settings.Database.Length > 0 ? settings.Database : Path.Combine(folder.FullName, "readings.db") };
        Log.TrialStarts(context.Logger, options.Seed, folder.FullName);
        var isOver = false;
        try
        {
            var (name, password) = (context.Read(CommonSettings.UserName), context.Read(CommonSettings.PasswordFile));
            var trial = new Trial(
                options,
                server => new BrokerSettings(BrokerAddress.Parse(server.OriginalString), "", name, password).ToOptions(context.Time),
                (what, count) => Log.Stagnates(context.Logger, what, count),
                context.Time);
            TrialReport? report = null;
            await ProgressBar.ShowAsync("starting", async progress => report = await trial.RunAsync((done, text) => progress.Report(new(done, text)), stop));
            context.Write(output => Write(output, context.Read(Broker)!, options, report!));
            var wrong = report!.Deliveries.Findings.Count;
            if (wrong > 0)
                throw new UserException($"it does not balance: {wrong} findings, the first: {report.Deliveries.Findings[0]}; --seed {options.Seed} repeats the accidents");
            isOver = !context.CommandLine.GetValue(Keep);
        }
        finally
        {
            if (isOver || stop.IsCancellationRequested)
                folder.Delete(recursive: true);
            else
                Log.TrialKept(context.Logger, folder.FullName);
        }
    }

    private static TrialOptions ReadOptions(VerbContext context)
    {
        var broker = context.Read(Broker)!;
        if (context.Read(WithPaho) && broker.Elsewhere is { Scheme: not "mqtt" } other)
            throw new UserException($"--publishers: paho's publishers do not reach '{other}': expected mqtt://, embedded or mosquitto as --broker, or own", ExitCode.Usage);
        var database = context.Read(Database);
        return new TrialOptions(
            broker.Elsewhere is { } elsewhere ? new Uri(elsewhere.ToString()) : null,
            broker.IsOwnMosquitto,
            context.Read(WithPaho),
            context.Read(Qos),
            context.Read(Messages),
            1 / context.Read(Rate)!.Shortest,
            context.Read(Kills),
            context.Read(CommonSettings.Seed) ?? Random.Shared.Next(),
            database ?? "",
            PostgresAddress.ConnectionOf(database),
            Folder: "");
    }

    private static async Task PublishAsync(VerbContext context, CancellationToken stop)
    {
        var broker = CommonSettings.ReadBroker(context.CommandLine, context.Sources, ClientId);
        var options = new SequenceOptions(context.Read(CommonSettings.PublishTopic)!, context.Read(Qos), TimeSpan.FromSeconds(context.Read(Rate)!.Shortest), context.Read(Count));
        using var log = PublisherLog.Open(context.Read(LogFile)!);
        await new SequencePublisher(broker.ToOptions(context.Time), options, log, context.Time).RunAsync(stop);
    }

    private static void Write(TextWriter output, BrokerChoice broker, TrialOptions options, TrialReport report)
    {
        var deliveries = report.Deliveries;
        (string Name, object Value)[] lines =
        [
            ("seed", options.Seed),
            ("broker", broker),
            ("publishers", options.WithPaho ? "paho" : "own"),
            ("store", Store.Describe(options.Database)),
            ("QoS", $"{options.Qos}: {Expectations.Of(options.Qos).Describe()}"),
            ("kills", report.Faults),
            ("sent", deliveries.Sent),
            ("sent again with DUP", deliveries.SentAgain),
            ("sent anew, session lost", deliveries.SentAnew),
            ("acknowledged", deliveries.Acknowledged),
            ("redelivered with DUP", report.Redelivered?.ToString() ?? "not known"),
            ("rows", deliveries.Rows),
            ("missing", deliveries.Missing),
            ("rows too many", deliveries.Extra),
            ("last results", $"{deliveries.RightResults} of {TrialOptions.Publishers} equal recalculation from the rows"),
            ("verdict", deliveries.Findings.Count == 0 ? "it balances" : "it does not balance"),
        ];
        foreach (var (name, value) in lines)
            output.Write($"{name,-24} {value}\n");
        foreach (var finding in deliveries.Findings.Take(MostFindings))
            output.Write($"finding: {finding}\n");
        if (deliveries.Findings.Count > MostFindings)
            output.Write($"and {deliveries.Findings.Count - MostFindings} more\n");
    }
}

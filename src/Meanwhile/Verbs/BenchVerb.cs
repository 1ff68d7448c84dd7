using System.CommandLine;
using System.Globalization;
using System.Net;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Stores;
using Meanwhile.Stores.Postgres;
using Meanwhile.Terminal;
using Meanwhile.Trials;
using Meanwhile.Trials.Benchmarking;
using Meanwhile.Trials.Benchmarking.Hostile;

namespace Meanwhile.Verbs;

/// <summary>Measures on this machine what the program does a second and how long it takes, each beside its limit.</summary>
internal static class BenchVerb
{
    private const string All = "all";

    private static readonly Setting<BrokerChoice> Broker = BrokerChoice.Setting;

    private static readonly Setting<string> Database = new(
        "--db", null, null, "FILE", "where stores are made for the time of the benchmark: a SQLite file that is not there, or postgres://user@host/database [default: a file in a temporary folder]", ParseNewDatabase)
    {
        Mask = Store.Describe,
    };

    private static readonly Setting<int> Qos = new("--qos", null, "1", "0|1|2", "quality of service of publishers and subscribers", text => (int)CommonSettings.ParseWhole(text, 0, 2));

    private static readonly Setting<double> Seconds = new("--seconds", null, "1", "NUMBER", "how long a round lasts", ParseSeconds);

    private static readonly Setting<int> Rounds = new("--rounds", null, "3", "NUMBER", "how many rounds are counted; one more warms up", text => (int)CommonSettings.ParseWhole(text, 1, 1000));

    private static readonly Setting<IReadOnlyList<long>> Sizes = new("--sizes", null, null, "NUMBERS", "what a scenario is measured at, with commas between [default: the scenario's own]", ParseSizes);

    private static readonly Setting<long?> HighestRate = new(
        "--highest", null, null, "NUMBER", "messages a second that the percents are of, so that two runs can be at the same rates [default: measured first]", text => CommonSettings.ParseWhole(text, 1, 100_000_000));

    private static readonly Option<string[]> Programs = new("--program") { HelpName = "FILE", Description = "a build of meanwhile to measure, instead of this one; several take turns" };

    private static readonly Option<string[]> Beside = new("--beside")
    {
        HelpName = "COMMAND",
        Description = "another subscriber to compare with in ingest, which publishes a result for each message; it is told BROKER, BROKER_PORT, TOPIC, STATS_TOPIC and DB_FILE in its environment",
    };

    private static readonly Setting<IReadOnlyList<string>> Attacks = new(
        "--attacks", null, null, "NAMES", $"only these attacks, separated by commas: {string.Join(", ", HostileScenario.Attacks.Select(attack => attack.Key))} [default: all]", ParseAttacks);

    private static readonly Setting<string> Json = new("--json", null, null, "FILE", "write the figures for machines to a file, or to standard output in place of the tables with -", text => text);

    private static readonly Setting<string> Svg = new("--svg", null, null, "FOLDER", "draw a chart of each scenario as bench-SCENARIO.svg in a folder", text => text);

    private static readonly Setting<IPEndPoint> Listen = new("--listen", null, null, "ADDRESS:PORT", "where it listens", IPEndPoint.Parse);

    private static readonly Setting<string> ClientId = CommonSettings.ClientId("bench");

    public static Command Command()
    {
        var command = new Command("bench", "measure rate and latency beside their limits, and account for every message");
        foreach (var scenario in Scenario.All.Append(Scenario.Hostile))
        {
            var sizes = scenario.Sizes.Count == 0 ? "" : $" [--sizes {string.Join(',', scenario.Sizes)}]";
            Option[] more = [.. scenario.Sizes.Count == 0 ? (Option[])[] : [Sizes.Option], .. scenario.IsOfHighestRate ? (Option[])[HighestRate.Option] : []];
            command.Subcommands.Add(VerbContext.Command(
                scenario.Name, scenario.Description + sizes, [.. scenario == Scenario.Hostile ? HostileOptions() : Options(), .. more], (context, stop) =>
                {
                    CheckSizes(context, scenario);
                    return RunAsync(context, [scenario], stop);
                }));
        }
        command.Subcommands.Add(VerbContext.Command(All, "all of these except hostile, one after the other", Options(), (context, stop) => RunAsync(context, Scenario.All, stop)));
        AddPart(command, VerbContext.Command(
            "reader", "a part of bench: a bare reader in the place of a broker", [Listen.Option], (context, stop) => BareReader.ListenAsync(context.Read(Listen)!, stop)));
        AddPart(command, VerbContext.Command("subscriber", "a part of bench: a bare subscriber", SubscriberOptions(), (context, stop) =>
            BareReader.SubscribeAsync(ReadBroker(context), context.Read(CommonSettings.Topic)!, context.Read(Qos), stop)));
        return command;
    }

    private static IEnumerable<Option> Options() =>
        [Broker.Option, Database.Option, Qos.Option, Seconds.Option, Rounds.Option, Programs, Beside, Json.Option, Svg.Option];

    private static IEnumerable<Option> HostileOptions() => [Seconds.Option, Rounds.Option, Attacks.Option, Programs, Json.Option];

    private static IEnumerable<Option> SubscriberOptions() => [CommonSettings.Broker.Option, CommonSettings.Topic.Option, Qos.Option, ClientId.Option];

    private static void AddPart(Command bench, Command part)
    {
        part.Hidden = true;
        bench.Subcommands.Add(part);
    }

    private static async Task RunAsync(VerbContext context, IReadOnlyList<Scenario> scenarios, CancellationToken stop)
    {
        var settings = ReadOptions(context);
        var (json, svg, began) = (context.Read(Json), context.Read(Svg), context.Time.GetUtcNow());
        var folder = Directory.CreateTempSubdirectory("meanwhile-bench-");
        var options = settings with { Folder = folder.FullName };
        var isOver = false;
        try
        {
            IReadOnlyList<ScenarioReport> reports = [];
            await ProgressBar.ShowAsync(
                "starting", async progress => reports = await new Benchmark(options, context.Time).RunAsync(scenarios, (done, text) => progress.Report(new(done, text)), stop), context.LogDiversion.Release);
            await WriteFilesAsync(json == "-" ? null : json, svg, WriteJson, reports, stop);
            if (json == "-")
                context.WriteBytes(WriteJson);
            else
                context.Write(output => Write(output, reports));

            void WriteJson(Stream output) => ReportJson.Write(output, options, options.Database is { } database ? Store.Describe(database) : "a SQLite file in a temporary folder", began, reports);
            if (reports.SelectMany(report => report.Findings).ToList() is { Count: > 0 } findings)
                throw new UserException($"{scenarios[0].Fault}: {findings.Count} findings, the first: {findings[0]}");
            isOver = true;
        }
        catch (Exception e) when (e is UserException or TrialException && stop.IsCancellationRequested)
        {
            // A terminal's Ctrl-C ends the processes of the benchmark as well, perhaps before it gets here.
        }
        finally
        {
            if (isOver || stop.IsCancellationRequested)
                folder.Delete(recursive: true);
            else
                Log.TrialKept(context.Logger, folder.FullName);
        }
    }

    private static void CheckSizes(VerbContext context, Scenario scenario)
    {
        if (scenario.Sizes.Count > 0 && context.Read(Sizes)?.Where(size => size < scenario.Bounds.Least || size > scenario.Bounds.Most).ToList() is [var wrong, ..])
            throw new UserException($"--sizes: {wrong} is beyond {scenario.Name}: expected numbers from {scenario.Bounds.Least} to {scenario.Bounds.Most}", ExitCode.Usage);
    }

    private static BenchOptions ReadOptions(VerbContext context)
    {
        var broker = context.Read(Broker)!;
        if (broker.Elsewhere is { Scheme: not "mqtt" } other)
            throw new UserException($"--broker: '{other}': prepared packets are sent as they are: expected mqtt://, embedded or mosquitto", ExitCode.Usage);
        var programs = context.CommandLine.GetValue(Programs) ?? [];
        if (Array.Find(programs, program => !File.Exists(program)) is { } missing)
            throw new UserException($"--program: '{missing}' is not there: expected the file of a built meanwhile", ExitCode.Usage);
        return new BenchOptions(
            broker.Elsewhere is { } address ? new Target(address.Host, address.Port, context.Read(CommonSettings.UserName), context.Read(CommonSettings.PasswordFile)) : null,
            broker.IsOwnMosquitto,
            context.Read(Database),
            PostgresAddress.ConnectionOf(context.Read(Database)),
            context.Read(Qos),
            TimeSpan.FromSeconds(context.Read(Seconds)),
            context.Read(Rounds),
            ReadIfThere(context, Sizes),
            ReadIfThere(context, HighestRate),
            [.. programs.Select(Path.GetFullPath)],
            context.CommandLine.GetValue(Beside) ?? [],
            ReadIfThere(context, Attacks) ?? [],
            Folder: "");
    }

    private static T? ReadIfThere<T>(VerbContext context, Setting<T> setting) =>
        context.CommandLine.CommandResult.Command.Options.Contains(setting.Option) ? context.Read(setting) : default;

    private static Target ReadBroker(VerbContext context)
    {
        var broker = CommonSettings.ReadBroker(context.CommandLine, context.Sources, ClientId);
        return new Target(broker.Address.Host, broker.Address.Port, broker.UserName, broker.Password);
    }

    private static void Write(TextWriter output, IReadOnlyList<ScenarioReport> reports)
    {
        foreach (var report in reports)
            ReportTable.Write(output, report);
    }

    private static async Task WriteFilesAsync(string? json, string? svg, Action<Stream> writeJson, IReadOnlyList<ScenarioReport> reports, CancellationToken stop)
    {
        try
        {
            if (json is not null)
            {
                await using var output = File.Create(json);
                writeJson(output);
            }
            if (svg is null)
                return;
            Directory.CreateDirectory(svg);
            foreach (var report in reports)
                await File.WriteAllTextAsync(Path.Combine(svg, $"bench-{report.Name}.svg"), Chart.Draw(report), stop);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{json ?? svg}: cannot be written ({e.Message}): expected a place for the figures and charts", inner: e);
        }
    }

    private static string ParseNewDatabase(string text)
    {
        var name = CommonSettings.ParseDbFile(text);
        return File.Exists(name) ? throw new FormatException("a file that is not there yet, because it is deleted afterwards") : name;
    }

    private static double ParseSeconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.1 and <= 3600
            ? seconds
            : throw new FormatException("seconds, from 0.1 to 3600");

    private static string[] ParseAttacks(string text)
    {
        var names = text.Split(',');
        return Array.Find(names, name => HostileScenario.Attacks.All(attack => attack.Key != name)) is { } unknown
            ? throw new FormatException($"names of attacks; '{unknown}' is not one (see --help)")
            : names;
    }

    private static IReadOnlyList<long> ParseSizes(string text) => [.. text.Split(',').Select(size => CommonSettings.ParseWhole(size, 0, long.MaxValue))];
}

using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Meanwhile.Mqtt.Client;
using Meanwhile.Trials;
using Meanwhile.Windows;

namespace Meanwhile.Tests;

/// <summary>
/// Holds the arrows between the folders of the product, as the compiled assemblies have them. Constants and members of enumerations leave no trace there. Nor does ArchUnitNET see a type
/// that a method names only as the argument of a generic one, or as the parameter of a method that it calls.
/// </summary>
public class LayersTests
{
    // Each folder with all that it uses. An empty line ends a tier, and arrows lead to tiers further down: so there are no cycles, and no arrows within a tier.
    // "Meanwhile" is what lies in no folder of the program, "Shared" what is compiled into several projects.
    private const string Table = """
        Verbs: Access, Clients, Feeds, History, HomeAssistant, Logging, Meanwhile, Mqtt.Broker, Mqtt.Client, Pipeline, Settings, Stores, Telemetry, Terminal, Trials, Trials.Benchmarking, Trials.Verification, Web, Windows

        Settings: Clients, Feeds, HomeAssistant, Meanwhile, Mqtt.Broker, Mqtt.Wire, Pipeline, Stores, Telemetry, Web, Windows

        Web: History, Logging, Meanwhile, Mqtt.Broker, Mqtt.Wire, Pipeline, Stores, Windows

        Clients: Feeds, Logging, Meanwhile, Mqtt.Client, Mqtt.Delivery, Mqtt.Wire, Stores, Terminal
        History: Meanwhile, Mqtt.Wire, Pipeline, Stores, Windows
        HomeAssistant: Feeds, Logging, Meanwhile, Mqtt.Client, Mqtt.Delivery, Mqtt.Session, Mqtt.Wire, Pipeline, Windows
        Telemetry: Feeds, Logging, Mqtt.Broker, Mqtt.Session, Pipeline, Windows

        Pipeline: Feeds, Logging, Meanwhile, Mqtt.Broker, Mqtt.Delivery, Mqtt.Wire, Stores, Windows

        Feeds: Access, Logging, Meanwhile, Mqtt.Broker, Mqtt.Client, Mqtt.Delivery, Mqtt.Session, Mqtt.Wire, Stores

        Access: Logging, Meanwhile, Mqtt.Broker, Mqtt.Session, Mqtt.Wire
        Stores: Logging, Meanwhile, Mqtt.Delivery, Mqtt.Session, Mqtt.Wire, Shared

        Terminal: Logging, Meanwhile

        Logging
        Meanwhile

        Trials.Benchmarking: Trials, Trials.Processes
        Trials.Verification: Mqtt.Client, Mqtt.Delivery, Mqtt.Session, Mqtt.Wire, Trials, Trials.Processes

        Trials.Processes: Trials

        Trials

        Mqtt.Broker: Mqtt.Delivery, Mqtt.Session, Mqtt.Wire
        Mqtt.Client: Mqtt.Delivery, Mqtt.Session, Mqtt.Wire, Shared

        Mqtt.Session: Mqtt.Delivery, Mqtt.Wire

        Mqtt.Delivery: Mqtt.Wire

        Mqtt.Wire
        Shared
        Windows
        """;

    private static readonly Architecture Product = new ArchLoader().LoadAssemblies(typeof(UserException).Assembly, typeof(TrialException).Assembly, typeof(MqttClient).Assembly, typeof(SlidingSeries).Assembly).Build();

    private static readonly ILookup<string, string> Found = Product.Types.Where(IsOurs)
        .SelectMany(type => type.Dependencies.Select(dependency => dependency.Target).Where(IsOurs), (type, used) => (Arrow: (From: FolderOf(type), To: FolderOf(used)), Example: $"{type.Name} uses {used.Name}"))
        .Where(found => found.Arrow.From != found.Arrow.To)
        .Distinct()
        .ToLookup(found => $"{found.Arrow.From} -> {found.Arrow.To}", found => found.Example, StringComparer.Ordinal);

    private static readonly (string Folder, string[] Uses, int Tier)[] Rows = [.. Table.Split("\n\n").SelectMany((tier, number) =>
        tier.Split('\n').Select(row => row.Split(": ")).Select(row => (row[0], row.Length > 1 ? row[1].Split(", ") : [], number)))];

    private static readonly string[] Allowed = [.. Rows.SelectMany(row => row.Uses, (row, used) => $"{row.Folder} -> {used}")];

    [Fact]
    public void Every_arrow_is_in_the_table() =>
        RequireNone(Found.Where(arrow => !Allowed.Contains(arrow.Key)).Select(arrow => $"{arrow.Key} is not in the table ({string.Join(", ", arrow.Take(5))})"));

    [Fact]
    public void Every_arrow_of_the_table_is_used() =>
        RequireNone(Allowed.Where(arrow => !Found.Contains(arrow)).Select(arrow => $"{arrow} is not used any more: take it out of the table"));

    [Fact]
    public void Every_arrow_leads_down()
    {
        var tiers = Rows.ToDictionary(row => row.Folder, row => row.Tier, StringComparer.Ordinal);
        RequireNone(Rows.SelectMany(row => row.Uses.Where(used => tiers[used] <= row.Tier), (row, used) => $"{row.Folder} -> {used}"));
    }

    [Fact]
    public void Only_Store_knows_which_kinds_of_store_there_are()
    {
        var uses = Product.Types.Where(type => type.Namespace.FullName.StartsWith("Meanwhile.Stores", StringComparison.Ordinal))
            .SelectMany(type => type.Dependencies, (type, dependency) => (Type: type, Used: dependency.Target.FullName))
            .Where(use => IsOf("Sqlite", use.Used) && !IsOf("Sqlite", use.Type.FullName) || IsOf("Postgres", use.Used) && !IsOf("Postgres", use.Type.FullName))
            .Select(use => use.Type.Name);
        Assert.Equal(["Store"], uses.Distinct());

        static bool IsOf(string kind, string type) => type.StartsWith($"Meanwhile.Stores.{kind}.", StringComparison.Ordinal);
    }

    [Fact]
    public void The_libraries_do_not_know_each_other_nor_the_program()
    {
        foreach (var library in new[] { typeof(MqttClient).Assembly, typeof(SlidingSeries).Assembly })
            Assert.DoesNotContain(library.GetReferencedAssemblies(), a => a.Name!.StartsWith("Meanwhile", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Every_name_stands_for_one_type() =>
        RequireNone(Product.Types.Where(type => IsOurs(type) && !type.IsNested)
            .GroupBy(type => type.Name.Split('`')[0], type => type.FullName, StringComparer.Ordinal)
            .Where(types => types.Distinct().Count() > 1)
            .Select(types => $"{string.Join(", ", types.Distinct())}: expected names that differ"));

    [Fact]
    public void No_type_has_the_name_of_a_folder()
    {
        const string Delivery = "Meanwhile.Feeds.Delivery"; // A message that is to be acknowledged: the word that brokers use. The folder is about the guarantees.
        var folders = Product.Types.Where(IsOurs).SelectMany(type => type.Namespace.FullName.Split('.')).ToHashSet(StringComparer.Ordinal);
        Assert.Equal([Delivery], Product.Types.Where(type => IsOurs(type) && folders.Contains(type.Name)).Select(type => type.FullName));
    }

    private static void RequireNone(IEnumerable<string> findings)
    {
        var all = findings.ToArray();
        Assert.True(all.Length == 0, string.Join('\n', all));
    }

    // But for Program, which calls the verbs: ArchUnitNET leaves out what the compiler makes of statements without a class.
    private static bool IsOurs(IType type) => type.FullName.StartsWith("Meanwhile.", StringComparison.Ordinal);

    // Folders within a folder of the program, or of a library's, belong to it.
    private static string FolderOf(IType type) => type.Namespace.FullName.Split('.') switch
    {
        ["Meanwhile", ("Mqtt" or "Trials") and var project, var folder, ..] => $"{project}.{folder}",
        ["Meanwhile", var folder, ..] => folder,
        _ => "Meanwhile",
    };
}

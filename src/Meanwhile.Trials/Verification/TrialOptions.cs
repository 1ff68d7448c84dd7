using System.Globalization;

namespace Meanwhile.Trials.Verification;

/// <summary>What a trial puts the program through.</summary>
/// <param name="Broker">A broker elsewhere; null for the embedded one, or for a mosquitto of the trial's own.</param>
/// <param name="OwnMosquitto">Start one.</param>
/// <param name="WithPaho">Eclipse paho publishes, and not this program.</param>
/// <param name="Qos">Of the publishers.</param>
/// <param name="Messages">At least so many are sent.</param>
/// <param name="Rate">Messages a second, all publishers together.</param>
/// <param name="Kills">How many processes are killed.</param>
/// <param name="Seed">Decides what happens when.</param>
/// <param name="Database">The store, as --db names it.</param>
/// <param name="DatabaseServer">How Npgsql connects to that store; null where it is a SQLite file.</param>
/// <param name="Folder">For logs, and for what mosquitto keeps.</param>
internal sealed record TrialOptions(Uri? Broker, bool OwnMosquitto, bool WithPaho, int Qos, long Messages, double Rate, int Kills, int Seed, string Database, string? DatabaseServer, string Folder)
{
    /// <summary>How many processes publish.</summary>
    public const int Publishers = 4;

    /// <summary>The windows of the results; a day, so that nothing expires before it is accounted for, however long the trial takes.</summary>
    public static IReadOnlyList<ResultWindow> Windows { get; } = [new("1min", 60_000), new("5min", 300_000), new("30min", 1_800_000), new("1d", 86_400_000)];

    /// <summary>The built-in broker, in the aggregator.</summary>
    public bool IsEmbedded => Broker is null && !OwnMosquitto;

    /// <summary>Tells this trial's topics and clients from those of others at the same broker or store.</summary>
    public string Name { get; } = $"verify/{Guid.NewGuid():n}";

    /// <summary>Where results go.</summary>
    public string StatsTopic => Name + "/results";

    /// <summary>The topics of the publishers.</summary>
    public IEnumerable<string> Topics => Enumerable.Range(1, Publishers).Select(i => $"{Name}/readings/{i}");

    /// <summary>The command line of the aggregator.</summary>
    public IEnumerable<string> AggregatorArguments(string broker, string readyFile) =>
    [
        "aggregate", "--broker", broker, "--topic", Name + "/readings/+", "--stats-topic", StatsTopic, "--db", Database, "--windows", string.Join(',', Windows.Select(window => window.Name)), "--stats", "count",
        "--client-id", ClientId("aggregate"), "--ready-file", readyFile, .. IsEmbedded ? ["--broker-db", Path.Combine(Folder, "broker.db")] : (string[])[],
    ];

    /// <summary>The command line of a publisher.</summary>
    /// <param name="number">From 1 on.</param>
    /// <param name="count">How many messages it sends; null for until it is told to stop.</param>
    public IEnumerable<string> PublisherArguments(int number, Uri broker, string log, int? count) =>
    [
        "verify", "publisher", "--broker", broker.OriginalString, "--topic", Topics.ElementAt(number - 1), "--qos", $"{Qos}", "--rate", $"{Rate / Publishers}",
        "--client-id", ClientId($"publish-{number}"), "--log", log, .. count is null ? (string[])[] : ["--count", $"{count}"],
    ];

    /// <summary>The command line of paho's script.</summary>
    /// <inheritdoc cref="PublisherArguments"/>
    public IEnumerable<string> PahoArguments(int number, Uri broker, string log, int? count) =>
    [
        broker.DnsSafeHost, $"{broker.Port}", Topics.ElementAt(number - 1), $"{Qos}", string.Create(CultureInfo.InvariantCulture, $"{Rate / Publishers}"), ClientId($"publish-{number}"), log,
        .. count is null ? (string[])[] : [$"{count}"],
    ];

    /// <summary>A client id of this trial's.</summary>
    public string ClientId(string role) => $"{Name[..15].Replace('/', '-')}-{role}";
}

/// <summary>A window of the results.</summary>
/// <param name="Name">As --windows and the results name it.</param>
internal readonly record struct ResultWindow(string Name, long Milliseconds);

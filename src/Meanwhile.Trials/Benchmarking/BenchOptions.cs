namespace Meanwhile.Trials.Benchmarking;

/// <summary>What is measured, and with what.</summary>
/// <param name="Broker">A broker elsewhere; null for the embedded one, or for a mosquitto of the benchmark's own.</param>
/// <param name="OwnMosquitto">Start one.</param>
/// <param name="Database">The store, as --db names it; null for files in the scratch folder.</param>
/// <param name="DatabaseServer">How Npgsql connects to that store; null where stores are SQLite files.</param>
/// <param name="Qos">Of publishers and subscribers.</param>
/// <param name="Duration">Of a round.</param>
/// <param name="Rounds">How many are counted; one more comes before them, to warm everybody up.</param>
/// <param name="Sizes">What the scenario is measured at; null for its own.</param>
/// <param name="HighestRate">What percents are of, messages a second; null where it is measured first.</param>
/// <param name="Programs">Builds of this program; this one when there are none.</param>
/// <param name="Beside">Other subscribers to compare with.</param>
/// <param name="Attacks">Of the hostile scenario; none for all.</param>
/// <param name="Folder">For logs and scratch files.</param>
internal sealed record BenchOptions(
    Target? Broker,
    bool OwnMosquitto,
    string? Database,
    string? DatabaseServer,
    int Qos,
    TimeSpan Duration,
    int Rounds,
    IReadOnlyList<long>? Sizes,
    long? HighestRate,
    IReadOnlyList<string> Programs,
    IReadOnlyList<string> Beside,
    IReadOnlyList<string> Attacks,
    string Folder)
{
    /// <summary>The built-in broker, in the aggregator.</summary>
    public bool IsEmbedded => Broker is null && !OwnMosquitto;

    /// <summary>The broker in words.</summary>
    public string BrokerName => IsEmbedded ? "embedded" : OwnMosquitto ? "mosquitto" : Broker!.ToString();

    /// <summary>Whether the store is a SQLite file.</summary>
    public bool HasFile => DatabaseServer is null;
}

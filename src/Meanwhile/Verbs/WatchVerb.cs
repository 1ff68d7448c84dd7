using System.CommandLine;
using Meanwhile.Clients;
using Meanwhile.Feeds;
using Meanwhile.Pipeline;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>The seed's stats subscriber: the table.</summary>
internal static class WatchVerb
{
    private static readonly Setting<string> ClientId = new(
        "--client-id", "MQTT_CLIENT_ID", null, "ID", "client id at the broker [default stats_subscriber- and something random]", text => text);

    private static readonly Setting<string> Filter = new(
        "--stats-topic", "STATS_TOPIC", "STATS", "FILTER", "topic or filter of the results", TopicName.ParseFilter);

    public static Command Command() => VerbContext.Command(
        "watch",
        "print a table for each result, or show all series live",
        [
            CommonSettings.Broker.Option, CommonSettings.Topic.Option, Filter.Option, CommonSettings.UserName.Option, CommonSettings.PasswordFile.Option,
            ClientId.Option, CommonSettings.ReadyFile.Option, ResultDisplay.Live,
        ],
        RunAsync);

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        // Results of many series go to topics below STATS_TOPIC; TOPIC says whether there are many.
        var results = context.Read(Filter)!;
        var readings = new AggregatorOptions(context.Read(CommonSettings.Topic)!, results);
        var filter = readings.HasWildcards && results.AsSpan().IndexOfAny('+', '#') < 0 ? results + "/#" : results;

        var broker = CommonSettings.ReadBroker(context.CommandLine, context.Sources, ClientId, StatsWatcher.NewClientId());
        var readyFile = context.Read(CommonSettings.ReadyFile);
        await using var display = ResultDisplay.Start(context, $"{broker.Address} {filter}", namesTopics: filter.AsSpan().IndexOfAny('+', '#') >= 0, stop);
        await new StatsWatcher(broker, filter, display.Show, new ReadyFile(readyFile, display.Connect), context.Logger, context.Time).RunAsync(display.Stop);
    }
}

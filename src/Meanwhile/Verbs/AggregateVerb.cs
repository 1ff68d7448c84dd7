using System.CommandLine;
using Meanwhile.Feeds;
using Meanwhile.HomeAssistant;
using Meanwhile.Logging;
using Meanwhile.Pipeline;
using Meanwhile.Settings;
using Meanwhile.Stores;
using Meanwhile.Telemetry;
using Meanwhile.Web;

namespace Meanwhile.Verbs;

/// <summary>The seed's subscriber: stores readings, expires them, computes and publishes results.</summary>
internal static class AggregateVerb
{
    private static readonly Setting<string> BrokerDatabase = new(
        "--broker-db", null, null, "FILE", "SQLite file of the embedded broker's sessions and queues [default: DB_FILE.broker, or tmp/broker.db where that is no file]", CommonSettings.ParseFile);

    private static readonly Setting<string> ClientId = CommonSettings.ClientId("subscriber");

    public static Command Command() => VerbContext.Command(
        "aggregate",
        "commit readings to the store, and publish their statistics",
        [
            CommonSettings.Broker.Option, CommonSettings.Topic.Option, CommonSettings.StatsTopic.Option, CommonSettings.DbFile.Option,
            .. AggregatorSettings.Options,
            .. HttpSettings.Options,
            .. HomeAssistantSettings.Options,
            .. EmbeddedSettings.Options,
            BrokerDatabase.Option,
            CommonSettings.UserName.Option, CommonSettings.PasswordFile.Option, ClientId.Option, CommonSettings.ReadyFile.Option,
        ],
        RunAsync);

    /// <summary>Runs the data path over a feed until told to stop, then disposes the feed, which takes leave, and shows the ledger.</summary>
    public static async Task RunAsync(VerbContext context, IFeed feed, IStore store, PipelineStatus status, CancellationToken stop, Announcer? announcer = null)
    {
        status.Feed = feed;
        var aggregator = new Aggregator(feed, store, status.Options, status, context.Logger, context.Time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var feeding = feed.RunAsync(ending.Token);
        var announcing = announcer?.RunAsync(ending.Token) ?? Task.CompletedTask;
        try
        {
            await aggregator.RunAsync(stop);
        }
        finally
        {
            await ending.CancelAsync();
            try
            {
                await announcing;
                await (announcer?.DisposeAsync() ?? default);
                await feed.DisposeAsync();
            }
            finally
            {
                Log.LedgerAtEnd(context.Logger, status.Ledger);
            }
        }
        await feeding;
    }

    /// <summary>Makes metrics when somebody wants them, and sends what is to be sent; null when that is nothing.</summary>
    public static OtlpExport? Export(VerbContext context, HttpOptions? http, PipelineStatus status)
    {
        var (otlp, metricSeries) = (OtlpSettings.Read(context.CommandLine, context.Sources), context.Read(HttpSettings.MetricSeries));
        if (http is not null || otlp is not null)
            new Gauges(status, metricSeries, context.Time).Register();
        return otlp is null ? null : new OtlpExport(otlp, status, context.Logger, context.Time);
    }

    /// <summary>Serves what there is to see; null when nothing was asked for.</summary>
    public static async Task<WebServer?> ServeAsync(VerbContext context, HttpOptions? http, PipelineStatus status, CancellationToken stop) => http is null
        ? null
        : await WebServer.StartAsync(http, context.Read(CommonSettings.DbFile)!, status, context.Logger, context.Time, stop);

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var address = context.Read(CommonSettings.Broker)!;
        context.Reload = address.IsEmbedded ? () => { } : () => Log.NothingToReload(context.Logger); // What there is to be read again has not been read yet.
        var options = AggregatorSettings.Read(context.CommandLine, context.Sources);
        var home = HomeAssistantSettings.Read(context.CommandLine, context.Sources, context.Read(ClientId)!);
        if (home is not null)
            options = options with { OwnTopics = Sensors.TopicsOf(home) };
        var http = HttpSettings.Read(context.CommandLine, context.Sources);
        var ready = new ReadyFile(context.Read(CommonSettings.ReadyFile));
        using var status = new PipelineStatus(options, context.Time);
        using var stopping = stop.Register(status.Stop);
        await using var export = Export(context, http, status);
        await using var web = await ServeAsync(context, http, status, stop);
        if (address.IsEmbedded)
        {
            if (options.Filter.StartsWith("$share/", StringComparison.Ordinal))
                throw new UserException($"TOPIC: '{options.Filter}' is shared between clients of a broker elsewhere: expected a plain filter for the embedded one", ExitCode.Usage);
            var inside = home is null ? null : new InsideLogin();
            var embedded = EmbeddedSettings.Read(context.CommandLine, context.Sources, new ListenAddress(address.EndPoint));
            embedded = embedded with { Inside = inside, Limits = embedded.Limits with { SetAside = () => status.HeldForReaders } };
            var database = context.Read(CommonSettings.DbFile)!;
            using var store = await Store.OpenAsync(database, AggregatorSettings.ReadStore(context.CommandLine, context.Sources, Store.EmbeddedSessions, options.Filter), context.Logger, context.Time, stop);
            using var brokerStore = await Store.OpenBrokerAsync(context.Read(BrokerDatabase) ?? Store.BrokerFileOf(database), context.Logger, context.Time, stop);
            status.StoreIsThere = true;
            var feed = await EmbeddedFeed.StartAsync(embedded, brokerStore, options.Takes, store.ReadSession().ReceivedIds, context.Logger, context.Time, stop);
            context.Reload = feed.Reload;
            ready.Set(true);
            await RunAsync(context, feed, store, status, stop, Announcer(inside?.SettingsFor(feed.InsideEndPoint, AnnouncerOf(context.Read(ClientId)!))));
            ready.Set(false);
        }
        else
        {
            EmbeddedSettings.RequireNone(context.CommandLine, address);
            var broker = CommonSettings.ReadBroker(context.CommandLine, context.Sources, ClientId);
            using var store = await Store.OpenAsync(context.Read(CommonSettings.DbFile)!, AggregatorSettings.ReadStore(context.CommandLine, context.Sources, $"{broker.ClientId}@{address}", options.Filter), context.Logger, context.Time, stop);
            status.StoreIsThere = true;
            var feed = new MqttFeed(broker, options.Filter, store.ReadSession(), ready, status.Ledger.RefuseResult, context.Logger, context.Time);
            await RunAsync(context, feed, store, status, stop, Announcer(broker with { ClientId = AnnouncerOf(broker.ClientId) }));
        }

        static string AnnouncerOf(string clientId) => $"{clientId}-homeassistant";

        Announcer? Announcer(BrokerSettings? broker) => home is null || broker is null
            ? null
            : new Announcer(broker, home, status, context.Logger, context.Time);
    }
}

using System.CommandLine;
using System.Net;
using Meanwhile.Clients;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Pipeline;
using Meanwhile.Settings;
using Meanwhile.Stores;

namespace Meanwhile.Verbs;

/// <summary>The seed's four processes in one, without any set-up: they talk MQTT to each other over loopback.</summary>
internal static class DemoVerb
{
    private static readonly IPEndPoint Preferred = new(IPAddress.Loopback, 1883);
    private static readonly IPEndPoint PreferredHttp = new(IPAddress.Loopback, 8080);

    public static Command Command() => VerbContext.Command(
        "demo",
        "broker, publisher, aggregator and table in one process",
        [
            CommonSettings.PublishTopic.Option, CommonSettings.StatsTopic.Option, CommonSettings.DbFile.Option, CommonSettings.Interval.Option,
            CommonSettings.Rate.Option, CommonSettings.Seed.Option, ResultDisplay.Live, .. HttpSettings.Options,
        ],
        RunAsync);

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var publisherOptions = new PublisherOptions(
            context.Read(CommonSettings.PublishTopic)!, Qos: 1, CommonSettings.ReadPace(context.CommandLine, context.Sources), Count: null, context.Read(CommonSettings.Seed));
        var options = AggregatorSettings.Check(new(publisherOptions.Topic, context.Read(CommonSettings.StatsTopic)!));
        var database = context.Read(CommonSettings.DbFile)!;
        await using var display = ResultDisplay.Start(context, $"demo {options.StatsTopic}", namesTopics: false, stop);
        stop = display.Stop;
        using var status = new PipelineStatus(options, context.Time);
        using var stopping = stop.Register(status.Stop);
        var http = HttpSettings.Read(context.CommandLine, context.Sources, byDefault: PreferredHttp);
        await using var export = AggregateVerb.Export(context, http, status);
        await using var web = await AggregateVerb.ServeAsync(context, http, status, stop);
        using var store = await Store.OpenAsync(database, new StoreOptions(Store.EmbeddedSessions, options.Filter), context.Logger, context.Time, stop);
        using var brokerStore = await Store.OpenBrokerAsync(Store.BrokerFileOf(database), context.Logger, context.Time, stop);
        var endPoint = EmbeddedBroker.IsFree(Preferred) ? Preferred : new IPEndPoint(IPAddress.Loopback, 0);
        status.StoreIsThere = true;
        var feed = await EmbeddedFeed.StartAsync(
            new EmbeddedOptions([new ListenAddress(endPoint)]) { Limits = new BrokerLimits { SetAside = () => status.HeldForReaders } }, brokerStore, options.Takes, store.ReadSession().ReceivedIds, context.Logger, context.Time, stop);
        Log.DemoStarts(context.Logger, feed.EndPoint, Store.Describe(database));

        var address = new BrokerAddress("mqtt", feed.EndPoint.Address.ToString(), feed.EndPoint.Port, "");
        var subscribed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var aggregating = new CancellationTokenSource();

        var aggregator = AggregateVerb.RunAsync(context, feed, store, status, aggregating.Token);
        var watcher = new StatsWatcher(ClientOf(address, StatsWatcher.NewClientId()), options.StatsTopic, display.Show, new ReadyFile(null, Subscribed), context.Logger, context.Time).RunAsync(ending.Token);
        var publisher = PublishWhenWatchedAsync();

        // The publisher leaves first, then the table, then the aggregator, so that nothing is cut off that is on its way.
        await Task.WhenAny(aggregator, watcher, publisher);
        await ending.CancelAsync();
        await Task.WhenAll(watcher, publisher).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await aggregating.CancelAsync();
        await Task.WhenAll(aggregator, watcher, publisher);

        void Subscribed(bool isSubscribed)
        {
            if (isSubscribed)
                subscribed.TrySetResult();
            display.Connect(isSubscribed);
        }

        async Task PublishWhenWatchedAsync()
        {
            await Task.WhenAny(subscribed.Task, watcher);
            await new Publisher(ClientOf(address, "publisher"), publisherOptions, context.Logger, context.Time).RunAsync(ending.Token);
        }
    }

    private static BrokerSettings ClientOf(BrokerAddress address, string clientId) => new(address, clientId, UserName: null, Password: null);
}

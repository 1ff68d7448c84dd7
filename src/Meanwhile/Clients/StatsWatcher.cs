using System.Security.Cryptography;
using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Stores;
using Meanwhile.Terminal;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Clients;

/// <summary>The seed's stats subscriber, but for what it shows: a viewer, of which there may be any number, and which leaves nothing behind at the broker.</summary>
/// <param name="broker">Where results come from.</param>
/// <param name="filter">Their topics.</param>
/// <param name="show">Takes a result: its topic and its members.</param>
/// <param name="ready">Whether it is subscribed.</param>
internal sealed class StatsWatcher(
    BrokerSettings broker, string filter, Action<string, IReadOnlyList<StatsMember>> show, ReadyFile ready, ILogger logger, TimeProvider time)
{
    private const string NotAskedFor = "it matches no filter in force";
    private static readonly SessionState NoSession = new(new Dictionary<string, IReadOnlyCollection<ushort>>(StringComparer.Ordinal), Subscription: null);

    private readonly LogLimiter _limiter = new(time);
    private readonly List<Delivery> _taken = [];

    /// <summary>A client id that nobody else has; 23 characters, which every broker takes [MQTT-3.1.3-5].</summary>
    public static string NewClientId() => $"stats_subscriber-{RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", 6)}";

    /// <summary>Watches until told to stop.</summary>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        var running = Task.CompletedTask;
        await using (var feed = new MqttFeed(broker, filter, NoSession, ready, static () => { }, logger, time, isViewer: true))
        {
            running = feed.RunAsync(stop);
            while (await feed.Deliveries.WaitToReadAsync(CancellationToken.None)) // They end when it is told to stop.
                TakeAll(feed);
        }
        await running;
    }

    private void TakeAll(MqttFeed feed)
    {
        while (feed.Deliveries.TryRead(out var delivery))
        {
            if (delivery.Kind == DeliveryKind.Message)
                Show(delivery);
            else if (delivery.Kind == DeliveryKind.Surplus && _limiter.MayLog(NotAskedFor, out var repeated))
                Log.Ignored(logger, NotAskedFor, delivery.Topic, repeated);
            _taken.Add(delivery);
        }
        feed.Acknowledge(_taken);
        _taken.Clear();
    }

    private void Show(in Delivery delivery)
    {
        if (logger.IsEnabled(LogLevel.Debug))
            Log.Received(logger, delivery.Topic, Encoding.UTF8.GetString(delivery.Payload.Span));
        if (StatsResult.TryParse(delivery.Payload.Span, out var members, out var reason))
            show(delivery.Topic, members);
        else if (_limiter.MayLog(reason!, out var repeated))
            Log.NoResult(logger, reason!, delivery.Topic, repeated);
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Feeds;

/// <summary>What the embedded broker says of itself, on the topics that mosquitto has for it, retained.</summary>
/// <param name="broker">The broker.</param>
/// <param name="refusals">What it refused.</param>
/// <param name="time">The clock.</param>
internal sealed class BrokerStatus(MqttBroker broker, Refusals refusals, TimeProvider time)
{
    private const string Root = "$SYS/broker/";
    private const int MostQueues = 10;
    private static readonly string Version = typeof(BrokerStatus).Assembly.GetName().Version!.ToString(3);

    private readonly Dictionary<string, string> _published = new(StringComparer.Ordinal);
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _next;

    /// <summary>Publishes what has changed, when the time has come; null for never.</summary>
    public void PublishAtTimes(TimeSpan? interval)
    {
        var uptime = time.GetElapsedTime(_start);
        if (interval is null || uptime < _next)
            return;
        _next = interval.Value * (Math.Floor(uptime / interval.Value) + 1);
        foreach (var (topic, value) in Values(uptime))
        {
            if (_published.TryGetValue(topic, out var last) && last == value)
                continue;
            _published[topic] = value;
            broker.Publish(new Message { Topic = Root + topic, Payload = Encoding.UTF8.GetBytes(value), Retain = true });
        }
    }

    private IEnumerable<(string Topic, string Value)> Values(TimeSpan uptime)
    {
        var statistics = broker.Statistics;
        yield return ("version", $"meanwhile version {Version}");
        yield return ("uptime", $"{Text((long)uptime.TotalSeconds)} seconds");
        yield return ("clients/connected", Text(statistics.Clients));
        yield return ("clients/total", Text(statistics.Sessions));
        yield return ("subscriptions/count", Text(statistics.Subscriptions));
        yield return ("retained messages/count", Text(statistics.Retained));
        yield return ("publish/messages/received", Text(statistics.MessagesReceived));
        yield return ("publish/messages/sent", Text(statistics.MessagesSent));
        yield return ("publish/messages/dropped", Text(statistics.MessagesDropped));
        yield return ("bytes/received", Text(statistics.BytesReceived));
        yield return ("bytes/sent", Text(statistics.BytesSent));
        var filling = broker.FillingQueues;
        yield return ("queues/half", Text(filling.Count));
        yield return ("queues/nine tenths", Text(filling.Count(fill => fill.Level >= QueueLevel.NineTenths)));
        yield return ("queues/full", Text(filling.Count(fill => fill.Level == QueueLevel.Full)));
        yield return ("queues/fullest", $"[{string.Join(", ", filling.Take(MostQueues).Select(Describe))}]");
        yield return ("dropped/expired", Text(statistics.MessagesExpired));
        yield return ("dropped/too large", Text(statistics.MessagesTooLarge));
        yield return ("dropped/unreadable", Text(statistics.MessagesUnreadable));
        yield return ("dropped/unsent", Text(statistics.MessagesUnsent));
        yield return ("dropped/discarded", Text(statistics.MessagesDiscarded));
        yield return ("dropped/not taken in", Text(statistics.MessagesNotTakenIn));
        yield return ("dropped/no memory", Text(statistics.MessagesWithoutMemory));
        yield return ("refused/connections", Text(refusals.Count(RefusalKind.Connection)));
        yield return ("refused/logins", Text(refusals.Count(RefusalKind.Login)));
        yield return ("refused/messages", Text(refusals.Count(RefusalKind.Message)));
        yield return ("refused/sessions", Text(refusals.Count(RefusalKind.Session)));
        yield return ("refused/subscriptions", Text(refusals.Count(RefusalKind.Subscription)));
    }

    private static string Describe(QueueFill fill) =>
        $"{{\"client\": \"{JsonEncodedText.Encode(fill.ClientId)}\", \"percent\": {Text((long)(fill.Ratio * 100))}, \"messages\": {Text(fill.Messages)}, \"bytes\": {Text(fill.Bytes)}}}";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

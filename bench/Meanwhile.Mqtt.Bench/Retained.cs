using System.Net;
using System.Net.Sockets;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Mqtt.Bench;

/// <summary>SUBSCRIBE with many filters against many retained messages: how long it takes, and what others notice of it.</summary>
internal static class Retained
{
    private const int Messages = 100_000;
    private const int Filters = 1000;

    private static readonly (string Name, Func<int, string> Filter)[] Kinds =
    [
        ("one topic", static _ => "d/7/x/7"),
        ("d/7/#", static _ => "d/7/#"),
        ("+/+/x/N", static i => $"+/+/x/{i}"),
        ("+/+/+/N", static i => $"+/+/+/{i}"),
        ("d/+/+/zzzN", static i => $"d/+/+/zzz{i}"),
        ("# and the like", static i => string.Join('/', Enumerable.Range(0, 10).Select(bit => (i >> bit & 1) == 0 ? "+" : "d").Take(1 + (i % 4)).Append("#"))),
        ("the same 1,000 times", static _ => "+/+/zzz/+"),
    ];

    /// <summary>Prints the times for each kind of filters.</summary>
    public static async Task RunAsync()
    {
        var filling = TimeProvider.System.GetTimestamp();
        await using var broker = await MqttBroker.StartAsync(new BrokerOptions { Listeners = [new ListenerOptions(new IPEndPoint(IPAddress.Loopback, 0))] }, CancellationToken.None);
        for (var i = 0; i < Messages; i++)
            broker.Publish(new Message { Topic = $"d/{i % 100}/x/{i}", Payload = "1"u8.ToArray(), Retain = true });
        Console.WriteLine($"{Messages:N0} retained in {TimeProvider.System.GetElapsedTime(filling).TotalMilliseconds:N0} ms; {GC.GetTotalMemory(forceFullCollection: true) >> 20} MiB");
        foreach (var (name, filter) in Kinds)
        {
            for (var round = 0; round < 2; round++) // Compiled in the first one.
                await MeasureAsync(broker.EndPoints[0], name, [.. Enumerable.Range(0, Filters).Select(filter)], isShown: round == 1);
        }
    }

    private static async Task MeasureAsync(IPEndPoint endPoint, string name, string[] filters, bool isShown)
    {
        using var other = await ConnectAsync(endPoint, "other");
        using var subscriber = await ConnectAsync(endPoint, "subscriber");
        var (times, isOver) = (new List<double>(), false);
        var publishing = Task.Run(async () =>
        {
            byte[] publish = [0x32, 6, 0, 1, (byte)'p', 0, 1, (byte)'1'];
            while (!Volatile.Read(ref isOver))
            {
                var sent = TimeProvider.System.GetTimestamp();
                await other.GetStream().WriteAsync(publish);
                await other.GetStream().ReadExactlyAsync(new byte[4]);
                times.Add(TimeProvider.System.GetElapsedTime(sent).TotalMilliseconds);
            }
        });
        var start = TimeProvider.System.GetTimestamp();
        await subscriber.GetStream().WriteAsync(PreparedPackets.Packet(PreparedPackets.Subscribe, [0, 1, .. filters.SelectMany(filter => PreparedPackets.Text(filter).Append((byte)0))]));
        await subscriber.GetStream().ReadExactlyAsync(new byte[1]);
        var took = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
        Volatile.Write(ref isOver, true);
        await publishing;
        times.Sort();
        if (isShown)
            Console.WriteLine($"{filters.Length:N0} filters, {name,-22} SUBACK after {took,9:N1} ms; PUBACKs of another client meanwhile: {times.Count,7:N0}, p99 {times.ElementAtOrDefault(times.Count * 99 / 100),8:N2} ms, the last to come after {times.LastOrDefault(),9:N2} ms");
    }

    private static async Task<TcpClient> ConnectAsync(IPEndPoint endPoint, string clientId)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(endPoint);
        await client.GetStream().WriteAsync(PreparedPackets.ConnectTo(Target.Local(endPoint.Port), clientId, version: 4));
        await client.GetStream().ReadExactlyAsync(new byte[4]);
        return client;
    }
}

using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>
/// From publishers through the broker to a subscriber, over connections that are cut, delayed and dropped at random. MEANWHILE_MESSAGES says how many; the seed repeats the
/// accidents, as far as the scheduling of threads lets it.
/// </summary>
public class BreakingPipeTests
{
    private const int Publishers = 4;
    private const int MostUnderWay = 5000;

    [Fact]
    [Clause("MQTT-4.3.3-10", "MQTT-4.4.0-1", "MQTT-4.6.0-5")]
    public async Task Qos_2_arrives_exactly_once_qos_1_at_least_once_and_all_in_order()
    {
        var random = Seeds.Random();
        var count = (Seeds.NumberOf("MEANWHILE_MESSAGES") ?? 20_000) / Publishers;
        await using var broker = await TestBroker.StartAsync();
        var endPoint = broker.EndPoints[0];
        var publishers = Enumerable.Range(0, Publishers).Select(n => new BreakingPublisher(endPoint, $"{n}", VersionOf(n), new Random(random.Next()))).ToList();
        var subscriber = new BreakingSubscriber(endPoint, VersionOf(random.Next(2)), new Random(random.Next()));
        var isOver = false;
        var receiving = Task.Run(() => subscriber.RunAsync(() => Volatile.Read(ref isOver) && subscriber.Count == Published()), TestContext.Current.CancellationToken);
        await Task.WhenAny(subscriber.Subscribed, receiving);
        await Task.WhenAll(publishers.Select(publisher => Task.Run(() => publisher.RunAsync(count, () => receiving.IsCompleted || Published() - subscriber.Count < MostUnderWay))));
        Volatile.Write(ref isOver, true);
        broker.Publish(new Mqtt.Delivery.Message { Topic = "end", Payload = new byte[4] }); // Something to wake up for.
        await receiving;

        for (var n = 0; n < Publishers; n++)
        {
            Assert.Equal(Enumerable.Range(1, publishers[n].Sent[2]), subscriber.Arrived[$"{n}/2"]);
            Assert.Equal(Enumerable.Range(1, publishers[n].Sent[1]), subscriber.Arrived[$"{n}/1"].Distinct());
            Assert.Equal(subscriber.Arrived[$"{n}/0"].Order().Distinct(), subscriber.Arrived[$"{n}/0"]);
        }
        var again = Enumerable.Range(0, Publishers).Sum(n => subscriber.Arrived[$"{n}/1"].Count - publishers[n].Sent[1]);
        var lost = Enumerable.Range(0, Publishers).Sum(n => publishers[n].Sent[0] - subscriber.Arrived[$"{n}/0"].Count);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{count * Publishers} messages; broken: {publishers.Sum(publisher => publisher.Breaks)} connections of publishers, {subscriber.Breaks} of the subscriber; came again at QoS 1: {again}; lost at QoS 0: {lost}");
        Assert.True(publishers.Sum(publisher => publisher.Breaks) > 0 && subscriber.Breaks > 0);

        int Published() => publishers.Sum(publisher => publisher.Sent[1] + publisher.Sent[2]);
    }

    private static ProtocolVersion VersionOf(int number) => number % 2 == 0 ? ProtocolVersion.V5 : ProtocolVersion.V311;
}

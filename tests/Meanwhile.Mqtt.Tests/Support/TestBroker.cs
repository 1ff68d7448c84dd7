using System.Net;
using System.Runtime.InteropServices;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Brokers on free loopback ports.</summary>
internal static class TestBroker
{
    public static ListenerOptions Loopback { get; } = new(new IPEndPoint(IPAddress.Loopback, 0));

    public static Task<MqttBroker> StartAsync(Func<BrokerOptions, BrokerOptions>? configure = null)
    {
        var options = new BrokerOptions { Listeners = [Loopback] };
        return MqttBroker.StartAsync(configure?.Invoke(options) ?? options, TestContext.Current.CancellationToken);
    }

    public static int Complete(this MqttBroker broker, List<Incoming> batch) => broker.Complete(CollectionsMarshal.AsSpan(batch));
}

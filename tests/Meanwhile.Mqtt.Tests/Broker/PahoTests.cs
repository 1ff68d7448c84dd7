using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Eclipse paho for Python agrees that this is a broker. What it checks is in <c>Peers/paho_checks.py</c>.</summary>
public class PahoTests
{
    private static readonly string[] Both = ["qos", "order", "retained", "will", "wildcards", "shared", "take_over", "resume"];

    private static readonly string[] Only5 =
    [
        "will_delay", "expiry", "aliases", "identifiers", "request", "assigned", "keep_alive", "no_local", "packet_size", "receive_maximum", "session_expiry",
    ];

    public static TheoryData<string, int> Checks => [.. Both.SelectMany(check => new[] { (check, 4), (check, 5) }), .. Only5.Select(check => (check, 5))];

    [Theory, MemberData(nameof(Checks))]
    public async Task Paho_finds(string check, int version)
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { KeepAlive = TimeSpan.FromMinutes(1) } });
        await Peers.Start("/usr/bin/python3", PeerScript.PathOf("paho_checks.py"), check, $"{broker.EndPoints[0].Port}", $"{version}").EndAsync();
    }
}

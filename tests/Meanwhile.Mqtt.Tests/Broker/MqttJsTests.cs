using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>MQTT.js agrees that this is a broker, over TCP and over WebSocket. What it checks is in <c>Peers/mqttjs_checks.mjs</c>.</summary>
public class MqttJsTests(MqttJs mqttJs) : IClassFixture<MqttJs>
{
    private static readonly string[] Both = ["qos", "flood", "retained", "will", "wildcardsAndShares", "sessions"];
    private static readonly string[] Only5 = ["properties", "aliases", "tooLarge"];

    public static TheoryData<string, int, string> Checks()
    {
        var checks = new TheoryData<string, int, string>();
        foreach (var scheme in new[] { "mqtt", "ws" })
        {
            foreach (var check in Both)
            {
                checks.Add(check, 4, scheme);
                checks.Add(check, 5, scheme);
            }
            foreach (var check in Only5)
                checks.Add(check, 5, scheme);
        }
        return checks;
    }

    [Theory, MemberData(nameof(Checks))]
    public async Task MqttJs_finds(string check, int version, string scheme)
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Listeners = [TestBroker.Loopback with { IsWebSocket = scheme == "ws" }] });
        await mqttJs.RunAsync("mqttjs_checks.mjs", check, $"{scheme}://127.0.0.1:{broker.EndPoints[0].Port}", $"{version}");
    }
}

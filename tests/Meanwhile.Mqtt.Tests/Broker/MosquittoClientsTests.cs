using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>mosquitto_pub and mosquitto_sub agree that this is a broker.</summary>
public class MosquittoClientsTests
{
    private static readonly string[] Messages = ["one", "two", "three"];

    [Theory]
    [InlineData("311", 0)]
    [InlineData("311", 1)]
    [InlineData("311", 2)]
    [InlineData("5", 0)]
    [InlineData("5", 1)]
    [InlineData("5", 2)]
    public async Task Messages_go_from_mosquitto_pub_to_mosquitto_sub(string version, int qos)
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var message in Messages)
            await Publisher(broker, "-t", $"a/{message}", "-q", $"{qos}", "-V", version, "-m", message, "-r").EndAsync();
        var received = await Subscriber(broker, "-t", "a/#", "-q", $"{qos}", "-V", version, "-C", "3", "-F", "%t %q %p").EndAsync();
        Assert.Equal(Messages.Select(message => $"a/{message} {qos} {message}\n").Order(), received.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line + "\n").Order());
    }

    [Fact]
    public async Task A_persistent_session_and_a_retained_message_reach_mosquitto_sub_later()
    {
        await using var broker = await TestBroker.StartAsync();
        string[] session = ["-t", "a/#", "-q", "2", "-c", "-i", "sub"];
        await Subscriber(broker, [.. session, "-E"]).EndAsync(); // Ends once it is subscribed.
        await Publisher(broker, "-t", "a/kept", "-q", "1", "-m", "while away").EndAsync();
        await Publisher(broker, "-t", "r", "-r", "-m", "retained").EndAsync();
        Assert.Equal("while away\n", await Subscriber(broker, [.. session, "-C", "1"]).EndAsync());
        Assert.Equal("1 retained\n", await Subscriber(broker, "-t", "r", "-C", "1", "-F", "%r %p").EndAsync());
    }

    [Fact]
    public async Task A_request_gets_its_response()
    {
        await using var broker = await TestBroker.StartAsync();
        await Publisher(broker, "-V", "5", "-t", "request", "-r", "-m", "?", "-D", "publish", "response-topic", "answers", "-D", "publish", "correlation-data", "42").EndAsync();
        Assert.Equal("answers 42 ?\n", await Subscriber(broker, "-V", "5", "-t", "request", "-C", "1", "-F", "%R %D %p").EndAsync());
    }

    private static System.Diagnostics.Process Publisher(MqttBroker broker, params string[] arguments) =>
        Peers.Start("mosquitto_pub", ["-p", $"{broker.EndPoints[0].Port}", .. arguments]);

    private static System.Diagnostics.Process Subscriber(MqttBroker broker, params string[] arguments) =>
        Peers.Start("mosquitto_sub", ["-p", $"{broker.EndPoints[0].Port}", .. arguments]);
}

using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Node-RED's MQTT nodes agree that this is a broker. What they do is in <c>Peers/nodered_flow.json</c>: what comes on in/… goes out on out/….</summary>
public class NodeRedTests(NodeRed nodeRed) : IClassFixture<NodeRed>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Node_red_hands_on_what_it_gets(int version)
    {
        await using var broker = await TestBroker.StartAsync();
        using var flow = nodeRed.Start("nodered_flow.json", broker.EndPoints[0].Port, version);
        try
        {
            await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
            await client.SendAsync("82 { 00 01 | 'out/#' 02 }");
            await client.ExpectAsync("90 03 00 01 02");
            await UntilAsync(() => broker.Statistics.Subscriptions == 2, () => $"Node-RED does not subscribe: {(flow.HasExited ? flow.StandardOutput.ReadToEnd() : "it runs")}");
            await client.SendAsync("30 { 'in/0' \"zero\" }");
            await client.ExpectAsync("30 { 'out/0' \"zero\" }");
            await client.SendAsync("32 { 'in/1' 00 01 \"one\" }");
            await client.ExpectAsync("40 02 00 01 | 32 { 'out/1' 00 01 \"one\" }");
            await client.SendAsync("34 { 'in/2' 00 02 \"two\" }");
            await client.ExpectAsync("50 02 00 02 | 34 { 'out/2' 00 02 \"two\" }");
        }
        finally
        {
            flow.Kill(entireProcessTree: true);
        }
    }

    private static async Task UntilAsync(Func<bool> condition, Func<string> describe)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, describe());
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}

using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clauses of the standard about shared subscriptions, in raw bytes.</summary>
public class SharedClauseTests
{
    [Fact]
    [Clause("MQTT-4.8.2-3")]
    public async Task Each_member_gets_messages_at_its_own_qos()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var one = await JoinAsync(broker, "1", qos: 0);
        await using var two = await JoinAsync(broker, "2", qos: 1);
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await publisher.SendAsync("34 { 'a' 00 01 {} \"1\" } | 34 { 'a' 00 02 {} \"2\" }");
        await publisher.ExpectAsync("50 02 00 01 | 50 02 00 02");
        await one.ExpectAsync("30 { 'a' {} \"1\" }");
        await two.ExpectAsync("32 { 'a' 00 01 {} \"2\" }");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Clause("MQTT-4.8.2-4", "MQTT-4.8.2-5")]
    public async Task What_was_sent_to_one_member_is_for_no_other_whether_or_not_its_session_goes_on(bool ends)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await using var two = await RawClient.Connect5Async(broker.EndPoints[0], "2");
        await using (var one = await JoinAsync(broker, "1", qos: 2))
        {
            await publisher.SendAsync("34 { 'a' 00 01 {} \"1\" }");
            await publisher.ExpectAsync("50 02 00 01");
            await one.ExpectAsync("34 { 'a' 00 01 {} \"1\" }");
            await two.SendAsync("82 { 00 01 {} | '$share/g/a' 02 }");
            await two.ExpectAsync("90 { 00 01 {} 02 }");
        }
        await two.ExpectNothingAsync();
        await using var back = await RawClient.Connect5Async(broker.EndPoints[0], "1", "11 00 00 00 3C", clean: ends, expectSession: !ends);
        if (!ends)
            await back.ExpectAsync("3C { 'a' 00 01 {} \"1\" }");
        await back.ExpectNothingAsync();
        await two.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(1, "32", "40 03 00 01 80")]
    [InlineData(2, "34", "50 03 00 01 80")]
    [Clause("MQTT-4.8.2-6")]
    public async Task What_a_member_refuses_goes_to_no_other(int qos, string publish, string refusal)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await using var one = await JoinAsync(broker, "1", qos);
        await using var two = await JoinAsync(broker, "2", qos);
        await publisher.SendAsync("34 { 'a' 00 01 {} \"1\" }");
        await publisher.ExpectAsync("50 02 00 01");
        await one.ExpectAsync($"{publish} {{ 'a' 00 01 {{}} \"1\" }}");
        await one.SendAsync(refusal);
        await one.ExpectNothingAsync();
        await two.ExpectNothingAsync();
    }

    private static async Task<RawClient> JoinAsync(MqttBroker broker, string clientId, int qos)
    {
        var client = await RawClient.Connect5Async(broker.EndPoints[0], clientId, "11 00 00 00 3C");
        await client.SendAsync($"82 {{ 00 01 {{}} | '$share/g/a' 0{qos} }}");
        await client.ExpectAsync($"90 {{ 00 01 {{}} 0{qos} }}");
        return client;
    }
}

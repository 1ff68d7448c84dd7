using System.Collections.Concurrent;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Nobody reads or writes what the host does not let it, by any way.</summary>
public class PermissionTests
{
    private readonly ConcurrentQueue<Refusal> _refusals = new();
    private volatile Func<string, bool> _may = topic => topic.StartsWith("ok/", StringComparison.Ordinal);
    private volatile bool _mayStay = true;

    [Fact]
    [Clause("MQTT-3.3.5-2 of 3.1.1")]
    public async Task In_3_1_1_a_message_that_is_not_allowed_is_acknowledged_and_goes_nowhere()
    {
        await using var broker = await StartAsync();
        await using var admin = await RawClient.ConnectAsync(broker.EndPoints[0], "admin");
        await SubscribeAsync(admin, "#");
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("31 { 'no' \"0\" } | 33 { 'no' 00 01 \"1\" } | 35 { 'no' 00 02 \"2\" } | 62 02 00 02");
        await client.ExpectAsync("40 02 00 01 | 50 02 00 02 | 70 02 00 02"); // [MQTT-3.3.5-2] of 3.1.1
        await admin.ExpectNothingAsync();
        await SubscribeAsync(admin, "no"); // Nor was it kept.
        await admin.ExpectNothingAsync();
        Assert.Equal([(RefusalKind.Message, "c", ReasonCode.NotAuthorized, "no")], _refusals.Select(r => (r.Kind, r.ClientId, r.Reason, r.Explanation)).Distinct());
        Assert.Equal(3, _refusals.Count);
    }

    [Fact]
    public async Task In_5_0_a_message_that_is_not_allowed_is_refused_and_goes_nowhere()
    {
        await using var broker = await StartAsync();
        await using var admin = await RawClient.ConnectAsync(broker.EndPoints[0], "admin");
        await SubscribeAsync(admin, "#");
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("31 { 'no' {} \"0\" } | 33 { 'no' 00 01 {} \"1\" } | 35 { 'no' 00 02 {} \"2\" } | 33 { '' 00 03 { 23 00 01 } }");
        await client.ExpectAsync("40 03 00 01 87 | 50 03 00 02 87");
        await admin.ExpectNothingAsync();
        Assert.Equal(3, _refusals.Count(refusal => refusal.Kind == RefusalKind.Message));
    }

    [Fact]
    public async Task A_wildcard_gets_only_what_its_client_may_read()
    {
        await using var broker = await StartAsync();
        await using var admin = await RawClient.ConnectAsync(broker.EndPoints[0], "admin");
        await admin.SendAsync("31 { 'no/kept' \"x\" } | 31 { 'ok/kept' \"x\" }");
        await admin.ExpectNothingAsync();
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 | '#' 00 }");
        await client.ExpectAsync("90 03 00 01 00 | 31 { 'ok/kept' \"x\" }");
        await client.SendAsync("82 { 00 01 | 'ok/+' 00 }");
        await client.ExpectAsync("90 03 00 01 00 | 31 { 'ok/kept' \"x\" }");
        await admin.SendAsync("30 { 'no/1' \"x\" } | 30 { 'ok/1' \"x\" }"); // By one filter, and by two.
        await client.ExpectAsync("30 { 'ok/1' \"x\" }");
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("no/1", "80")]
    [InlineData("no/#", "80")]
    [InlineData("$share/g/no/1", "80")]
    [InlineData("$share/g/ok/1", "00")]
    public async Task A_subscription_that_is_not_allowed_is_refused(string filter, string answer)
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync($"82 {{ 00 01 | '{filter}' 00 }}");
        await client.ExpectAsync($"90 03 00 01 {answer}");
        Assert.Equal(answer == "80" ? 1 : 0, _refusals.Count(refusal => refusal.Kind == RefusalKind.Subscription));
    }

    [Fact]
    public async Task What_has_waited_is_judged_by_what_may_be_read_when_it_is_sent()
    {
        await using var broker = await StartAsync();
        await using (var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false))
        {
            await client.SendAsync("82 { 00 01 | 'ok/#' 02 } | E0 00");
            await client.ExpectAsync("90 03 00 01 02");
            await client.ExpectEndAsync();
        }
        await using var admin = await RawClient.ConnectAsync(broker.EndPoints[0], "admin");
        await admin.SendAsync("32 { 'ok/1' 00 01 \"x\" } | 32 { 'ok/2' 00 02 \"x\" } | 34 { 'ok/1' 00 03 \"x\" }");
        await admin.ExpectAsync("40 02 00 01 | 40 02 00 02 | 50 02 00 03");
        _may = topic => topic == "ok/2";
        await using (var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true))
        {
            var message = await client.ReadPacketAsync();
            Assert.Equal("ok/2", Encoding.UTF8.GetString(message, 4, 4));
            await client.ExpectNothingAsync();
        }
    }

    [Fact]
    public async Task Of_those_who_share_a_subscription_one_who_may_read_a_message_gets_it()
    {
        await using var broker = await StartAsync();
        await using var admin = await RawClient.ConnectAsync(broker.EndPoints[0], "admin");
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await SubscribeAsync(client, "$share/g/#");
        await SubscribeAsync(admin, "$share/g/#");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "admin2");
        await publisher.SendAsync("30 { 'no/1' \"x\" } | 30 { 'no/2' \"x\" } | 30 { 'no/3' \"x\" }");
        await admin.ExpectAsync("30 { 'no/1' \"x\" } | 30 { 'no/2' \"x\" } | 30 { 'no/3' \"x\" }");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_will_that_is_not_allowed_is_no_reason_to_let_a_client_in()
    {
        await using var broker = await StartAsync();
        await using var old = await RawClient.OpenAsync(broker.EndPoints[0]);
        await old.SendAsync("10 { 'MQTT' 04 | 06 | 00 00 | 'c' | 'no/w' 'x' }");
        await old.ExpectAsync("20 02 00 05");
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 05 | 06 | 00 00 | {} | 'c' | {} 'no/w' 'x' }");
        Assert.Equal(0x87, (await client.ReadPacketAsync())[3]);
    }

    [Fact]
    public async Task A_will_is_judged_again_when_it_is_published()
    {
        await using var broker = await StartAsync();
        await using var admin = await RawClient.ConnectAsync(broker.EndPoints[0], "admin");
        await SubscribeAsync(admin, "#");
        foreach (var mayStill in new[] { true, false })
        {
            await using (var client = await RawClient.OpenAsync(broker.EndPoints[0]))
            {
                await client.SendAsync("10 { 'MQTT' 04 | 06 | 00 00 | 'c' | 'ok/w' 'x' }");
                await client.ExpectAsync("20 02 00 00");
                _may = _ => mayStill;
            }
            if (mayStill)
                await admin.ExpectAsync("30 { 'ok/w' \"x\" }");
            else
                await Until.TrueAsync(() => _refusals.Any(refusal => refusal is { Kind: RefusalKind.Message, Explanation: "ok/w" }), () => "nobody said that the will was refused");
        }
        await admin.ExpectNothingAsync();
    }

    [Fact]
    public async Task Who_may_not_stay_is_told_so_and_has_to_go()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        _mayStay = false;
        await client.ExpectAsync("E0 01 87");
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task What_the_server_says_of_itself_is_said_by_nobody_else_and_matches_no_wildcard_at_the_root()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await SubscribeAsync(client, "#", "{}");
        await SubscribeAsync(client, "+/x", "{}");
        await client.SendAsync("32 { '$SYS/x' 00 01 {} \"x\" } | 32 { '$SYS' 00 02 {} \"x\" } | 32 { '$SYSTEM' 00 03 {} \"x\" }");
        await client.ExpectAsync("40 03 00 01 87 | 40 03 00 02 87 | 40 02 00 03");
        broker.Publish(new Message { Topic = "$SYS/x", Payload = "1"u8.ToArray(), Retain = true });
        await client.ExpectNothingAsync();
        await SubscribeAsync(client, "$SYS/#", "{}");
        await client.ExpectAsync("31 { '$SYS/x' {} \"1\" }");
        await using var other = await RawClient.OpenAsync(broker.EndPoints[0]);
        await other.SendAsync("10 { 'MQTT' 04 | 06 | 00 00 | 'w' | '$SYS/x' 'x' }");
        await other.ExpectAsync("20 02 00 05");
    }

    [Fact]
    public async Task What_goes_over_the_connections_is_counted()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await SubscribeAsync(client, "ok/#");
        await client.SendAsync("31 { 'ok/1' \"x\" } | 30 { 'no' \"x\" }");
        await client.ExpectAsync("30 { 'ok/1' \"x\" }");
        await client.ExpectNothingAsync();
        var connect = Bytes.Of("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }").Length;
        await Until.TrueAsync(() => broker.Statistics.BytesSent == 4 + 5 + 9 + 2, () => $"{broker.Statistics}");
        Assert.Equal(
            new BrokerStatistics
            {
                Connections = 1,
                Clients = 1,
                Sessions = 1,
                Subscriptions = 1,
                SubscriptionBytes = 528,
                Retained = 1,
                RetainedBytes = 137,
                MessagesReceived = 2,
                MessagesSent = 1,
                BytesReceived = connect + Bytes.Of("82 { 00 01 | 'ok/#' 00 }").Length + 9 + 7 + 2,
                BytesSent = 20,
            },
            broker.Statistics);
    }

    private static async Task SubscribeAsync(RawClient client, string filter, string properties = "")
    {
        await client.SendAsync($"82 {{ 00 01 | {properties} | '{filter}' 00 }}");
        await client.ExpectAsync($"90 {{ 00 01 | {properties} | 00 }}");
    }

    // Whose name begins with admin may do everything; others what the test says.
    private Task<MqttBroker> StartAsync() => TestBroker.StartAsync(options => options with
    {
        Refused = _refusals.Enqueue,
        Authenticate = (login, _) => ValueTask.FromResult(LoginAnswer.Accept(login.ClientId.StartsWith("admin", StringComparison.Ordinal)
            ? new Permissions(_ => true, _ => true)
            : new Permissions(topic => _may(topic), filter => filter == "#" || _may(filter)) { MayRead = topic => _may(topic), MayStay = () => _mayStay })),
    });
}

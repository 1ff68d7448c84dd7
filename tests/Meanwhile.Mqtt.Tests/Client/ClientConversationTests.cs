using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>What the client says and hears, byte by byte.</summary>
public class ClientConversationTests
{
    private const string Accepts = "20 { 00 00 {} }";

    [Fact]
    [Clause("MQTT-3.1.3-1")]
    public async Task Connect_says_what_was_asked_for()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with
        {
            UserName = "user",
            Password = "secret"u8.ToArray(),
            SessionExpiry = 60,
            CleanStart = false,
            KeepAlive = TimeSpan.FromSeconds(60),
            ReceiveMaximum = 20,
            MaximumPacketSize = 65536,
            TopicAliasMaximum = 5,
            Will = new Will("last/will", "gone"u8.ToArray(), 1, Retain: true, default),
        });
        await using var connection = await server.AcceptAsync();
        await connection.ExpectAsync("10 { 'MQTT' 05 | EC | 00 3C | { 11 00 00 00 3C | 21 00 14 | 27 00 01 00 00 | 22 00 05 | 17 01 } | 'c' | {} 'last/will' 'gone' | 'user' | 'secret' }");
        await connection.SendAsync(Accepts);
    }

    [Fact]
    public async Task A_password_that_is_null_is_none()
    {
        using var server = new RawServer();
        byte[]? nothing = null;
        await using var client = TestClient.Start(server.Address, options => options with { Password = nothing, Version = ProtocolVersion.V311 });
        await using var connection = await server.AcceptAsync();
        await connection.ExpectAsync("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }");
    }

    [Fact]
    [Clause("MQTT-4.6.0-2", "MQTT-4.6.0-3")]
    public async Task Acknowledgements_leave_when_the_host_has_completed_and_in_the_order_of_receipt()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(Accepts);
        await connection.SendAsync("32 { 'a' 00 01 {} | \"1\" } | 34 { 'a' 00 02 {} | \"2\" } | 30 { 'a' {} | \"3\" } | 32 { 'a' 00 03 {} | \"4\" } | 62 02 00 02");
        List<Incoming> all = [];
        while (all.Count < 5)
            all.Add(await client.ReadAsync());
        Assert.Equal(["1", "2", "3", "4"], all.Where(incoming => incoming.Message is not null).Select(incoming => System.Text.Encoding.UTF8.GetString(incoming.Message!.Payload.Span)));
        Assert.Equal([IdChangeKind.None, IdChangeKind.Received, IdChangeKind.None, IdChangeKind.None, IdChangeKind.Released], all.Select(incoming => incoming.IdChange.Kind));

        Assert.Equal(2, client.Client.Complete([all[1], all[2], all[3]]));
        var published = client.PublishAsync("b"); // Whatever is owed would leave before it.
        await connection.ExpectAsync("32 { 'b' 00 01 {} }");
        await connection.SendAsync("40 02 00 01");
        Assert.Equal(ReasonCode.Success, await published);
        Assert.Equal(1, client.Client.Complete([all[0], all[4]]));
        await connection.ExpectAsync("40 02 00 01 | 50 02 00 02 | 40 02 00 03 | 70 02 00 02");
    }

    [Fact]
    public async Task An_acknowledgement_of_an_earlier_connection_is_void()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { SessionExpiry = 60, CleanStart = false });
        var connection = await server.AcceptAsync(Accepts);
        await connection.SendAsync("32 { 'a' 00 01 {} | \"1\" }");
        var forgotten = await client.ReadAsync();
        var first = await client.ReadAsync();
        await connection.DisposeAsync();
        await using var next = await server.AcceptAsync("20 { 01 00 {} }");
        await next.SendAsync("3A { 'a' 00 01 {} | \"1\" }");
        var again = await client.ReadAsync();
        Assert.Equal((IdChangeKind.AllForgotten, IncomingKind.Message, IncomingKind.Redelivery), (forgotten.IdChange.Kind, first.Kind, again.Kind));
        Assert.Equal(0, client.Client.Complete([forgotten, first]));
        Assert.Equal(1, client.Client.Complete([again]));
        await next.ExpectAsync("40 02 00 01");
    }

    [Fact]
    public async Task What_the_host_has_stored_of_qos_2_is_known_after_a_restart()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { SessionExpiry = 60, CleanStart = false, ReceivedIds = [7] });
        await using var connection = await server.AcceptAsync("20 { 01 00 {} }");
        await connection.SendAsync("3C { 'a' 00 07 {} | \"1\" } | 34 { 'a' 00 08 {} | \"2\" }");
        Assert.Equal((IncomingKind.Redelivery, IncomingKind.Message), ((await client.ReadAsync()).Kind, (await client.ReadAsync()).Kind));
    }

    [Fact]
    [Clause("MQTT-3.2.2-5")]
    public async Task Nothing_is_subscribed_to_before_the_host_has_forgotten_what_the_server_has_forgotten()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with
        {
            SessionExpiry = 60,
            CleanStart = false,
            ReceivedIds = [7],
            Connected = async (client, _, ends) => await client.SubscribeAsync([new SubscriptionRequest("a/#", 2, NoLocal: true, RetainHandling: RetainHandling.SendIfNew)], identifier: 5, ends),
        });
        await using var connection = await server.AcceptAsync(Accepts);
        var forgotten = await client.ReadAsync();
        Assert.Equal(IdChangeKind.AllForgotten, forgotten.IdChange.Kind);
        var published = client.PublishAsync("b", qos: 0);
        await connection.ExpectAsync("30 { 'b' {} }"); // And nothing else.
        client.Client.Complete([forgotten]);
        await connection.ExpectAsync("82 { 00 01 { 0B 05 } | 'a/#' 16 }");
        await published;
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, "20 02 00 00", "90 03 00 01 80", "B0 02 00 02", ReasonCode.UnspecifiedError, ReasonCode.Success)]
    [InlineData(ProtocolVersion.V5, Accepts, "90 { 00 01 {} | 87 }", "B0 { 00 02 {} | 11 }", ReasonCode.NotAuthorized, ReasonCode.NoSubscriptionExisted)]
    public async Task What_became_of_subscriptions_is_said(ProtocolVersion version, string connAck, string subAck, string unsubAck, ReasonCode subscribed, ReasonCode unsubscribed)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { Version = version });
        await using var connection = await server.AcceptAsync(connAck);
        var subscribing = client.SubscribeAsync("a");
        await connection.ReadPacketAsync();
        await connection.SendAsync(subAck);
        Assert.Equal(subscribed, await subscribing);
        var unsubscribing = client.Client.UnsubscribeAsync(["a"], TestContext.Current.CancellationToken);
        await connection.ReadPacketAsync();
        await connection.SendAsync(unsubAck);
        Assert.Equal(unsubscribed, Assert.Single(await unsubscribing));
    }

    [Fact]
    [Clause("MQTT-3.2.2-5")]
    public async Task What_is_asked_while_there_is_no_connection_or_its_answer_is_lost_is_asked_on_the_next()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        var (subscribing, publishing) = (client.SubscribeAsync("a"), client.PublishAsync("b", "1"));
        var connection = await server.AcceptAsync(Accepts);
        await connection.ExpectAsync("82 { 00 02 {} | 'a' 02 } | 32 { 'b' 00 01 {} | \"1\" }");
        await connection.DisposeAsync();
        await using var next = await server.AcceptAsync(Accepts);
        await next.ExpectAsync("82 { 00 03 {} | 'a' 02 } | 32 { 'b' 00 01 {} | \"1\" }"); // As new: the session is.
        await next.SendAsync("90 { 00 03 {} | 02 } | 40 02 00 01");
        Assert.Equal((ReasonCode.GrantedQos2, ReasonCode.Success), (await subscribing, await publishing));
    }

    [Fact]
    [Clause("MQTT-3.2.2-18", "MQTT-3.3.1-1", "MQTT-3.3.4-7", "MQTT-4.3.3-6", "MQTT-4.4.0-1", "MQTT-4.4.0-2", "MQTT-4.6.0-1")]
    public async Task What_is_not_acknowledged_is_sent_again_and_never_more_than_the_new_receive_maximum()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { SessionExpiry = 60 });
        var publishing = Enumerable.Range(1, 4).Select(number => client.PublishAsync("a", $"{number}", qos: number == 2 ? 2 : 1)).ToList();
        var connection = await server.AcceptAsync("20 { 00 00 { 21 00 03 } }");
        await connection.ExpectAsync("32 { 'a' 00 01 {} | \"1\" } | 34 { 'a' 00 02 {} | \"2\" } | 32 { 'a' 00 03 {} | \"3\" }");
        await connection.SendAsync("50 02 00 02");
        await connection.ExpectAsync("62 02 00 02");
        await connection.DisposeAsync();

        await using var next = await server.AcceptAsync("20 { 01 00 { 21 00 01 } }"); // [MQTT-3.3.4-7]
        await next.ExpectAsync("3A { 'a' 00 01 {} | \"1\" } | 62 02 00 02");
        await next.SendAsync("40 02 00 01");
        await next.ExpectAsync("3A { 'a' 00 03 {} | \"3\" }");
        await next.SendAsync("70 02 00 02 | 40 03 00 03 97");
        await next.ExpectAsync("32 { 'a' 00 04 {} | \"4\" }");
        await next.SendAsync("40 02 00 04");
        Assert.Equal([ReasonCode.Success, ReasonCode.Success, ReasonCode.QuotaExceeded, ReasonCode.Success], await Task.WhenAll(publishing));
    }

    [Fact]
    [Clause("MQTT-3.2.2-11", "MQTT-3.2.2-14", "MQTT-3.2.2-15")]
    public async Task What_the_server_would_end_the_connection_for_is_not_sent()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync("20 { 00 00 { 24 01 | 25 00 | 27 00 00 00 20 } }");
        Assert.Equal(ReasonCode.QosNotSupported, await client.PublishAsync("a", qos: 2));
        Assert.Equal(ReasonCode.RetainNotSupported, await client.PublishAsync("a", retain: true));
        Assert.Equal(ReasonCode.PacketTooLarge, await client.PublishAsync("a", new string('x', 30)));
        Assert.Equal(ReasonCode.PacketTooLarge, await client.PublishAsync("a", new string('x', 30), qos: 0));
        Assert.Equal(ReasonCode.PacketTooLarge, await client.SubscribeAsync(new string('x', 30)));
        var fits = client.PublishAsync("a", "1");
        var publish = await connection.ReadPacketAsync();
        Assert.Equal(0x32, publish[0]);
        await connection.SendAsync(new byte[] { 0x40, 2, publish[5], publish[6] });
        Assert.Equal(ReasonCode.Success, await fits.WaitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    [Clause("MQTT-3.2.2-17", "MQTT-3.3.2-9")]
    public async Task Topics_are_replaced_by_as_many_numbers_as_the_server_takes()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync("20 { 00 00 { 22 00 01 } }");
        foreach (var topic in new[] { "a", "b", "a" })
            await client.PublishAsync(topic, qos: 0);
        await connection.ExpectAsync("30 { 'a' { 23 00 01 } } | 30 { 'b' {} } | 30 { '' { 23 00 01 } }");
    }

    [Fact]
    [Clause("MQTT-3.3.2-10")]
    public async Task Topics_that_the_server_has_replaced_by_numbers_are_known()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { TopicAliasMaximum = 1 });
        await using var connection = await server.AcceptAsync(Accepts);
        await connection.SendAsync("30 { 'a' { 23 00 01 } | \"1\" } | 30 { '' { 23 00 01 } | \"2\" }");
        Assert.Equal(("a 0 1", "a 0 2"), (await client.ReadTextAsync(), await client.ReadTextAsync()));
    }

    [Fact]
    public async Task A_message_that_is_given_up_before_it_is_sent_is_not_sent()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        using var giveUp = new CancellationTokenSource();
        var given = client.Client.PublishAsync(TestClient.Message("a"), giveUp.Token);
        var other = client.PublishAsync("b");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await using var connection = await server.AcceptAsync(Accepts);
        await connection.ExpectAsync("32 { 'b' 00 02 {} }");
        await connection.SendAsync("40 02 00 02");
        Assert.Equal(ReasonCode.Success, await other);
    }

    [Fact]
    public async Task A_message_at_qos_1_that_is_given_up_is_not_sent_again_and_one_at_qos_2_goes_on_to_its_end()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { SessionExpiry = 60 });
        using var giveUp = new CancellationTokenSource();
        List<Task<ReasonCode>> given;
        Task<ReasonCode> other;
        await using (var first = await server.AcceptAsync(Accepts))
        {
            given = [client.Client.PublishAsync(TestClient.Message("a"), giveUp.Token), client.Client.PublishAsync(TestClient.Message("b", qos: 2), giveUp.Token)];
            other = client.PublishAsync("c");
            await first.ExpectAsync("32 { 'a' 00 01 {} } | 34 { 'b' 00 02 {} } | 32 { 'c' 00 03 {} }");
        }
        await giveUp.CancelAsync();
        Assert.All(given, publishing => Assert.True(publishing.IsCanceled));
        await using var second = await server.AcceptAsync("20 { 01 00 {} }");
        await second.ExpectAsync("3C { 'b' 00 02 {} } | 3A { 'c' 00 03 {} }");
        await second.SendAsync("50 02 00 02 | 40 02 00 03");
        await second.ExpectAsync("62 02 00 02");
        Assert.Equal(ReasonCode.Success, await other);
    }

    [Fact]
    public async Task No_more_are_in_flight_than_the_host_wants_new_or_again()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { SessionExpiry = 60 });
        List<Task<ReasonCode>> publishing = [];
        await using (var first = await server.AcceptAsync(Accepts))
        {
            client.Client.MostInFlight = 2;
            foreach (var topic in new[] { "a", "b", "c" })
                publishing.Add(client.PublishAsync(topic));
            await first.ExpectAsync("32 { 'a' 00 01 {} } | 32 { 'b' 00 02 {} }");
        }
        client.Client.MostInFlight = 1;
        await using var second = await server.AcceptAsync("20 { 01 00 {} }");
        await second.ExpectAsync("3A { 'a' 00 01 {} }");
        await second.SendAsync("40 02 00 01");
        await second.ExpectAsync("3A { 'b' 00 02 {} }");
        client.Client.MostInFlight = 2;
        await second.ExpectAsync("32 { 'c' 00 03 {} }");
        await second.SendAsync("40 02 00 02 | 40 02 00 03");
        Assert.All(await Task.WhenAll(publishing), reason => Assert.Equal(ReasonCode.Success, reason));
    }

    [Fact]
    public async Task Leaving_finishes_what_is_in_flight_and_ends_a_session_of_its_own()
    {
        using var server = new RawServer();
        var client = TestClient.Start(server.Address, options => options with { SessionExpiry = 60 });
        await using var connection = await server.AcceptAsync(Accepts);
        var publishing = client.PublishAsync("a", qos: 2);
        await connection.ExpectAsync("34 { 'a' 00 01 {} }");
        var leaving = client.DisposeAsync();
        await connection.SendAsync("50 02 00 01");
        await connection.ExpectAsync("62 02 00 01");
        await connection.SendAsync("70 02 00 01");
        await connection.ExpectAsync("E0 { 00 { 11 00 00 00 00 } }");
        await connection.DisposeAsync();
        await leaving;
        Assert.Equal(ReasonCode.Success, await publishing);
        await client.Running;
    }

    [Fact]
    public async Task Told_to_stop_it_takes_nothing_in_any_more_and_still_acknowledges()
    {
        using var server = new RawServer();
        var client = TestClient.Start(server.Address, options => options with { SessionExpiry = uint.MaxValue, CleanStart = false });
        await using var connection = await server.AcceptAsync("20 { 01 00 {} }");
        await connection.SendAsync("32 { 'a' 00 01 {} | \"1\" }");
        var first = await client.ReadAsync();
        client.Stop();
        Assert.False(await client.Client.Incoming.WaitToReadAsync(TestContext.Current.CancellationToken));
        await connection.SendAsync("32 { 'a' 00 02 {} | \"2\" }");
        Assert.Equal(1, client.Client.Complete([first]));
        await connection.ExpectAsync("40 02 00 01");
        var leaving = client.DisposeAsync();
        await connection.ExpectAsync("E0 00");
        await connection.DisposeAsync();
        await leaving;
        await client.Running;
    }

    [Fact]
    public async Task A_server_that_does_not_know_5_0_is_spoken_to_in_3_1_1()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var first = await server.AcceptAsync("20 02 00 01");
        await using var second = await server.AcceptAsync();
        await second.ExpectAsync("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }");
        await second.SendAsync("20 02 00 00");
        var publishing = client.PublishAsync("a", "1");
        await second.ExpectAsync("32 { 'a' 00 01 | \"1\" }");
        await second.SendAsync("40 02 00 01");
        await publishing;
        Assert.Equal(ProtocolVersion.V311, Assert.Single(client.Accepted).Version);
    }

    [Fact]
    public async Task A_server_that_closes_three_times_after_connect_is_tried_in_3_1_1()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            await using var connection = await server.AcceptAsync();
            Assert.Equal(5, (await connection.ReadPacketAsync())[8]);
        }
        await using var last = await server.AcceptAsync();
        Assert.Equal(4, (await last.ReadPacketAsync())[8]);
    }

    [Theory]
    [InlineData("20 { 00 9D { 1C 'elsewhere:1883' } }", true)]
    [InlineData("20 { 00 9C { 1C 'elsewhere:1883' } }", false)]
    public async Task Where_a_server_sends_us_is_named(string connAck, bool isFinal)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(connAck);
        var failure = await client.FailsAsync(_ => true);
        Assert.Equal(("elsewhere:1883", isFinal), (failure.ServerReference, failure.IsFinal));
        Assert.Contains("elsewhere:1883", failure.Message, StringComparison.Ordinal);
        if (isFinal)
            Assert.Same(failure, await Assert.ThrowsAsync<Mqtt.Client.MqttClientException>(() => client.Running));
    }

    [Fact]
    public async Task A_refusal_is_final_only_before_the_first_connection_and_the_end_of_the_client_ends_what_waits()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        var connection = await server.AcceptAsync(Accepts);
        await connection.DisposeAsync();
        await using (await server.AcceptAsync("20 { 00 87 { 1F 'not now' } }"))
            Assert.Equal("it refuses the connection (NotAuthorized: not now)", (await client.FailsAsync(failure => failure.Reason is not null)).Message);
        await using var again = await server.AcceptAsync(Accepts);

        await using var other = TestClient.Start(server.Address);
        var waiting = other.PublishAsync("a");
        await using var refused = await server.AcceptAsync("20 { 00 87 {} }");
        await Assert.ThrowsAsync<Mqtt.Client.MqttClientException>(() => other.Running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    [Clause("MQTT-3.3.1-4", "MQTT-3.3.4-6", "MQTT-3.8.3-2", "MQTT-3.8.3-4", "MQTT-4.7.0-1", "MQTT-4.7.1-1", "MQTT-4.7.3-1", "MQTT-4.7.3-2")]
    public async Task What_is_no_message_or_filter_is_refused_to_whoever_asks()
    {
        await using var client = new Mqtt.Client.MqttClient(new() { Server = new Uri("mqtt://127.0.0.1") });
        foreach (var message in new Message[]
        {
            new() { Topic = "" },
            new() { Topic = "a/#" },
            new() { Topic = "a\0" },
            new() { Topic = "a", Qos = 3 },
            new() { Topic = "a", Properties = new Properties(new Property(PropertyId.TopicAlias, 1)) },
            new() { Topic = "a", Properties = new Properties(new Property(PropertyId.ReceiveMaximum, 1)) },
        })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => client.PublishAsync(message, TestContext.Current.CancellationToken));
        }
        Assert.Throws<ArgumentException>(() => new Properties(new Property(PropertyId.ContentType, Text: new string('x', 70_000))));
        Assert.Throws<ArgumentException>(() => new Properties(new Property((PropertyId)0x7F)));
        foreach (var filter in new[] { "", "a#", "$share/g", "a\0" })
            await Assert.ThrowsAsync<ArgumentException>(() => client.UnsubscribeAsync([filter], TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ArgumentException>(() => client.SubscribeAsync([], cancellationToken: TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ArgumentException>(() => client.SubscribeAsync([new SubscriptionRequest("$share/g/a", 1, NoLocal: true)], cancellationToken: TestContext.Current.CancellationToken));
    }
}

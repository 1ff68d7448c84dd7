using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Conversations with the broker in raw bytes.</summary>
public class ConversationTests
{
    [Fact]
    [Clause("MQTT-2.2.1-5", "MQTT-3.3.4-1", "MQTT-3.8.4-1", "MQTT-3.8.4-8", "MQTT-4.3.1-1", "MQTT-4.3.2-2", "MQTT-4.3.2-4", "MQTT-4.3.3-2", "MQTT-4.3.3-4", "MQTT-4.3.3-8", "MQTT-4.3.3-11")]
    public async Task A_message_goes_from_one_client_to_another_at_each_qos()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var subscriber = await RawClient.ConnectAsync(broker.EndPoints[0], "s");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await subscriber.SendAsync("82 { 00 01 | 'a/+' 02 }");
        await subscriber.ExpectAsync("90 03 00 01 02");

        await publisher.SendAsync("30 { 'a/b' | \"0\" }");
        await subscriber.ExpectAsync("30 { 'a/b' | \"0\" }");

        await publisher.SendAsync("32 { 'a/b' 00 07 | \"1\" }");
        await publisher.ExpectAsync("40 02 00 07");
        await subscriber.ExpectAsync("32 { 'a/b' 00 01 | \"1\" }");
        await subscriber.SendAsync("40 02 00 01");

        await publisher.SendAsync("34 { 'a/b' 00 07 | \"2\" }");
        await publisher.ExpectAsync("50 02 00 07");
        await publisher.SendAsync("62 02 00 07");
        await publisher.ExpectAsync("70 02 00 07");
        await subscriber.ExpectAsync("34 { 'a/b' 00 02 | \"2\" }");
        await subscriber.SendAsync("50 02 00 02");
        await subscriber.ExpectAsync("62 02 00 02");
        await subscriber.SendAsync("70 02 00 02");
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-2.2.1-2", "MQTT-3.8.4-7", "MQTT-3.8.4-8", "MQTT-3.10.4-1", "MQTT-3.10.4-2")]
    public async Task The_lower_qos_counts_and_unsubscribing_ends_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 | 'a' 00 | 'b' 01 }");
        await client.ExpectAsync("90 04 00 01 00 01");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("34 { 'a' 00 01 | \"x\" }");
        await client.ExpectAsync("30 { 'a' \"x\" }");

        await client.SendAsync("A2 { 00 02 | 'a' }");
        await client.ExpectAsync("B0 02 00 02");
        await client.SendAsync("30 { 'a' | \"x\" }");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-5", "MQTT-3.1.2-6", "MQTT-3.1.3-2", "MQTT-3.2.0-1", "MQTT-3.2.2-3", "MQTT-3.3.1-1", "MQTT-4.3.2-3", "MQTT-4.3.3-5", "MQTT-4.3.3-6", "MQTT-4.4.0-1")]
    public async Task What_is_not_acknowledged_comes_again_in_order_and_with_dup()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await using (var first = await RawClient.ConnectAsync(broker.EndPoints[0], "s", clean: false))
        {
            await first.SendAsync("82 { 00 01 | 'a' 02 }");
            await first.ExpectAsync("90 03 00 01 02");
            await publisher.SendAsync("32 { 'a' 00 01 | \"1\" } | 34 { 'a' 00 02 | \"2\" } | 32 { 'a' 00 03 | \"3\" }");
            await publisher.ExpectAsync("40 02 00 01 | 50 02 00 02 | 40 02 00 03");
            await first.ExpectAsync("32 { 'a' 00 01 \"1\" } | 34 { 'a' 00 02 \"2\" } | 32 { 'a' 00 03 \"3\" }");
            await first.SendAsync("50 02 00 02");
            await first.ExpectAsync("62 02 00 02");
        }
        await using var again = await RawClient.ConnectAsync(broker.EndPoints[0], "s", clean: false, expectSession: true);
        await again.ExpectAsync("3A { 'a' 00 01 \"1\" } | 62 02 00 02 | 3A { 'a' 00 03 \"3\" }");
        await again.SendAsync("40 02 00 01 | 70 02 00 02 | 40 02 00 03");
        await again.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-3.1.4-4", "MQTT-3.2.2-2", "MQTT-3.2.2-3", "MQTT-4.5.0-1")]
    public async Task A_session_keeps_messages_for_a_client_that_is_away()
    {
        await using var broker = await TestBroker.StartAsync();
        await using (var subscriber = await RawClient.ConnectAsync(broker.EndPoints[0], "s", clean: false))
        {
            await subscriber.SendAsync("82 { 00 01 | 'a' 01 } | E0 00");
            await subscriber.ExpectAsync("90 03 00 01 01");
            await subscriber.ExpectEndAsync();
        }
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("30 { 'a' \"0\" } | 32 { 'a' 00 01 \"1\" }");
        await publisher.ExpectAsync("40 02 00 01");

        await using (var subscriber = await RawClient.ConnectAsync(broker.EndPoints[0], "s", clean: false, expectSession: true))
            await subscriber.ExpectAsync("32 { 'a' 00 01 \"1\" }");
        await using (var anew = await RawClient.ConnectAsync(broker.EndPoints[0], "s"))
            await anew.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.4-3")]
    public async Task A_second_connection_takes_the_session_over()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var first = await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 3C");
        await using var second = await RawClient.Connect5Async(broker.EndPoints[0], "c", clean: false, expectSession: true);
        await first.ExpectAsync("E0 01 8E");
        await first.ExpectEndAsync();
        await second.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.3.1-6", "MQTT-3.3.1-7", "MQTT-3.3.1-8 of 3.1.1")]
    public async Task A_retained_message_comes_with_the_subscription_until_it_is_removed()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("31 { 'a/b' \"1\" } | 31 { 'a/c' \"2\" } | 31 { 'a/c' } | 82 { 00 01 | 'a/#' 00 }");
        await client.ExpectAsync("90 03 00 01 00 | 31 { 'a/b' \"1\" }");
        await client.SendAsync("31 { 'a/b' \"3\" }");
        await client.ExpectAsync("30 { 'a/b' \"3\" }");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.14.4-3")]
    public async Task The_will_is_published_unless_the_client_takes_leave()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "w");
        await watcher.SendAsync("82 { 00 01 | 'will' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        await using (var polite = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await polite.SendAsync("10 { 'MQTT' 04 | 06 | 00 00 | 'polite' | 'will' | 'polite' } | E0 00");
            await polite.ExpectAsync("20 02 00 00");
            await polite.ExpectEndAsync();
        }
        await using (var rude = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await rude.SendAsync("10 { 'MQTT' 04 | 06 | 00 00 | 'rude' | 'will' | 'rude' }");
            await rude.ExpectAsync("20 02 00 00");
        }
        await watcher.ExpectAsync("30 { 'will' \"rude\" }");
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20", "MQTT-3.3.4-2", "MQTT-3.3.4-3", "MQTT-3.3.4-4")]
    public async Task Properties_of_5_0_pass_through_and_identifiers_and_options_are_obeyed()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var subscriber = await RawClient.Connect5Async(broker.EndPoints[0], "s");
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await subscriber.SendAsync("82 { 00 01 { 0B 05 } | 'a/#' 00 } | 82 { 00 02 { 0B 06 } | 'a/b' 09 }"); // Retain As Published on the second.
        await subscriber.ExpectAsync("90 { 00 01 {} 00 } | 90 { 00 02 {} 01 }");
        await publisher.SendAsync("33 { 'a/b' 00 01 { 01 01 | 08 'r' | 09 'c' | 26 'k' 'v' | 03 't' | 26 'k' 'w' } \"x\" }");
        await publisher.ExpectAsync("40 02 00 01");
        await subscriber.ExpectAsync("33 { 'a/b' 00 01 { 0B 05 | 0B 06 | 01 01 | 08 'r' | 09 'c' | 26 'k' 'v' | 03 't' | 26 'k' 'w' } \"x\" }");
    }

    [Fact]
    [Clause("MQTT-3.8.3-3")]
    public async Task No_local_keeps_a_client_from_its_own_messages()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 {} | 'a' 04 } | 30 { 'a' {} \"x\" }");
        await client.ExpectAsync("90 { 00 01 {} 00 }");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-26", "MQTT-3.3.2-11")]
    public async Task Topic_aliases_work_both_ways()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", "22 00 01");
        await client.SendAsync("82 { 00 01 {} | '#' 00 } | 30 { 'a' { 23 00 03 } \"1\" } | 30 { '' { 23 00 03 } \"2\" } | 30 { 'b' {} \"3\" }");
        await client.ExpectAsync("90 { 00 01 {} 00 } | 30 { 'a' { 23 00 01 } \"1\" } | 30 { '' { 23 00 01 } \"2\" } | 30 { 'b' {} \"3\" }");
        await client.SendAsync("30 { '' { 23 00 09 } \"x\" }");
        await client.ExpectAsync("E0 01 82");
    }

    [Fact]
    [Clause("MQTT-3.1.2-24", "MQTT-3.1.2-25", "MQTT-3.3.4-9", "MQTT-3.3.4-10", "MQTT-4.9.0-1", "MQTT-4.9.0-2", "MQTT-4.9.0-3")]
    public async Task No_more_is_sent_than_receive_maximum_and_nothing_larger_than_the_client_takes()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", "21 00 01 | 27 00 00 00 14");
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await client.SendAsync("82 { 00 01 {} | 'a' 01 }");
        await client.ExpectAsync("90 { 00 01 {} 01 }");
        await publisher.SendAsync("32 { 'a' 00 01 {} \"1\" } | 32 { 'a' 00 02 {} \"longer than twenty bytes\" } | 32 { 'a' 00 03 {} \"3\" }");
        await publisher.ExpectAsync("40 02 00 01 | 40 02 00 02 | 40 02 00 03");
        await client.ExpectAsync("32 { 'a' 00 01 {} \"1\" }");
        await client.ExpectNothingAsync();
        await client.SendAsync("40 02 00 01");
        await client.ExpectAsync("32 { 'a' 00 03 {} \"3\" }");
    }

    [Fact]
    public async Task A_shared_subscription_gives_each_message_to_one_of_its_members()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var one = await RawClient.Connect5Async(broker.EndPoints[0], "1");
        await using var two = await RawClient.Connect5Async(broker.EndPoints[0], "2");
        await one.SendAsync("82 { 00 01 {} | '$share/g/a' 00 }");
        await one.ExpectAsync("90 { 00 01 {} 00 }");
        await two.SendAsync("82 { 00 01 {} | '$share/g/a' 00 }");
        await two.ExpectAsync("90 { 00 01 {} 00 }");
        await one.SendAsync("30 { 'a' {} \"1\" } | 30 { 'a' {} \"2\" }");
        await one.ExpectAsync("30 { 'a' {} \"1\" }");
        await two.ExpectAsync("30 { 'a' {} \"2\" }");
        await one.ExpectNothingAsync();
        await two.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.3-8 of 3.1.1")]
    public async Task An_empty_client_identifier_is_chosen_by_the_server_where_that_is_allowed()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var v311 = await RawClient.ConnectAsync(broker.EndPoints[0], "");
        await using var refused = await RawClient.OpenAsync(broker.EndPoints[0]);
        await refused.SendAsync("10 { 'MQTT' 04 | 00 | 00 00 | '' }");
        await refused.ExpectAsync("20 02 00 02");
        await refused.ExpectEndAsync();

        await using var v5 = await RawClient.OpenAsync(broker.EndPoints[0]);
        await v5.SendAsync("10 { 'MQTT' 05 | 02 | 00 00 | {} | '' }");
        Assert.Contains("auto-", System.Text.Encoding.ASCII.GetString(await v5.ReadPacketAsync()));
    }

    [Fact]
    [Clause("MQTT-3.1.2-2")]
    public async Task Another_version_is_told_so()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQIsdp' 02 | 02 | 00 00 | 'c' }");
        await client.ExpectAsync("20 02 00 01");
        await client.ExpectEndAsync();
    }
}

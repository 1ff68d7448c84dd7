using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clauses of the standard about messages and subscriptions, in raw bytes.</summary>
public class MessageClauseTests
{
    [Fact]
    [Clause("MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-7", "MQTT-3.3.1-8")]
    public async Task A_retained_message_is_replaced_by_the_next_left_alone_by_others_and_removed_by_an_empty_one()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("33 { 'a' 00 01 \"1\" } | 33 { 'a' 00 02 \"2\" } | 32 { 'a' 00 03 \"3\" } | 32 { 'a' 00 04 } | 32 { 'b' 00 05 \"4\" }");
        await publisher.ExpectAsync("40 02 00 01 | 40 02 00 02 | 40 02 00 03 | 40 02 00 04 | 40 02 00 05");
        await using var subscriber = await RawClient.ConnectAsync(broker.EndPoints[0], "s");
        await subscriber.SendAsync("82 { 00 01 | '#' 00 }");
        await subscriber.ExpectAsync("90 03 00 01 00 | 31 { 'a' \"2\" }");
        await publisher.SendAsync("33 { 'a' 00 06 }");
        await subscriber.ExpectAsync("30 { 'a' }"); // It goes on like any other.
        await subscriber.SendAsync("82 { 00 02 | 'a' 00 }");
        await subscriber.ExpectAsync("90 03 00 02 00");
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.3.2-7", "MQTT-3.3.2-12")]
    public async Task Topic_aliases_are_all_taken_up_to_the_maximum_and_live_as_long_as_a_connection()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { TopicAliasMaximum = 3 } });
        await using (var subscriber = await RawClient.Connect5Async(broker.EndPoints[0], "s", "11 00 00 00 3C | 22 00 01"))
        {
            await subscriber.SendAsync("82 { 00 01 {} | 'c' 00 }");
            await subscriber.ExpectAsync("90 { 00 01 {} 00 }");
            await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p", "11 00 00 00 3C");
            await publisher.SendAsync("30 { 'a' { 23 00 01 } } | 30 { 'b' { 23 00 02 } } | 30 { 'c' { 23 00 03 } \"1\" } | 30 { '' { 23 00 01 } } | 30 { '' { 23 00 02 } } | 30 { '' { 23 00 03 } \"2\" }");
            await subscriber.ExpectAsync("30 { 'c' { 23 00 01 } \"1\" } | 30 { '' { 23 00 01 } \"2\" }");
        }
        await using var back = await RawClient.Connect5Async(broker.EndPoints[0], "s", "11 00 00 00 3C | 22 00 01", clean: false, expectSession: true);
        await using var again = await RawClient.Connect5Async(broker.EndPoints[0], "p", clean: false, expectSession: true);
        await again.SendAsync("30 { 'c' {} \"3\" }");
        await back.ExpectAsync("30 { 'c' { 23 00 01 } \"3\" }");
        await again.SendAsync("30 { '' { 23 00 03 } }");
        await again.ExpectAsync("E0 01 82");
        await again.ExpectEndAsync();
    }

    [Fact]
    [Clause("MQTT-3.2.2-17", "MQTT-3.3.2-9")]
    public async Task A_topic_alias_above_the_maximum_ends_the_connection()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { TopicAliasMaximum = 3 } });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("30 { 'a' { 23 00 04 } }");
        await client.ExpectAsync("E0 01 94");
        await client.ExpectEndAsync();
    }

    [Fact]
    [Clause("MQTT-3.8.4-3", "MQTT-3.8.4-4")]
    public async Task A_filter_that_comes_again_replaces_its_subscription()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await publisher.SendAsync("33 { 'a' 00 01 {} \"kept\" }");
        await publisher.ExpectAsync("40 02 00 01");
        await client.SendAsync("82 { 00 01 { 0B 05 } | 'a' 00 }");
        await client.ExpectAsync("90 { 00 01 {} 00 } | 31 { 'a' { 0B 05 } \"kept\" }");
        await client.SendAsync("82 { 00 02 { 0B 06 } | 'a' 01 }");
        await client.ExpectAsync("90 { 00 02 {} 01 } | 33 { 'a' 00 01 { 0B 06 } \"kept\" }");
        await publisher.SendAsync("32 { 'a' 00 02 {} \"once\" }");
        await client.ExpectAsync("32 { 'a' 00 02 { 0B 06 } \"once\" }");
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("a", "A")]
    [InlineData("a", "a/")]
    [InlineData("a", "/a")]
    [InlineData("a/b", "a//b")]
    [InlineData("a", " a")]
    [InlineData("\u00E9", "e\u0301")]
    [InlineData("\u00C5", "\u212B")] // The letter, and the unit of length.
    [InlineData("\uFB01", "fi")]
    [Clause("MQTT-4.7.3-4")]
    public async Task Topics_that_only_look_alike_do_not_match(string filter, string topic)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync($"82 {{ 00 01 | '{filter}' 00 }} | 30 {{ '{topic}' \"1\" }} | 30 {{ '{filter}' \"2\" }}");
        await client.ExpectAsync($"90 03 00 01 00 | 30 {{ '{filter}' \"2\" }}");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.10.4-3")]
    public async Task What_is_under_way_is_delivered_though_its_subscription_ends()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await using (var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false))
        {
            await client.SendAsync("82 { 00 01 | 'a' 02 }");
            await client.ExpectAsync("90 03 00 01 02");
            await publisher.SendAsync("32 { 'a' 00 01 \"1\" } | 34 { 'a' 00 02 \"2\" }");
            await client.ExpectAsync("32 { 'a' 00 01 \"1\" } | 34 { 'a' 00 02 \"2\" }");
            await client.SendAsync("A2 { 00 02 | 'a' } | 50 02 00 02");
            await client.ExpectAsync("B0 02 00 02 | 62 02 00 02");
        }
        await using var back = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true);
        await back.ExpectAsync("3A { 'a' 00 01 \"1\" } | 62 02 00 02");
    }

    [Fact]
    [Clause("MQTT-4.3.3-3", "MQTT-4.3.3-7", "MQTT-4.3.3-13")]
    public async Task A_message_that_was_sent_does_not_expire_any_more()
    {
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time });
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await using (var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 3C"))
        {
            await client.SendAsync("82 { 00 01 {} | 'a' 02 }");
            await client.ExpectAsync("90 { 00 01 {} 02 }");
            await publisher.SendAsync("34 { 'a' 00 01 { 02 00 00 00 05 } \"x\" }");
            await client.ExpectAsync("34 { 'a' 00 01 { 02 00 00 00 05 } \"x\" }");
        }
        time.Advance(TimeSpan.FromSeconds(10));
        await using var back = await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 3C", clean: false, expectSession: true);
        await back.ExpectAsync("3C { 'a' 00 01 { 02 00 00 00 00 } \"x\" }");
        time.Advance(TimeSpan.FromSeconds(10));
        await back.SendAsync("50 02 00 01");
        await back.ExpectAsync("62 02 00 01");
    }
}

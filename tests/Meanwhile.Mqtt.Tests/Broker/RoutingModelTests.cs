using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Packets in, packets out, without sockets: sessions and the router beside a plain model of who gets what.</summary>
public class RoutingModelTests
{
    [Fact]
    public async Task Whatever_is_subscribed_retained_and_published_every_client_gets_what_a_plain_model_says()
    {
        var random = Seeds.Random();
        var delivered = 0;
        for (var run = 0; run < 30; run++)
        {
            using var house = new ModelHouse(random);
            for (var step = 0; step < 300; step++)
                await house.StepAsync();
            house.ReturnAll();
            delivered += house.Delivered;
        }
        Assert.True(delivered > 1000);
    }
}

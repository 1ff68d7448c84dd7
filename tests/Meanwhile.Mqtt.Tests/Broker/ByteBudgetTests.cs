using System.Threading.Channels;
using Meanwhile.Mqtt.Broker;

namespace Meanwhile.Mqtt.Tests.Broker;

public class ByteBudgetTests
{
    [Fact]
    public void Who_wants_more_than_there_is_waits_its_turn()
    {
        var budget = new ByteBudget(1000);
        Assert.True(budget.TakeAsync(600).AsTask().IsCompletedSuccessfully);
        var large = budget.TakeAsync(5000).AsTask();
        var small = budget.TakeAsync(100).AsTask(); // Would fit, but it is not its turn.
        Assert.False(large.IsCompleted || small.IsCompleted);
        budget.Give(600);
        Assert.True(large.IsCompletedSuccessfully && !small.IsCompleted);
        budget.Give(5000);
        Assert.True(small.IsCompletedSuccessfully);
        Assert.True(budget.TakeAsync(900).AsTask().IsCompletedSuccessfully);
        Assert.False(budget.TakeAsync(1).AsTask().IsCompleted);
    }

    [Fact]
    public async Task When_it_stops_nobody_waits_any_more()
    {
        var budget = new ByteBudget(1000);
        await budget.TakeAsync(1000);
        var waiting = budget.TakeAsync(1).AsTask();
        budget.Stop();
        await Assert.ThrowsAsync<ChannelClosedException>(() => waiting);
        await Assert.ThrowsAsync<ChannelClosedException>(() => budget.TakeAsync(1).AsTask());
    }
}

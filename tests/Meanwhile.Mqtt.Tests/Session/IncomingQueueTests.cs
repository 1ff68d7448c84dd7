using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Tests.Session;

public class IncomingQueueTests
{
    private const int Overhead = 130; // Of a message with a topic of one letter.

    [Fact]
    public async Task Who_wants_more_than_there_is_waits_its_turn()
    {
        var queue = new IncomingQueue(mostItems: 100, mostBytes: 1000);
        Assert.Equal(1, queue.Put([Of(600)]));
        Assert.Equal(0, queue.Put([Of(5000)]));
        var large = queue.PutAsync(new[] { Of(5000), Of(1) }, Place(), CancellationToken.None).AsTask();
        Assert.Equal(0, queue.Put([Of(1)])); // Would fit, but it is not its turn.
        var small = queue.PutAsync(new[] { Of(2) }, Place(), CancellationToken.None).AsTask();
        Assert.False(large.IsCompleted || small.IsCompleted);
        queue.Give(600 + Overhead);
        Assert.Equal([600, 5000], await ReadAsync(queue, 2));
        Assert.False(large.IsCompleted || small.IsCompleted);
        queue.Give(5000 + Overhead);
        Assert.Equal([1, 2], await ReadAsync(queue, 2));
        await Task.WhenAll(large, small);
    }

    [Fact]
    public async Task What_is_put_in_together_goes_in_as_there_is_room()
    {
        var queue = new IncomingQueue(mostItems: 2, mostBytes: 100_000);
        Assert.Equal(2, queue.Put([Of(1), Of(2), Of(3), Of(4), Of(5)]));
        var rest = queue.PutAsync(new[] { Of(3), Of(4), Of(5) }, Place(), CancellationToken.None).AsTask();
        Assert.Equal([1, 2, 3, 4, 5], await ReadAsync(queue, 5));
        await rest;
        Assert.False(queue.TryRead(out _));
    }

    [Fact]
    public async Task When_it_is_closed_nobody_waits_any_more_and_what_is_in_it_can_be_read()
    {
        var queue = new IncomingQueue(mostItems: 1, mostBytes: 1000);
        Assert.Equal(1, queue.Put([Of(1)]));
        var waiting = queue.PutAsync(new[] { Of(2) }, Place(), CancellationToken.None).AsTask();
        queue.Close();
        Assert.Equal(0, await waiting);
        Assert.Equal(0, await queue.PutAsync(new[] { Of(2) }, Place(), CancellationToken.None));
        Assert.True(await queue.WaitToReadAsync(TestContext.Current.CancellationToken));
        Assert.False(queue.Completion.IsCompleted);
        Assert.Equal([1], await ReadAsync(queue, 1));
        Assert.False(await queue.WaitToReadAsync(TestContext.Current.CancellationToken));
        Assert.True(queue.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_reader_that_waits_is_woken_by_what_comes_and_by_the_end()
    {
        var queue = new IncomingQueue(mostItems: 1, mostBytes: 1000);
        var reading = queue.WaitToReadAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(reading.IsCompleted);
        queue.Put([Of(1)]);
        Assert.True(await reading);
        await ReadAsync(queue, 1);
        reading = queue.WaitToReadAsync(TestContext.Current.CancellationToken).AsTask();
        queue.Close();
        Assert.False(await reading);
    }

    [Fact]
    public async Task Who_leaves_the_line_is_told_what_is_in_and_the_next_one_has_its_turn()
    {
        var queue = new IncomingQueue(mostItems: 2, mostBytes: 100_000);
        using var leaves = new CancellationTokenSource();
        var first = queue.PutAsync(new[] { Of(1), Of(2), Of(3) }, Place(), leaves.Token).AsTask();
        var second = queue.PutAsync(new[] { Of(4) }, Place(), CancellationToken.None).AsTask();
        var third = queue.PutAsync(new[] { Of(5) }, Place(), leaves.Token).AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted || third.IsCompleted);
        await leaves.CancelAsync();
        Assert.Equal((2, 0), (await first, await third));
        Assert.Equal([1, 2, 4], await ReadAsync(queue, 3));
        Assert.Equal(1, await second);
        Assert.Equal(0, await queue.PutAsync(new[] { Of(6) }, Place(), new CancellationToken(canceled: true)) - 1); // There is room.
    }

    private static LinkedListNode<Signal> Place() => new(new Signal());

    private static Incoming Of(int size) =>
        new() { Kind = IncomingKind.Message, ClientId = "c", Message = new Message { Topic = "t", Payload = new byte[size] } };

    private static async Task<List<int>> ReadAsync(IncomingQueue queue, int count)
    {
        List<int> sizes = [];
        while (sizes.Count < count && await queue.WaitToReadAsync(TestContext.Current.CancellationToken))
        {
            while (queue.TryRead(out var incoming))
                sizes.Add(incoming.Message!.Payload.Length);
        }
        return sizes;
    }
}

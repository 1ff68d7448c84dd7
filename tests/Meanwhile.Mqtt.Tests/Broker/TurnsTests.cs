using System.Collections.Concurrent;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Those who are not let in take turns, and leave the thread pool to those who are.</summary>
public sealed class TurnsTests
{
    private static readonly int Most = Math.Max(1, Environment.ProcessorCount / 2);

    [Fact]
    public async Task Everybody_gets_a_turn_and_at_most_half_of_the_processors_work()
    {
        const int count = 20_000;
        var turns = new Turns();
        var (running, most, done) = (0, 0, 0);
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = TestContext.Current.CancellationToken }, async (i, _) =>
        {
            await turns.Next();
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            if (i % 100 == 0)
                Thread.SpinWait(1000);
            Interlocked.Decrement(ref running);
            Interlocked.Increment(ref done);
            await Task.Yield(); // The turn ends here.
        });
        Assert.Equal(count, done);
        Assert.InRange(most, 1, Most);
    }

    [Fact]
    public async Task Those_who_wait_for_the_thread_pool_come_between_two_turns()
    {
        var turns = new Turns();
        var order = new ConcurrentQueue<string>();
        using var gate = new ManualResetEventSlim();
        List<Task> all = [.. Enumerable.Range(0, Most).Select(_ => TakeAsync(() => gate.Wait(TestContext.Current.CancellationToken)))];
        all.AddRange(Enumerable.Range(0, 1000).Select(_ => TakeAsync(() => order.Enqueue("turn"))));
        var other = Task.Run(() => order.Enqueue("other"), TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => other.IsCompleted, () => "the thread pool is full");
        gate.Set();
        await Task.WhenAll(all);
        Assert.Equal("other", order.First()); // It did not wait for a thousand.

        async Task TakeAsync(Action work)
        {
            await turns.Next();
            work();
        }
    }

    [Fact]
    public async Task What_a_client_has_sent_behind_connect_is_done_in_nobodys_turn()
    {
        using var gate = new ManualResetEventSlim();
        var held = 0;
        await using var broker = await TestBroker.StartAsync(options => options with { Holds = Hold });
        List<RawClient> clients = [await RawClient.ConnectAsync(broker.EndPoints[0], "first")]; // What is compiled meanwhile takes its time.
        try
        {
            for (var i = 1; i <= Most; i++)
            {
                clients.Add(await RawClient.OpenAsync(broker.EndPoints[0]));
                await clients[i].SendAsync($"10 {{ 'MQTT' 04 | 02 | 00 00 | 'c{i}' }} | 30 {{ 'a' \"x\" }}");
            }
            await Until.TrueAsync(() => Volatile.Read(ref held) == Most, () => $"{held} of {Most} work");
            await using var newcomer = await RawClient.ConnectAsync(broker.EndPoints[0], "n");
        }
        finally
        {
            gate.Set();
            foreach (var client in clients)
                await client.DisposeAsync();
        }

        bool Hold(string topic)
        {
            Interlocked.Increment(ref held);
            gate.Wait(TestContext.Current.CancellationToken);
            return false;
        }
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var before = most; value > before; before = most)
            Interlocked.CompareExchange(ref most, value, before);
    }
}

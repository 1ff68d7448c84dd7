using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Tests.Session;

/// <summary>Whoever is woken by a signal finds what was written before it was set, at whatever moment that was.</summary>
public sealed class SignalTests
{
    private const int Rounds = 200_000;
    private const int SlowWrites = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly long[] _far = new long[1 << 22];
    private readonly Signal _signal = new();
    private long _written;
    private long _seen;

    // The writer has written much else just before, which has not reached the memory yet: what it writes then waits for that in its processor, while what it reads does not.
    [Fact]
    public void A_signal_that_is_set_while_an_earlier_one_is_taken_is_not_lost()
    {
        var waiter = new Thread(Wait) { IsBackground = true };
        waiter.Start();
        var random = new Random(1);
        for (var round = 1; round <= Rounds; round++)
        {
            _signal.Set(); // The waiter takes this one…
            Thread.SpinWait(random.Next(20));
            for (var i = 0; i < SlowWrites; i++)
                _far[random.Next(_far.Length)] = round;
            Volatile.Write(ref _written, round);
            _signal.Set(); // …while it is set again.
            var number = round;
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _seen) == number, Patience), $"not woken in round {round}");
        }
        Assert.True(waiter.Join(Patience));
    }

    private void Wait()
    {
        var wait = new SpinWait();
        while (Volatile.Read(ref _seen) < Rounds)
        {
            var waiting = _signal.WaitAsync();
            while (!waiting.IsCompleted)
                wait.SpinOnce(sleep1Threshold: -1);
            waiting.GetAwaiter().GetResult();
            Volatile.Write(ref _seen, Volatile.Read(ref _written));
        }
    }
}

using Meanwhile.Mqtt.Broker;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>When memory is used up.</summary>
public sealed class MemoryWatchTests
{
    [Fact]
    public void What_the_host_has_set_aside_does_not_count()
    {
        var setAside = 0L;
        var memory = new MemoryWatch(limit: 1000, () => Volatile.Read(ref setAside));
        Look();
        Assert.True(memory.IsFull);
        Volatile.Write(ref setAside, long.MaxValue / 2);
        Look();
        Assert.False(memory.IsFull);

        // What is too much only once may be garbage.
        void Look()
        {
            memory.Look();
            memory.Look();
        }
    }
}

namespace Meanwhile.Tests.Support;

/// <summary>A test that starts our program and independent clients around a mosquitto of its own.</summary>
[Trait("peer", "mosquitto")]
public abstract class MosquittoTest : ProgramTest
{
    private int _subscribers;

    private protected RunningProgram Run(string broker, params string[] arguments) => Meanwhile(arguments, ("BROKER", broker));

    private protected async Task<RunningProgram> AggregateAsync(MosquittoServer mosquitto, params string[] more)
    {
        var aggregate = Run(mosquitto.Address, ["aggregate", .. more]);
        await aggregate.SaysAsync("subscribed to");
        return aggregate;
    }

    private protected async Task<RunningProgram> WatchAsync(MosquittoServer mosquitto)
    {
        var watch = Run(mosquitto.Address, "watch");
        await watch.SaysAsync("subscribed to");
        return watch;
    }

    private protected async Task<RunningProgram> SubscribeAsync(MosquittoServer mosquitto, string filter, string format)
    {
        var id = $"peer-{++_subscribers}";
        var peer = Peer("mosquitto_sub", "-p", mosquitto.Port.ToString(), "-i", id, "-t", filter, "-q", "2", "-F", format);
        await mosquitto.SaysAsync($"Sending SUBACK to {id}");
        return peer;
    }

    private protected async Task PublishAsync(MosquittoServer mosquitto, string topic, string payload, params string[] more) =>
        Assert.Equal(0, await Peer("mosquitto_pub", ["-p", mosquitto.Port.ToString(), "-t", topic, "-m", payload, .. more]).ExitAsync());
}

namespace Meanwhile.Tests.Support;

/// <summary>A test that starts our program and independent clients around a mosquitto of its own.</summary>
[Trait("peer", "mosquitto")]
public abstract class MosquittoTest : IDisposable
{
    private readonly List<RunningProgram> _programs = [];

    private protected TemporaryFolder Folder { get; } = new();

    private protected string Database => Folder["tmp/test.db"];

    public void Dispose()
    {
        foreach (var program in _programs)
            program.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected int Rows() => int.Parse(ReadingsFile.Query(Database, "SELECT COUNT(*) FROM messages")[0]);

    private protected RunningProgram Run(string broker, params string[] arguments)
    {
        var program = RunningProgram.Meanwhile(Folder.Path, arguments, ("BROKER", broker));
        _programs.Add(program);
        return program;
    }

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
        var id = $"peer-{_programs.Count}";
        var peer = RunningProgram.Start(
            Peers.RequireProgram("mosquitto_sub"), Folder.Path, ["-p", mosquitto.Port.ToString(), "-i", id, "-t", filter, "-q", "2", "-F", format]);
        _programs.Add(peer);
        await mosquitto.SaysAsync($"Sending SUBACK to {id}");
        return peer;
    }

    private protected async Task PublishAsync(MosquittoServer mosquitto, string topic, string payload, params string[] more)
    {
        using var peer = RunningProgram.Start(
            Peers.RequireProgram("mosquitto_pub"), Folder.Path, ["-p", mosquitto.Port.ToString(), "-t", topic, "-m", payload, .. more]);
        Assert.Equal(0, await peer.ExitAsync());
    }
}

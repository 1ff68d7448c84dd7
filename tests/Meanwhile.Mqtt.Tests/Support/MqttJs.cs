namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>MQTT.js of one version, in a folder of its own that goes with the tests; npm gets it from wherever this machine is set up to.</summary>
public sealed class MqttJs : IAsyncLifetime
{
    private const string Package = "mqtt@5.16.0";

    private readonly string _folder = Directory.CreateTempSubdirectory("meanwhile-mqttjs-").FullName;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (Peers.IsThere("npm"))
            await Peers.Start("npm", "install", "--prefix", _folder, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error", Package).EndAsync();
    }

    /// <summary>Runs a script of ours that uses it.</summary>
    public async Task RunAsync(string script, params string[] arguments) =>
        await Peers.Start("node", [PeerScript.PathOf(script), .. arguments], ("MQTTJS", _folder)).EndAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

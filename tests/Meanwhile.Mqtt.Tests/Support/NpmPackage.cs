using System.Diagnostics;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A package of one version, in a folder of its own that goes with the tests; npm gets it from wherever this machine is set up to.</summary>
/// <param name="package">Its name and version.</param>
public abstract class NpmPackage(string package) : IAsyncLifetime
{
    /// <summary>Where it is, below <c>node_modules</c>.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("meanwhile-npm-").FullName;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (Peers.IsThere("npm"))
            await Peers.Start("npm", "install", "--prefix", Folder, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error", package).EndAsync();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>MQTT.js.</summary>
public sealed class MqttJs() : NpmPackage("mqtt@5.16.0")
{
    /// <summary>Runs a script of ours that uses it.</summary>
    public async Task RunAsync(string script, params string[] arguments) =>
        await Peers.Start("node", [PeerScript.PathOf(script), .. arguments], ("MQTTJS", Folder)).EndAsync();
}

/// <summary>Node-RED.</summary>
public sealed class NodeRed() : NpmPackage("node-red@4.1.15")
{
    /// <summary>Starts it with a flow of ours, without an editor: it listens nowhere.</summary>
    /// <param name="flow">Its file.</param>
    /// <param name="port">Of the broker: it stands for PORT in the flow.</param>
    /// <param name="version">4 or 5: it stands for VERSION.</param>
    public Process Start(string flow, int port, int version)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, $"user-{port}")).FullName;
        var flows = File.ReadAllText(PeerScript.PathOf(flow)).Replace("PORT", $"{port}", StringComparison.Ordinal).Replace("VERSION", $"{version}", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "flows.json"), flows);
        var settings = Path.Combine(folder, "settings.js");
        File.WriteAllText(settings, "module.exports = { flowFile: 'flows.json', httpAdminRoot: false, httpNodeRoot: false, credentialSecret: 'none', telemetry: { enabled: false } }");
        return Peers.Start("node", Path.Combine(Folder, "node_modules", "node-red", "red.js"), "--userDir", folder, "--settings", settings);
    }
}

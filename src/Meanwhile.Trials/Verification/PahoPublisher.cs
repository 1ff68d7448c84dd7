using Meanwhile.Mqtt.Client;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Verification;

/// <summary>Publishers on Eclipse paho, in Python: a client that shares no code with what is judged. They keep the same log as our own.</summary>
internal sealed class PahoPublisher
{
    private const string ScriptName = "paho_publisher.py";
    private readonly string _python;
    private readonly string _script;

    private PahoPublisher(string python, string script) => (_python, _script) = (python, script);

    /// <summary>Finds a Python that has paho.</summary>
    /// <param name="folder">For the script and what Python says.</param>
    /// <exception cref="TrialException">There is none.</exception>
    public static async Task<PahoPublisher> FindAsync(string folder, CancellationToken stop)
    {
        foreach (var python in InstalledProgram.FindAll("python3"))
        {
            using var import = ChildProcess.Start(python, Path.Combine(folder, "paho.log"), ["-c", "import paho.mqtt.client"]);
            if (await import.ExitAsync(stop) != 0)
                continue;
            var script = Path.Combine(folder, ScriptName);
            await using var resource = typeof(PahoPublisher).Assembly.GetManifestResourceStream(ScriptName)!;
            await using var file = File.Create(script);
            await resource.CopyToAsync(file, stop);
            return new PahoPublisher(python, script);
        }
        throw new TrialException("--publishers: paho is not installed: expected a python3 that can import paho.mqtt.client (Debian has it as python3-paho-mqtt), or own");
    }

    /// <summary>Starts a publisher.</summary>
    /// <param name="arguments">Of the script.</param>
    /// <param name="login">Its name and password.</param>
    public ChildProcess Start(string log, IEnumerable<string> arguments, ClientOptions login) => ChildProcess.Start(
        _python, log, [_script, .. arguments], output: null,
        [
            .. login.UserName is { } name ? [("MQTT_USERNAME", name)] : ((string, string)[])[],
            .. login.Password is { } password ? [("MQTT_PASSWORD", System.Text.Encoding.UTF8.GetString(password.Span))] : ((string, string)[])[],
        ]);
}

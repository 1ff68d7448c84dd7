using System.CommandLine;
using System.Net;
using Meanwhile.Feeds;
using Meanwhile.Settings;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;

namespace Meanwhile.Verbs;

/// <summary>The seed's mosquitto: the embedded broker alone.</summary>
internal static class BrokerVerb
{
    private static readonly ListenAddress Standard = new(new IPEndPoint(IPAddress.Loopback, 1883));

    private static readonly Setting<string> Database = new(
        "--db", null, BrokerFile.DefaultPath, "FILE", "SQLite file of sessions, queues and retained messages", CommonSettings.ParseFile);

    public static Command Command()
    {
        var command = VerbContext.Command("broker", "run the embedded MQTT broker alone", [Database.Option, .. EmbeddedSettings.Options], RunAsync);
        command.Subcommands.Add(SessionsVerb.Command(Database));
        return command;
    }

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        context.Reload = () => { }; // What there is to be read again has not been read yet.
        var options = EmbeddedSettings.Read(context.CommandLine, context.Sources, Standard);
        using var store = await Store.OpenBrokerAsync(context.Read(Database)!, context.Logger, context.Time, stop);
        await using var embedded = await EmbeddedBroker.StartAsync(options, store, broker => broker, context.Logger, context.Time, stop);
        context.Reload = embedded.Reload;
        await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, context.Time, stop), embedded.Completion);
    }
}

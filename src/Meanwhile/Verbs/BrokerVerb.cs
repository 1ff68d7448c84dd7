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
    private static readonly Setting<IPEndPoint> Listen = new(
        "--listen", null, "127.0.0.1:1883", "ADDRESS:PORT", "where to listen", BrokerAddress.ParseListen);

    private static readonly Setting<string> Database = new(
        "--db", null, BrokerFile.DefaultPath, "FILE", "SQLite file of sessions, queues and retained messages", CommonSettings.ParseFile);

    public static Command Command() => Session.Command(
        "broker", "run the embedded MQTT broker alone", [Listen.Option, Database.Option, CommonSettings.SessionExpiry.Option, CommonSettings.AllowAnonymous], RunAsync);

    private static async Task RunAsync(Session session, CancellationToken stop)
    {
        var refusals = new Refusals(session.Logger, session.Time);
        using var store = await Store.OpenBrokerAsync(session.Read(Database)!, session.Logger, session.Time, stop);
        var broker = await EmbeddedBroker.StartAsync(
            CommonSettings.ReadEmbedded(session.CommandLine, session.Sources, session.Read(Listen)!), store, options => options, refusals, session.Logger, stop);
        await using (broker)
            await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, session.Time, stop), broker.Completion);
        refusals.Sum();
        await broker.Completion;
    }
}

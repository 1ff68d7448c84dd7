using System.CommandLine;
using System.Net;
using Meanwhile.Feeds;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>The seed's mosquitto: the embedded broker alone.</summary>
internal static class BrokerVerb
{
    private static readonly Setting<IPEndPoint> Listen = new(
        "--listen", null, "127.0.0.1:1883", "ADDRESS:PORT", "where to listen", BrokerAddress.ParseListen);

    public static Command Command() => Session.Command("broker", "run the embedded MQTT broker alone", [Listen.Option, CommonSettings.AllowAnonymous], RunAsync);

    private static async Task RunAsync(Session session, CancellationToken stop)
    {
        var refusals = new Refusals(session.Logger, session.Time);
        await using (await EmbeddedBroker.StartAsync(
            session.Read(Listen)!, session.CommandLine.GetValue(CommonSettings.AllowAnonymous), options => options, refusals, session.Logger, stop))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, session.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        refusals.Sum();
    }
}

using System.CommandLine;
using System.Net;
using Meanwhile.Feeds;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>The seed's mosquitto: the embedded broker alone.</summary>
internal static class BrokerVerb
{
    private static readonly ListenAddress Standard = new(new IPEndPoint(IPAddress.Loopback, 1883));

    public static Command Command() => Session.Command("broker", "run the embedded MQTT broker alone", EmbeddedSettings.Options, RunAsync);

    private static async Task RunAsync(Session session, CancellationToken stop)
    {
        var options = EmbeddedSettings.Read(session.CommandLine, session.Sources, Standard);
        await using (await EmbeddedBroker.StartAsync(options, broker => broker, session.Logger, session.Time, stop))
            await Task.Delay(Timeout.InfiniteTimeSpan, session.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}

using System.Net;
using System.Net.Sockets;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Starts the broker in this process, and says what it refuses.</summary>
internal static class EmbeddedBroker
{
    /// <summary>Starts listening.</summary>
    /// <param name="settings">What a user decides.</param>
    /// <param name="store">Where it keeps what outlives the process.</param>
    /// <param name="options">What the broker is to be beside that.</param>
    /// <param name="refusals">Counts and says what is refused.</param>
    /// <param name="logger">For where it listens.</param>
    /// <exception cref="UserException">The address cannot be used.</exception>
    public static async Task<MqttBroker> StartAsync(
        EmbeddedSettings settings, IBrokerStore store, Func<BrokerOptions, BrokerOptions> options, Refusals refusals, ILogger logger, CancellationToken stop)
    {
        var endPoint = settings.EndPoint;
        var isOpen = !IPAddress.IsLoopback(endPoint.Address);
        if (isOpen && !settings.AllowAnonymous)
        {
            throw new UserException(
                $"{endPoint}: whoever reaches this address could publish and subscribe there: expected a loopback address such as 127.0.0.1, or --allow-anonymous", ExitCode.Usage);
        }
        try
        {
            var limits = new BrokerLimits { SessionExpiry = settings.SessionExpiry };
            var common = new BrokerOptions { Listeners = [new ListenerOptions(endPoint)], Store = store, Refused = refusals.Add, Limits = limits };
            var broker = await MqttBroker.StartAsync(options(common), stop);
            Log.Listening(logger, broker.EndPoints[0]);
            if (isOpen)
                Log.ListeningToAll(logger, broker.EndPoints[0]);
            return broker;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new UserException($"{endPoint}: the embedded broker cannot listen there ({BrokerFailure.Describe(e)}): expected a free port at an address of this machine", inner: e);
        }
    }

    /// <summary>Whether nobody listens at an address yet.</summary>
    public static bool IsFree(IPEndPoint endPoint)
    {
        using var listener = new TcpListener(endPoint);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>What a user decides of the embedded broker.</summary>
/// <param name="EndPoint">An address of this machine; port 0 takes a free one.</param>
/// <param name="AllowAnonymous">Also where others than this machine's own users get to.</param>
/// <param name="SessionExpiry">The longest time that a session waits for its client.</param>
internal sealed record EmbeddedSettings(IPEndPoint EndPoint, bool AllowAnonymous, TimeSpan SessionExpiry);

using System.Net;
using System.Net.Sockets;
using Meanwhile.Logging;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Server;

namespace Meanwhile.Feeds;

/// <summary>The built-in broker: MQTTnet's for now (see docs/adr).</summary>
internal sealed class EmbeddedBroker : IAsyncDisposable
{
    private readonly MqttServer _server;

    private EmbeddedBroker(MqttServer server, IPEndPoint endPoint) => (_server, EndPoint) = (server, endPoint);

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Starts listening.</summary>
    /// <param name="endPoint">An address of this machine; port 0 takes a free one.</param>
    /// <param name="intercept">Awaited before a publish is acknowledged and handed to its subscribers; null for a plain broker.</param>
    /// <param name="logger">For where it listens.</param>
    /// <exception cref="UserException">The address cannot be used.</exception>
    public static async Task<EmbeddedBroker> StartAsync(IPEndPoint endPoint, Func<InterceptingPublishEventArgs, Task>? intercept, ILogger logger)
    {
        if (endPoint.Port == 0)
            endPoint = new IPEndPoint(endPoint.Address, FreePort(endPoint.Address));
        var server = new MqttServerFactory().CreateMqttServer(Options(endPoint));
        if (intercept is not null)
            server.InterceptingPublishAsync += intercept;
        try
        {
            await server.StartAsync();
        }
        catch (SocketException e)
        {
            server.Dispose();
            throw new UserException($"{endPoint}: the embedded broker cannot listen there ({BrokerFailure.Describe(e)}): expected a free port at an address of this machine", inner: e);
        }
        Log.Listening(logger, endPoint);
        if (!IPAddress.IsLoopback(endPoint.Address))
            Log.ListeningToAll(logger, endPoint);
        return new EmbeddedBroker(server, endPoint);
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

    /// <summary>Publishes to the broker's own subscribers.</summary>
    public Task PublishAsync(string topic, byte[] payload, CancellationToken cancellationToken)
    {
        var message = new MqttApplicationMessageBuilder()
            .WithTopic(topic).WithPayload(payload).WithQualityOfServiceLevel(MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce).Build();
        return _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(message) { SenderClientId = "" }, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(new MqttServerStopOptions());
        _server.Dispose();
    }

    private static MqttServerOptions Options(IPEndPoint endPoint)
    {
        var isV6 = endPoint.AddressFamily == AddressFamily.InterNetworkV6;
        return new MqttServerOptionsBuilder()
            .WithDefaultEndpoint()
            .WithDefaultEndpointPort(endPoint.Port)
            .WithDefaultEndpointBoundIPAddress(isV6 ? IPAddress.None : endPoint.Address)
            .WithDefaultEndpointBoundIPV6Address(isV6 ? endPoint.Address : IPAddress.None)
            .WithPersistentSessions()
            .WithMaxPendingMessagesPerClient(100_000)
            .Build();
    }

    private static int FreePort(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A server made of raw bytes: it accepts connections, and the test sends and expects packets itself.</summary>
internal sealed class RawServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public RawServer() => _listener.Start();

    /// <summary>Where it is.</summary>
    public Uri Address => new($"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>The next connection, without a word.</summary>
    public async Task<RawClient> AcceptAsync()
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        return RawClient.Of(await _listener.AcceptTcpClientAsync(patience.Token));
    }

    /// <summary>The next connection, after CONNECT and this answer.</summary>
    public async Task<RawClient> AcceptAsync(string connAck)
    {
        var client = await AcceptAsync();
        Assert.Equal(0x10, (await client.ReadPacketAsync())[0]);
        await client.SendAsync(connAck);
        return client;
    }

    public void Dispose() => _listener.Dispose();
}

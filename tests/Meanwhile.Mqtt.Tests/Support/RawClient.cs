using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>An end of a connection, mostly a client's, that sends exactly these bytes, and wants exactly those.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TcpClient _client;
    private Stream _stream = null!;

    private RawClient(TcpClient client) => (_client = client).NoDelay = true;

    /// <summary>The other end of a connection that a server has accepted.</summary>
    public static RawClient Of(TcpClient client) => new(client) { _stream = client.GetStream() };

    /// <summary>Connects to a broker, without a word.</summary>
    public static async Task<RawClient> OpenAsync(IPEndPoint endPoint)
    {
        var client = new RawClient(new TcpClient());
        await client._client.ConnectAsync(endPoint, TestContext.Current.CancellationToken);
        client._stream = client._client.GetStream();
        return client;
    }

    /// <summary>What it sends and reads.</summary>
    public Stream Stream => _stream;

    /// <summary>Goes on in TLS, with a server that has this certificate.</summary>
    public async Task StartTlsAsync(X509Certificate2 server)
    {
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate?.GetCertHashString() == server.Thumbprint);
        _stream = tls;
        await tls.AuthenticateAsClientAsync("localhost");
    }

    /// <summary>Connects and is accepted, in 3.1.1.</summary>
    public static async Task<RawClient> ConnectAsync(IPEndPoint endPoint, string clientId, bool clean = true, bool expectSession = false)
    {
        var client = await OpenAsync(endPoint);
        await client.SendAsync($"10 {{ 'MQTT' 04 | {(clean ? "02" : "00")} | 00 00 | '{clientId}' }}");
        await client.ExpectAsync($"20 02 {(expectSession ? "01" : "00")} 00");
        return client;
    }

    /// <summary>Connects and is accepted, in 5.0.</summary>
    /// <param name="properties">Of CONNECT, in the notation of bytes.</param>
    public static async Task<RawClient> Connect5Async(IPEndPoint endPoint, string clientId, string properties = "", bool clean = true, bool expectSession = false)
    {
        var client = await OpenAsync(endPoint);
        await client.SendAsync($"10 {{ 'MQTT' 05 | {(clean ? "02" : "00")} | 00 00 | {{ {properties} }} | '{clientId}' }}");
        var answer = await client.ReadPacketAsync();
        Assert.Equal([0x20, expectSession ? (byte)1 : (byte)0, 0], [answer[0], answer[2], answer[3]]);
        return client;
    }

    public ValueTask SendAsync(string notation) => SendAsync(Bytes.Of(notation));

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => _stream.WriteAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>The next bytes are these.</summary>
    public async Task ExpectAsync(string notation)
    {
        var expected = Bytes.Of(notation);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(await ReadExactlyAsync(expected.Length)));
    }

    /// <summary>Nothing was sent that was not expected: the answer to a ping is the next that comes.</summary>
    public async Task ExpectNothingAsync()
    {
        await SendAsync("C0 00");
        await ExpectAsync("D0 00");
    }

    /// <summary>The server closes the connection without another byte.</summary>
    public async Task ExpectEndAsync()
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            Assert.Equal(0, await _stream.ReadAsync(new byte[1], patience.Token));
        }
        catch (IOException)
        {
            // Cut off is an end as well.
        }
    }

    /// <summary>Whatever the server says before it closes the connection.</summary>
    public async Task ReadToEndAsync()
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        await _stream.CopyToAsync(Stream.Null, patience.Token);
    }

    /// <summary>The next packet, which is short.</summary>
    public async Task<byte[]> ReadPacketAsync()
    {
        var header = await ReadExactlyAsync(2);
        Assert.InRange(header[1], 0, 127);
        return [.. header, .. await ReadExactlyAsync(header[1])];
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>As many bytes as that.</summary>
    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, patience.Token);
        return bytes;
    }
}

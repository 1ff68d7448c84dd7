using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>A client of HTTP that sends what it is told, and reads only when it is told: a hostile one, if need be.</summary>
internal sealed class RawReader : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };

    /// <summary>Connects, and sends.</summary>
    public static async Task<RawReader> ConnectAsync(Uri http, string text)
    {
        var reader = new RawReader();
        await reader._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, http.Port), TestContext.Current.CancellationToken);
        await reader._socket.SendAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        return reader;
    }

    /// <summary>Connects, and asks for a path.</summary>
    public static Task<RawReader> GetAsync(Uri http, string path) => ConnectAsync(http, $"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    /// <summary>The status of the answer; 0 when the connection was closed without one.</summary>
    public async Task<int> StatusAsync()
    {
        var buffer = new byte[12];
        for (var length = 0; length < buffer.Length;)
        {
            var read = await ReceiveAsync(buffer.AsMemory(length));
            if (read == 0)
                return 0;
            length += read;
        }
        return int.Parse(Encoding.ASCII.GetString(buffer)["HTTP/1.1 ".Length..]);
    }

    public void Dispose() => _socket.Dispose();

    private async Task<int> ReceiveAsync(Memory<byte> buffer)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}

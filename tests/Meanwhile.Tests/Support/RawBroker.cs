using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Tests.Support;

/// <summary>A broker made of raw bytes: it accepts connections, and the test reads and writes packets itself.</summary>
internal sealed class RawBroker : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public RawBroker() => _listener.Start();

    public string Address => _listener.LocalEndpoint.ToString()!;

    /// <summary>The next connection.</summary>
    public async Task<RawConnection> AcceptAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        return new RawConnection(await _listener.AcceptTcpClientAsync(timeout.Token));
    }

    public void Dispose() => _listener.Dispose();
}

/// <summary>One connection to it.</summary>
internal sealed class RawConnection(TcpClient client) : IDisposable
{
    private readonly NetworkStream _stream = client.GetStream();

    /// <summary>Nothing has come that was not received yet.</summary>
    public bool IsSilent => client.Available == 0;

    /// <summary>Sends bytes, given as hexadecimal text.</summary>
    public ValueTask SendAsync(string hex) => _stream.WriteAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

    /// <summary>Sends bytes.</summary>
    public ValueTask SendAsync(byte[] bytes) => _stream.WriteAsync(bytes);

    /// <summary>The next packet as hexadecimal text; empty when the connection was closed.</summary>
    public async Task<string> ReceiveAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        var header = new byte[2]; // Every packet here is shorter than 128 bytes.
        if (await _stream.ReadAtLeastAsync(header, 2, throwOnEndOfStream: false, timeout.Token) < 2)
            return "";
        var rest = new byte[header[1]];
        await _stream.ReadExactlyAsync(rest, timeout.Token);
        return Convert.ToHexString([.. header, .. rest]);
    }

    /// <summary>So many bytes, of packets of any length.</summary>
    public async Task<byte[]> ReceiveExactlyAsync(int count)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, timeout.Token);
        return bytes;
    }

    /// <summary>Sends bytes, and waits for that.</summary>
    public void Send(byte[] bytes) => _stream.Write(bytes);

    /// <summary>Waits for bytes, and takes as many as there are.</summary>
    public int Receive(Span<byte> bytes) => _stream.Read(bytes);

    public void Dispose() => client.Dispose();
}

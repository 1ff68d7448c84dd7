using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Trials.Verification;

/// <summary>Stands between clients and a broker, cuts their connections, and counts what the broker sends again.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly string _host;
    private readonly int _port;
    private readonly Task _accepting;
    private long _redelivered;

    /// <summary>Starts listening at a free port of this machine.</summary>
    /// <param name="host">Where the broker is; it need not be there yet.</param>
    public CuttingProxy(string host, int port)
    {
        (_host, _port) = (host, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public string Address => _listener.LocalEndpoint.ToString()!;

    /// <summary>How many messages the broker has sent with DUP set.</summary>
    public long Redelivered => Interlocked.Read(ref _redelivered);

    /// <summary>Resets all connections: what is on its way is gone.</summary>
    public void Cut()
    {
        foreach (var socket in _sockets.Keys)
            Reset(socket);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
            _ = ServeAsync(await _listener.AcceptSocketAsync(_closing.Token));
    }

    private async Task ServeAsync(Socket client)
    {
        using var broker = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            _sockets[client] = _sockets[broker] = true;
            try
            {
                await broker.ConnectAsync(_host, _port, _closing.Token);
                var redeliveries = new RedeliveryCounter();
                await await Task.WhenAny(
                    PumpAsync(client, broker, _ => { }),
                    PumpAsync(broker, client, bytes => Interlocked.Add(ref _redelivered, redeliveries.Count(bytes))));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                Reset(client); // The other side is gone: so is this one.
            }
            _sockets.TryRemove(client, out _);
            _sockets.TryRemove(broker, out _);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Action<ReadOnlySpan<byte>> passing)
    {
        var buffer = new byte[64 << 10];
        while (await from.ReceiveAsync(buffer, _closing.Token) is > 0 and var length)
        {
            passing(buffer.AsSpan(0, length));
            for (var sent = 0; sent < length;)
                sent += await to.SendAsync(buffer.AsMemory(sent, length - sent), _closing.Token);
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0); // Closes with RST.
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed, or was never open.
        }
        socket.Dispose();
    }
}

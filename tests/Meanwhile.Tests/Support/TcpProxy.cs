using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Tests.Support;

/// <summary>Where a connection is cut.</summary>
public enum Cut
{
    None,

    /// <summary>The next request does not reach the server.</summary>
    BeforeRequest,

    /// <summary>Its last bytes do not reach the server.</summary>
    WithinRequest,

    /// <summary>The server has done what it was asked to, and cannot say so.</summary>
    BeforeAnswer,

    /// <summary>The last bytes of its answer are missing.</summary>
    WithinAnswer,

    /// <summary>As <see cref="BeforeAnswer"/>, and the server does not notice that the client is gone.</summary>
    HalfOpen,
}

/// <summary>Stands between a client and a PostgreSQL server, and cuts connections where it is told to.</summary>
internal sealed class TcpProxy : IDisposable
{
    private const int TailLength = 6; // A request ends with Sync, five bytes; an answer with ReadyForQuery, six.
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Socket> _sockets = [];
    private readonly int _target;

    public TcpProxy(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What becomes of the next request; used once.</summary>
    public Cut Next { get; set; }

    /// <summary>How many requests, or answers, go through before that.</summary>
    public int Skip { get; set; }

    public void Dispose()
    {
        _listener.Dispose();
        lock (_sockets)
            _sockets.ForEach(socket => socket.Dispose());
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }
            var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.NoDelay = true;
            lock (_sockets)
                _sockets.AddRange([client, server]);
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, TestContext.Current.CancellationToken);
                _ = PumpAsync(client, server, Cut.BeforeRequest, Cut.WithinRequest);
                _ = PumpAsync(server, client, Cut.BeforeAnswer, Cut.WithinAnswer);
            }
            catch (SocketException)
            {
                client.Dispose();
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Cut before, Cut within)
    {
        var bytes = new byte[1 << 20];
        try
        {
            while (await from.ReceiveAsync(bytes) is var count and > 0)
            {
                var cut = Next;
                var isMeant = cut == before || cut == within || (cut == Cut.HalfOpen && before == Cut.BeforeAnswer);
                if (isMeant && Skip > 0)
                {
                    Skip--;
                    isMeant = false;
                }
                if (cut == Cut.HalfOpen && isMeant)
                {
                    Next = Cut.None;
                    to.Close(timeout: 0);
                    return;
                }
                if (!isMeant)
                {
                    await to.SendAsync(bytes.AsMemory(0, count));
                    continue;
                }
                Next = Cut.None;
                if (cut == within)
                    await to.SendAsync(bytes.AsMemory(0, count - TailLength));
                break;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other direction has closed both.
        }
        from.Close();
        to.Close();
    }
}

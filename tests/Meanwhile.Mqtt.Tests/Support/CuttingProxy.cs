using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Stands between a client and a server, and cuts each connection after a random number of bytes, until it is told to leave them alone.</summary>
internal sealed class CuttingProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly Random _random;
    private readonly int _longest;
    private volatile bool _isGentle;

    public CuttingProxy(int target, Random random, int longest)
    {
        (_target, _random, _longest) = (target, random, longest);
        _listener.Start();
        Accepting = AcceptAsync();
    }

    /// <summary>Where it is.</summary>
    public Uri Address => new($"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>How many connections it has cut.</summary>
    public int Cuts { get; private set; }

    public Task Accepting { get; }

    /// <summary>Cuts nothing any more.</summary>
    public void LeaveAlone() => _isGentle = true;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken), _random.Next(_longest));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client, int bytesLeft)
    {
        using (client)
        using (var server = new TcpClient())
        {
            await server.ConnectAsync(IPAddress.Loopback, _target, TestContext.Current.CancellationToken);
            (client.NoDelay, server.NoDelay) = (true, true);
            await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
        }

        async Task PumpAsync(TcpClient from, TcpClient to)
        {
            var buffer = new byte[4096];
            try
            {
                while (await from.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken) is var count and > 0)
                {
                    var left = Interlocked.Add(ref bytesLeft, -count) + count;
                    var passed = _isGentle ? count : Math.Clamp(left, 0, count);
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, passed), TestContext.Current.CancellationToken);
                    if (passed == count)
                        continue;
                    Cuts++;
                    return;
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
            {
                // The other direction has ended.
            }
        }
    }
}

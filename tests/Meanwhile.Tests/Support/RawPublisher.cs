using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>
/// A publisher of raw bytes in 3.1.1, which keeps its session: it has many messages in flight, and after a lost connection it sends what was not answered
/// again, under the same identifiers and in the same order.
/// </summary>
/// <param name="payload">With {0} in the place of the number.</param>
internal sealed class RawPublisher(int port, int qos, int inFlight, string payload = "{0}")
{
    private const int PubAck = 0x40;
    private const int PubRec = 0x50;
    private const int PubComp = 0x70;

    // By number; the identifier is the number, which starts at 1. True once PUBREC has come.
    private readonly SortedDictionary<ushort, bool> _open = [];
    private volatile int _completed;
    private bool _isKnown;
    private ushort _last;

    /// <summary>How many messages were answered to the end.</summary>
    public int Completed => _completed;

    /// <summary>How often the broker had forgotten the session.</summary>
    public int SessionsLost { get; private set; }

    /// <summary>Publishes so many readings, whose numbers are 1, 2, 3…, however often the broker has to be waited for.</summary>
    public async Task RunAsync(ushort count, CancellationToken cancellationToken)
    {
        while (_completed < count && !cancellationToken.IsCancellationRequested)
        {
            try
            {
                TcpClient? client = null;
                await Until.TrueAsync(() => TryConnect(out client), () => "the broker does not come back", giveUp: () => cancellationToken.IsCancellationRequested);
                using (client)
                    await ConverseAsync(client!.GetStream(), count, cancellationToken);
            }
            catch (IOException)
            {
                // It was killed: again.
            }
        }
    }

    private bool TryConnect(out TcpClient? client)
    {
        client = new TcpClient { NoDelay = true };
        try
        {
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            client.Dispose();
            return false;
        }
    }

    private async Task ConverseAsync(NetworkStream stream, ushort count, CancellationToken cancellationToken)
    {
        var answer = new byte[4]; // Every packet that comes has this length.
        await stream.WriteAsync(Convert.FromHexString("101000044D5154540400000000047261774A"), cancellationToken);
        await stream.ReadExactlyAsync(answer, cancellationToken);
        Assert.Equal((0x20, 0), (answer[0], answer[3]));
        SessionsLost += _isKnown && answer[2] == 0 ? 1 : 0;
        _isKnown = true;

        using var output = new MemoryStream();
        foreach (var (id, isReceived) in _open)
            output.Write(isReceived ? Release(id) : Publish(id, dup: true));
        while (_completed < count)
        {
            while (_open.Count < inFlight && _last < count)
            {
                _open.Add(++_last, false);
                output.Write(Publish(_last, dup: false));
            }
            await stream.WriteAsync(output.GetBuffer().AsMemory(0, (int)output.Length), cancellationToken);
            output.SetLength(0);
            await stream.ReadExactlyAsync(answer, cancellationToken);
            Take(answer[0], (ushort)((answer[2] << 8) | answer[3]), output);
        }
    }

    private void Take(int type, ushort id, MemoryStream output)
    {
        Assert.Contains(type, new[] { PubAck, PubRec, PubComp });
        if (type == PubRec)
        {
            _open[id] = true;
            output.Write(Release(id));
        }
        else if (_open.Remove(id))
        {
            _completed++;
        }
    }

    private byte[] Publish(ushort id, bool dup) => RawPackets.Publish(id, qos, dup, is5: false, "DATA", Encoding.UTF8.GetBytes(payload.Replace("{0}", $"{id}", StringComparison.Ordinal)));

    private static byte[] Release(ushort id) => [0x62, 2, (byte)(id >> 8), (byte)id];
}

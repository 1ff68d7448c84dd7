using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>A subscriber of raw bytes in 3.1.1 with a session that it keeps: at QoS 2 it remembers the identifiers that it has received, as the standard has it, through lost connections.</summary>
internal sealed class RawSubscriber(int port, int qos)
{
    private readonly HashSet<ushort> _received = [];
    private readonly List<string> _payloads = [];

    /// <summary>What was delivered, in order.</summary>
    public List<string> Payloads
    {
        get
        {
            lock (_payloads)
                return [.. _payloads];
        }
    }

    /// <summary>How many came with DUP.</summary>
    public int Again { get; private set; }

    /// <summary>Subscribes, and leaves.</summary>
    public async Task SubscribeAsync()
    {
        using var client = await ConnectAsync(expectSession: false);
        var stream = client.GetStream();
        await stream.WriteAsync(new byte[] { 0x82, 9, 0, 1, 0, 4, (byte)'D', (byte)'A', (byte)'T', (byte)'A', (byte)qos });
        var answer = new byte[5];
        await stream.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
        Assert.Equal([0x90, 3, 0, 1, (byte)qos], answer);
        await stream.WriteAsync(new byte[] { 0xE0, 0 });
    }

    /// <summary>Takes messages until it is told to stop, however often the broker has to be waited for.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var client = await ConnectAsync(expectSession: true);
                await ConverseAsync(client.GetStream(), stop);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // It was killed: again.
            }
        }
    }

    private async Task<TcpClient> ConnectAsync(bool expectSession)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(Convert.FromHexString("101000044D5154540400000000047261774B"));
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
        Assert.Equal([0x20, 2, expectSession ? (byte)1 : (byte)0, 0], answer);
        return client;
    }

    private async Task ConverseAsync(NetworkStream stream, CancellationToken stop)
    {
        var head = new byte[2];
        while (true)
        {
            await stream.ReadExactlyAsync(head, stop);
            var body = new byte[head[1]]; // All are short.
            await stream.ReadExactlyAsync(body, stop);
            if ((head[0] & 0xF0) == 0x30)
            {
                var id = (ushort)((body[6] << 8) | body[7]); // After the topic.
                Again += (head[0] & 8) != 0 ? 1 : 0;
                if (qos == 1 || _received.Add(id))
                    Take(Encoding.UTF8.GetString(body.AsSpan(8)));
                await stream.WriteAsync(new byte[] { (byte)(qos == 1 ? 0x40 : 0x50), 2, body[6], body[7] }, stop);
            }
            else
            {
                Assert.Equal(0x62, head[0]);
                _received.Remove((ushort)((body[0] << 8) | body[1]));
                await stream.WriteAsync(new byte[] { 0x70, 2, body[0], body[1] }, stop);
            }
        }
    }

    private void Take(string payload)
    {
        lock (_payloads)
            _payloads.Add(payload);
    }
}

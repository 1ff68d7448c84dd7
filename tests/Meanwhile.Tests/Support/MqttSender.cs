using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>Publishes one message after the other, and waits for the answer to each: what it was told is committed.</summary>
internal sealed class MqttSender : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };

    private MqttSender()
    {
    }

    public static async Task<MqttSender> ConnectAsync(int port)
    {
        var sender = new MqttSender();
        await sender._client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await sender.AskAsync(Convert.FromHexString("101000044D51545404020000000473656E64")); // CONNECT, 3.1.1, clean session.
        return sender;
    }

    public Task SendAsync(string topic, string payload) => AskAsync(RawPackets.Publish(1, 1, dup: false, is5: false, topic, Encoding.UTF8.GetBytes(payload)));

    public void Dispose() => _client.Dispose();

    private async Task AskAsync(byte[] packet)
    {
        await _client.GetStream().WriteAsync(packet, TestContext.Current.CancellationToken);
        await _client.GetStream().ReadExactlyAsync(new byte[4], TestContext.Current.CancellationToken); // CONNACK and PUBACK have four bytes.
    }
}

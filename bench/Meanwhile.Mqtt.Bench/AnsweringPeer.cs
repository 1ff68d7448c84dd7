using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Mqtt.Bench;

/// <summary>A client's other end that acknowledges what comes, and does nothing with it: what connections cost by themselves.</summary>
internal sealed class AnsweringPeer(Socket socket) : Peer(socket)
{
    /// <summary>Serves so many connections until the first of them ends.</summary>
    public static async Task ServeAsync(int port, int connections)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        using var poller = new Poller();
        listener.Start(connections);
        Console.WriteLine("listening");
        for (var i = 0; i < connections; i++)
        {
            var peer = new AnsweringPeer(await listener.AcceptSocketAsync());
            peer.Read(); // CONNECT.
            poller.Watch(peer);
        }
        try
        {
            while (true)
                poller.Turn(ClientLoop.TurnMilliseconds);
        }
        catch (EndOfStreamException)
        {
            // The measurement is over.
        }
    }

    /// <inheritdoc/>
    protected override void Handle(byte type, ReadOnlySpan<byte> body)
    {
        if (type == 0x10)
            Say([0x20, 2, 0, 0]);
        else if (type == 0x32)
            Say([0x40, 2, body[2 + body[1]], body[3 + body[1]]]);
    }
}

using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Takes messages in, acknowledges them, and does nothing else with them: what no program can be faster than. A byte on standard output for each.</summary>
internal static class BareReader
{
    private static readonly byte[] Dots = [.. Enumerable.Repeat((byte)'.', 1 << 12)];

    /// <summary>In the place of a broker, so that nothing but the network is between it and the publishers.</summary>
    public static async Task ListenAsync(IPEndPoint endPoint, CancellationToken stop)
    {
        using var listener = new TcpListener(endPoint);
        listener.Start();
        await using var output = Console.OpenStandardOutput();
        while (!stop.IsCancellationRequested)
            _ = ServeAsync(await listener.AcceptSocketAsync(stop), output, stop);
    }

    /// <summary>As a subscriber of a broker.</summary>
    public static async Task SubscribeAsync(Target broker, string filter, int qos, CancellationToken stop)
    {
        using var connection = await RawConnection.SubscribeAsync(broker, $"bench-{Guid.NewGuid():n}"[..16], version: 5, filter, qos, stop);
        await using var output = Console.OpenStandardOutput();
        await ReadAsync(connection, output, stop);
    }

    /// <summary>Says how many messages have come.</summary>
    public static void Tell(Stream output, int messages)
    {
        lock (Dots)
        {
            for (; messages > 0; messages -= Dots.Length)
                output.Write(Dots, 0, Math.Min(messages, Dots.Length));
        }
    }

    private static async Task ServeAsync(Socket socket, Stream output, CancellationToken stop)
    {
        socket.NoDelay = true;
        using var connection = new RawConnection(socket);
        try
        {
            await ReadAsync(connection, output, stop);
        }
        catch (Exception e) when (e is TrialException or OperationCanceledException)
        {
            // The publisher has gone.
        }
    }

    private static async Task ReadAsync(RawConnection connection, Stream output, CancellationToken stop)
    {
        var answers = new AcknowledgementBuffer();
        var messages = 0;
        while (true)
        {
            await connection.ReadAsync(
                (packet, headerLength) =>
                {
                    if (packet[0] == PreparedPackets.Connect)
                        answers.Add(PreparedPackets.ConnAck, [0, 0]);
                    else if (answers.Take(packet, headerLength))
                        messages++;
                },
                stop);
            await answers.SendAsync(connection, stop);
            Tell(output, messages);
            messages = 0;
        }
    }
}

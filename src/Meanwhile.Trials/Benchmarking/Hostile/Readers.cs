using System.Net.Sockets;
using System.Text;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>Attacks over HTTP and WebSocket.</summary>
internal static class Readers
{
    // Each character takes six bytes in JSON.
    private static readonly string LongTopic = $"{AttackedServer.Topic}/{new string('<', 60_000)}";

    private static readonly string[] Heavy = ["/api/readings?limit=100000", "/api/statistics", "/metrics"];

    private static readonly string[] Traversals = ["/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/dashboard/../../../etc/passwd", "/..\\..\\etc\\passwd", "/api/readings/../../../etc/passwd"];

    // Each contains a second request.
    private static readonly string[] Smugglings =
    [
        "GET /healthz HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/ledger HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nContent-Length: 48\r\n\r\nGET /api/ledger HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\nGET /api/ledger HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: HOST\r\nContent-Length : 48\r\n\r\nGET /api/ledger HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    ];

    public static IReadOnlyList<Attack> All { get; } =
    [
        new("one-get", "GET of 4,000 readings of a topic of 60,000 '<'", "an answer has about 4 MiB, and a cursor for the rest", OneGetAsync, FillAsync),
        new("silent-readers", "240 readers that do not read", "24 MiB for all answers; half of the processors; 5 s per 64 KiB", SilentReadersAsync, FillAsync),
        new("event-streams", "200 silent event streams", "64 streams, 32 MiB for all", (attacker, stop) => Attacker.ManyAsync(attacker.Scaled(200), (_, stopping) => attacker.SendAsync(attacker.Server.HttpPort, Get("/api/events", attacker), stopping), stop)),
        new("smuggling", "1,000 smuggled requests", "400, and the connection is closed", SmuggleAsync),
        new("traversal", "1,000 path traversals", "only known paths are answered", TraverseAsync),
        new("foreign-host", "1,000 requests for a foreign host", "only the names of this machine", (attacker, stop) => RefusedAsync(attacker, attacker.Server.HttpPort, "GET /api/ledger HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", stop)),
        new("foreign-page", "1,000 WebSockets of a foreign page", "the same host, or --ws-origin", (attacker, stop) => RefusedAsync(attacker, attacker.Server.WebSocketPort, Upgrade(attacker, "Origin: http://evil.example\r\n"), stop)) { Terms = new(HasUsers: false) },
        new("fragments", "17 million empty WebSocket fragments", "no state per fragment; --connect-timeout", FragmentsAsync),
    ];

    private static async Task FillAsync(Attacker attacker, CancellationToken stop)
    {
        var connection = await attacker.LogInAsync("filler", stop);
        await Attacker.PublishAsync(connection, attacker.Scaled(4000), (_, id) => Packets.Publish(LongTopic, qos: 1, id, "1"u8), stop);
    }

    private static async Task OneGetAsync(Attacker attacker, CancellationToken stop)
    {
        for (var i = 0; i < attacker.Scaled(20); i++)
            await AskAsync(attacker, attacker.Server.HttpPort, Get(Heavy[0], attacker), stop);
    }

    private static async Task SilentReadersAsync(Attacker attacker, CancellationToken stop)
    {
        var seconds = attacker.Scaled(10) >= 10 ? 5 : 1;
        for (var second = 0; second < seconds; second++)
        {
            await Attacker.ManyAsync(attacker.Scaled(240), (i, stopping) => attacker.SendAsync(attacker.Server.HttpPort, Get(Heavy[i % Heavy.Length], attacker), stopping), stop);
            await Task.Delay(TimeSpan.FromSeconds(1), attacker.Time, stop);
        }
    }

    private static Task SmuggleAsync(Attacker attacker, CancellationToken stop) => Attacker.ManyAsync(
        attacker.Scaled(1000),
        async (i, stopping) =>
        {
            var answer = await AskAsync(attacker, attacker.Server.HttpPort, Encoding.ASCII.GetBytes(Smugglings[i % Smugglings.Length].Replace("HOST", HostOf(attacker.Server.HttpPort), StringComparison.Ordinal)), stopping);
            if (answer.Contains("received", StringComparison.Ordinal)) // A member of the ledger.
                attacker.Find("a smuggled request was answered");
        },
        stop);

    private static Task TraverseAsync(Attacker attacker, CancellationToken stop) => Attacker.ManyAsync(
        attacker.Scaled(1000),
        async (i, stopping) =>
        {
            var answer = await AskAsync(attacker, attacker.Server.HttpPort, Get(Traversals[i % Traversals.Length], attacker), stopping);
            if (answer.Contains("root:", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                attacker.Find("a path traversal was answered");
        },
        stop);

    private static Task RefusedAsync(Attacker attacker, int port, string request, CancellationToken stop) => Attacker.ManyAsync(
        attacker.Scaled(1000),
        async (_, stopping) =>
        {
            var answer = await AskAsync(attacker, port, Encoding.ASCII.GetBytes(request), stopping);
            if (answer.Length > 0 && !answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal))
                attacker.Find($"the answer was {answer.Split('\r')[0]}");
        },
        stop);

    private static async Task FragmentsAsync(Attacker attacker, CancellationToken stop)
    {
        var socket = await attacker.ConnectAsync(attacker.Server.WebSocketPort, from: null, stop);
        await Attacker.SendAsync(socket, Encoding.ASCII.GetBytes(Upgrade(attacker, "")), stop);
        await socket.ReceiveAsync(new byte[4096], stop);
        await Attacker.SendAsync(socket, (byte[])[0x02, 0x80, 0, 0, 0, 0], stop);
        await Attacker.RepeatAsync((byte[])[0x00, 0x80, 0, 0, 0, 0], attacker.Scaled(17_000_000), async block => await Attacker.SendAsync(socket, block, stop));
    }

    private static string HostOf(int port) => $"127.0.0.1:{port}";

    private static byte[] Get(string path, Attacker attacker) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {HostOf(attacker.Server.HttpPort)}\r\nConnection: close\r\n\r\n");

    private static string Upgrade(Attacker attacker, string more) =>
        $"GET /mqtt HTTP/1.1\r\nHost: {HostOf(attacker.Server.WebSocketPort)}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n{more}\r\n";

    // Sends a request, reads until the connection ends or for two seconds, and returns the beginning of the answer.
    private static async Task<string> AskAsync(Attacker attacker, int port, byte[] request, CancellationToken stop)
    {
        var (answer, rest) = (new byte[4096], new byte[1 << 16]);
        var length = 0;
        using var socket = await attacker.ConnectAsync(port, from: null, stop);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(2), attacker.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, stop);
        await Attacker.SendAsync(socket, request, stop);
        try
        {
            while (await socket.ReceiveAsync(length < answer.Length ? answer.AsMemory(length) : rest, either.Token) is > 0 and var count)
                length = Math.Min(answer.Length, length + count);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            // The beginning is enough.
        }
        return Encoding.UTF8.GetString(answer, 0, length);
    }
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>Attacks without a login.</summary>
internal static class Strangers
{
    private static readonly TimeSpan Trickle = TimeSpan.FromMilliseconds(100);

    // A record of 512 bytes is announced, with a ClientHello of 508 in it, of which little comes.
    private static readonly byte[] HalfHello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3, .. new byte[90]];

    public static IReadOnlyList<Attack> All { get; } =
    [
        new("huge-connects", "1,000 × CONNECT of 1 MB", "a CONNECT has at most 64 KiB", (attacker, stop) => HugeConnectsAsync(attacker, 1_000_064, 999_000, stop)),
        new("huge-connects-small-heap", "1,000 × CONNECT of 1 MB, heap of 256 MiB", "a CONNECT has at most 64 KiB", (attacker, stop) => HugeConnectsAsync(attacker, 1_000_064, 999_000, stop)) { Terms = new(HasHeapLimit: true) },
        new("large-connects-small-heap", "4,000 × CONNECT of 64 KiB, heap of 256 MiB", "a memory budget for connections before login", (attacker, stop) => HugeConnectsAsync(attacker, 65_000, 64_000, stop, connections: 4000)) { Terms = new(HasHeapLimit: true) },
        new("wrong-passwords", "210 wrong passwords, closed at once", "clients that are gone leave the queue; failures count per user and address", (attacker, stop) => WrongPasswordsAsync(attacker, 210, 1, stays: false, stop)),
        new("wrong-passwords-six", "1,200 wrong passwords from six addresses", "addresses take turns; password checks use half of the processors", (attacker, stop) => WrongPasswordsAsync(attacker, 1200, 6, stays: true, stop)),
        new("idle", "5,000 idle connections", "--connect-timeout", (attacker, stop) => Attacker.ManyAsync(attacker.Scaled(5000), (_, stopping) => attacker.ConnectAsync(attacker.Server.MqttPort, from: null, stopping), stop)),
        new("slow-connects", "1,000 slow CONNECTs", "--connect-timeout", SlowConnectsAsync),
        new("half-tls", "2,000 half TLS hellos", "--connect-timeout", (attacker, stop) => Attacker.ManyAsync(attacker.Scaled(2000), (_, stopping) => attacker.SendAsync(attacker.Server.TlsPort, HalfHello, stopping), stop)),
        new("tls", "2,000 TLS handshakes", "a memory budget for connections before login", HandshakesAsync),
    ];

    private static async Task HugeConnectsAsync(Attacker attacker, int announced, int sent, CancellationToken stop, int connections = 1000)
    {
        var bytes = Packets.ConnectOf(announced, sent);
        await Attacker.ManyAsync(attacker.Scaled(connections), (_, stopping) => attacker.SendAsync(attacker.Server.MqttPort, bytes, stopping), stop);
    }

    private static Task WrongPasswordsAsync(Attacker attacker, int count, int addresses, bool stays, CancellationToken stop) => Attacker.ManyAsync(
        attacker.Scaled(count),
        async (i, stopping) =>
        {
            var socket = await attacker.ConnectAsync(attacker.Server.MqttPort, addresses == 1 ? null : new IPAddress([127, 0, 0, (byte)(2 + (i % addresses))]), stopping);
            await Attacker.SendAsync(socket, Packets.Connect($"guess{i}", $"{AttackedServer.NewUser}{i % AttackedServer.NewUsers}", "wrong"), stopping);
            if (!stays)
                socket.Dispose();
        },
        stop);

    private static async Task SlowConnectsAsync(Attacker attacker, CancellationToken stop)
    {
        var connect = Packets.Connect("slow", Attacker.User);
        var sockets = new Socket[attacker.Scaled(1000)];
        await Attacker.ManyAsync(sockets.Length, async (i, stopping) => sockets[i] = await attacker.ConnectAsync(attacker.Server.MqttPort, from: null, stopping), stop);
        for (var i = 0; i < Math.Min(connect.Length - 1, attacker.Scaled(connect.Length)); i++)
        {
            foreach (var socket in sockets)
                await Attacker.SendAsync(socket, connect.AsMemory(i, 1), stop);
            await Task.Delay(Trickle, attacker.Time, stop);
        }
    }

    private static Task HandshakesAsync(Attacker attacker, CancellationToken stop) => Attacker.ManyAsync(
        attacker.Scaled(2000),
        async (_, stopping) =>
        {
            var socket = await attacker.ConnectAsync(attacker.Server.TlsPort, from: null, stopping);
            var tls = attacker.Hold(new SslStream(new NetworkStream(socket)));
            try
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null }, stopping);
            }
            catch (System.Security.Authentication.AuthenticationException)
            {
                // The server has closed the connection.
            }
        },
        stop);
}

using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>Attacks a server: opens connections, and keeps them open until the attack is over.</summary>
/// <param name="server">The server.</param>
/// <param name="percent">The size of the attack, as a percentage of its full size.</param>
/// <param name="time">The clock.</param>
internal sealed class Attacker(AttackedServer server, long percent, TimeProvider time) : IDisposable
{
    /// <summary>A user who may log in, and is hostile.</summary>
    public const string User = "mallory";

    private const int AtATime = 64;
    private const int Least = 10;
    private const int MostInFlight = 1000;

    private readonly Lock _gate = new();
    private readonly List<IDisposable> _held = [];
    private readonly List<string> _findings = [];

    public AttackedServer Server => server;

    public TimeProvider Time => time;

    /// <summary>What the attacker achieved and must not achieve.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>A count of the attack, scaled to its size.</summary>
    public int Scaled(int count) => (int)Math.Max(Math.Min(count, Least), count * percent / 100);

    /// <summary>The attacker achieved something.</summary>
    public void Find(string finding)
    {
        lock (_gate)
            _findings.Add(finding);
    }

    /// <summary>Keeps something open until the attack is over.</summary>
    public T Hold<T>(T held) where T : IDisposable
    {
        lock (_gate)
            _held.Add(held);
        return held;
    }

    /// <summary>Connects to one of the server's ports.</summary>
    /// <param name="from">An address of this machine; null for any.</param>
    public async Task<Socket> ConnectAsync(int port, IPAddress? from, CancellationToken stop)
    {
        var socket = Hold(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        if (from is not null)
            socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(IPAddress.Loopback, port, stop);
        return socket;
    }

    /// <summary>Connects and sends something. The server may close the connection.</summary>
    public async Task SendAsync(int port, ReadOnlyMemory<byte> bytes, CancellationToken stop) =>
        await SendAsync(await ConnectAsync(port, from: null, stop), bytes, stop);

    /// <summary>Logs in as the hostile user.</summary>
    /// <param name="expiry">For how many seconds the session is kept.</param>
    public async Task<RawConnection> LogInAsync(string clientId, CancellationToken stop, uint expiry = 0) =>
        Hold(await RawConnection.ConnectAsync(Target.Local(server.MqttPort), Packets.Connect(clientId, User, expiry: expiry), clientId, stop));

    /// <summary>Publishes at QoS 1 or 2 with many messages in flight, and waits until all are answered.</summary>
    /// <param name="packet">Makes a packet, from its number and its packet identifier.</param>
    public static async Task PublishAsync(RawConnection connection, int count, Func<int, int, byte[]> packet, CancellationToken stop)
    {
        var inFlight = 0;
        for (var i = 0; i < count || inFlight > 0; i++)
        {
            if (i < count)
            {
                await connection.SendAsync(packet(i, 1 + (i % MostInFlight)), stop);
                inFlight++;
            }
            while (inFlight == MostInFlight || (i >= count && inFlight > 0))
                await connection.ReadAsync((bytes, _) => inFlight -= bytes[0] is PreparedPackets.PubAck or PreparedPackets.PubRec ? 1 : 0, stop);
        }
    }

    /// <summary>Sends something. The server may close the connection.</summary>
    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await socket.SendAsync(bytes, stop)..];
        }
        catch (SocketException)
        {
            // The server has closed the connection.
        }
    }

    /// <summary>Sends the same bytes many times.</summary>
    /// <param name="count">How many times.</param>
    public static async Task RepeatAsync(ReadOnlyMemory<byte> bytes, int count, Func<ReadOnlyMemory<byte>, ValueTask> send)
    {
        const int Block = 1 << 16;
        var each = Math.Clamp(Block / bytes.Length, 1, count);
        var block = new byte[each * bytes.Length];
        for (var i = 0; i < each; i++)
            bytes.CopyTo(block.AsMemory(i * bytes.Length));
        for (var left = count; left > 0; left -= each)
            await send(block.AsMemory(0, Math.Min(left, each) * bytes.Length));
    }

    /// <summary>Reads and discards until the connection ends.</summary>
    public static async Task DrainAsync(RawConnection connection, CancellationToken stop)
    {
        try
        {
            while (true)
                await connection.ReadAsync((_, _) => { }, stop);
        }
        catch (Exception e) when (e is TrialException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection has ended.
        }
    }

    /// <summary>Does something many times, in parallel. The server may refuse it.</summary>
    public static Task ManyAsync(int count, Func<int, CancellationToken, Task> work, CancellationToken stop) =>
        Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = stop, TaskScheduler = TaskScheduler.Current }, async (i, stopping) => await TryAsync(() => work(i, stopping)));

    /// <summary>Does something that the server may refuse.</summary>
    /// <returns>Whether the server allowed it.</returns>
    public static async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception e) when (e is TrialException or SocketException or IOException)
        {
            return false;
        }
    }

    /// <summary>Closes all connections, without DISCONNECT.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _held.ForEach(held => held.Dispose());
            _held.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Release();
}

using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A connection that delivers its bytes in pieces and with delays, and breaks after some of them: what is under way is lost then, in both directions.</summary>
internal sealed class BreakingConnection : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true, LingerState = new LingerOption(enable: true, seconds: 0) };
    private readonly ProtocolVersion _version;
    private readonly Random _random;
    private readonly PacketWriter _writer = new();
    private readonly TopicCache _topics = new();
    private PipeReader _reader = null!;
    private long _left;

    private BreakingConnection(ProtocolVersion version, Random random)
    {
        (_version, _random) = (version, random);
        _left = random.Next(1, 40_000);
    }

    /// <summary>Connects, with a session that is kept.</summary>
    /// <exception cref="IOException">It broke, here and in all that follows.</exception>
    public static async Task<(BreakingConnection Connection, bool SessionPresent)> OpenAsync(IPEndPoint endPoint, string clientId, ProtocolVersion version, Random random)
    {
        var connection = new BreakingConnection(version, random);
        try
        {
            await connection._client.ConnectAsync(endPoint, TestContext.Current.CancellationToken);
            connection._reader = PipeReader.Create(connection._client.GetStream());
            var expiry = version == ProtocolVersion.V5 ? new Properties(new Property(PropertyId.SessionExpiryInterval, 3600)) : default;
            connection.Add(writer => new ConnectPacket { Version = version, ClientId = clientId, CleanStart = false, Properties = expiry }.Write(writer));
            await connection.FlushAsync();
            var sessionPresent = false;
            while (!await connection.ReadAsync(frame => sessionPresent = ConnAckPacket.Read(frame, version).SessionPresent, most: 1))
            {
            }
            return (connection, sessionPresent);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Adds a packet to what goes out next.</summary>
    public void Add(Action<PacketWriter> write) => write(_writer);

    /// <summary>Adds an answer.</summary>
    public void Answer(PacketType type, ushort packetId) => new PublishAckPacket(type, packetId).Write(_writer, _version);

    /// <summary>Reads a PUBLISH.</summary>
    public PublishPacket PublishOf(Frame frame) => PublishPacket.Read(frame, _version, _topics);

    /// <summary>Sends what has been added, piece by piece.</summary>
    public async Task FlushAsync()
    {
        var rest = _writer.Written.ToArray().AsMemory();
        _writer.Clear();
        while (rest.Length > 0)
        {
            var piece = rest[..Math.Min(rest.Length, _random.Next(1, 3000))];
            await SpendAsync(piece.Length);
            await _client.GetStream().WriteAsync(piece, TestContext.Current.CancellationToken);
            rest = rest[piece.Length..];
        }
    }

    /// <summary>Reads the packets that are there.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> ReadAsync(Action<Frame> handle, int most = int.MaxValue)
    {
        var read = await _reader.ReadAsync(TestContext.Current.CancellationToken);
        var buffer = read.Buffer;
        await SpendAsync(buffer.Length);
        var count = 0;
        while (count < most && Frame.TryRead(ref buffer, int.MaxValue, _version, out var frame))
        {
            handle(frame);
            count++;
        }
        _reader.AdvanceTo(buffer.Start, count < most ? read.Buffer.End : buffer.Start);
        return read.IsCompleted && count == 0 ? throw new IOException("the broker has closed it") : count > 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _writer.Dispose();
    }

    private async ValueTask SpendAsync(long bytes)
    {
        if (_random.Next(200) == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(3)), TimeProvider.System, TestContext.Current.CancellationToken);
        if ((_left -= bytes) < 0)
            throw new IOException("it breaks");
    }
}

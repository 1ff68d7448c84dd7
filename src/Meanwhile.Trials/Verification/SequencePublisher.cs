using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Trials.Verification;

/// <summary>What a publisher of a known sequence does.</summary>
/// <param name="Qos">0, 1 or 2.</param>
/// <param name="Interval">Between two messages.</param>
/// <param name="Count">How many messages it sends in this process; null for without end.</param>
internal sealed record SequenceOptions(string Topic, int Qos, TimeSpan Interval, long? Count);

/// <summary>
/// Publishes 1, 2, 3 … and keeps its half of MQTT's delivery guarantees through kills and lost connections: what is not acknowledged is sent again in
/// the same session, as the standard has it [MQTT-4.4.0-1], and as a new message where the broker has lost that session.
/// </summary>
/// <remarks>A judge: it shares the reading and writing of packets with what it judges, and nothing of the delivery.</remarks>
internal sealed class SequencePublisher(ClientOptions client, SequenceOptions options, PublisherLog log, TimeProvider time)
{
    private const ProtocolVersion V311 = ProtocolVersion.V311;
    private const int MostInFlight = 20;
    private const int LongestPauseMilliseconds = 500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // Told to stop, it waits so long for a broker that is away, or that acknowledges nothing.
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<ushort, SentMessage> _inFlight = log.Messages.Where(m => options.Qos > 0 && !m.IsAcknowledged).ToDictionary(m => m.PacketId);
    private ushort _lastId = log.Messages is [.., var last] ? last.PacketId : (ushort)0;
    private long _left = options.Count ?? long.MaxValue;

    /// <summary>Publishes until told to stop, or until the count is reached, and then until everything is acknowledged.</summary>
    /// <exception cref="TrialException">It was told to stop, and the broker did not acknowledge everything.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var giveUp = new CancellationTokenSource();
        await using var patience = time.CreateTimer(_ => giveUp.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var told = stop.Register(() => patience.Change(LastPatience, Timeout.InfiniteTimeSpan));
        while (!stop.IsCancellationRequested || _inFlight.Count > 0)
        {
            try
            {
                await using var packets = await ConnectAsync(Needed());
                var hasSession = await BeginAsync(packets, Needed());
                await ResendAsync(packets, hasSession, giveUp.Token);
                await PublishAsync(packets, stop, giveUp.Token);
                await packets.SendAsync(static writer => new DisconnectPacket(PacketType.Disconnect, ReasonCode.Success).Write(writer, V311), giveUp.Token);
                return;
            }
            catch (Exception) when (giveUp.IsCancellationRequested)
            {
                throw new TrialException($"told to stop, and {client.Server.OriginalString} has not acknowledged {_inFlight.Count} messages: they are sent again when this publisher is started again");
            }
            catch (Exception e) when (e is IOException or SocketException or WebSocketException or AuthenticationException or ProtocolException or OperationCanceledException)
            {
                // What is not acknowledged is sent again on the next one.
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(LongestPauseMilliseconds)), time, Needed()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        CancellationToken Needed() => _inFlight.Count == 0 ? stop : giveUp.Token; // A connection, for as long as this is not cancelled.
    }

    private async Task<PacketStream> ConnectAsync(CancellationToken giveUp)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, giveUp);
        return await PacketStream.OpenAsync(client, timeout.Token);
    }

    // Whether the broker goes on with the session. A broker that goes silent is noticed by the acknowledgements that do not come: so there is no keep alive.
    private async Task<bool> BeginAsync(PacketStream packets, CancellationToken giveUp)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, giveUp);
        var connect = new ConnectPacket
        {
            Version = V311,
            ClientId = client.ClientId,
            CleanStart = false,
            UserName = client.UserName,
            Password = client.Password,
        };
        await packets.SendAsync(connect.Write, timeout.Token);
        var frame = await packets.ReceiveAsync(timeout.Token);
        if (frame.Type != PacketType.ConnAck)
            throw new IOException("it answers with something else than CONNACK");
        var answer = ConnAckPacket.Read(frame, V311);
        return answer.Reason == ReasonCode.Success ? answer.SessionPresent : throw new TrialException($"{client.Server.OriginalString} refuses {client.ClientId}: {answer.Reason}");
    }

    private async Task ResendAsync(PacketStream packets, bool hasSession, CancellationToken giveUp)
    {
        var messages = _inFlight.Values.OrderBy(m => m.Number).ToList();
        if (!hasSession)
            _inFlight.Clear();
        foreach (var message in messages)
        {
            if (!hasSession)
            {
                log.SendAnew(message, NextId());
                _inFlight.Add(message.PacketId, message);
                await packets.SendAsync(Packet(message, dup: false), giveUp);
            }
            else if (message.IsReceived)
            {
                await packets.SendAsync(Release(message), giveUp);
            }
            else
            {
                log.SendAgain(message);
                await packets.SendAsync(Packet(message, dup: true), giveUp);
            }
        }
    }

    private async Task PublishAsync(PacketStream packets, CancellationToken stop, CancellationToken giveUp)
    {
        var received = packets.ReceiveAsync(giveUp);
        var (due, heard) = (time.GetTimestamp(), time.GetTimestamp());
        while (true)
        {
            var isSending = _left > 0 && !stop.IsCancellationRequested;
            if (!isSending && _inFlight.Count == 0)
                return;
            var wait = isSending && _inFlight.Count < MostInFlight ? time.GetElapsedTime(time.GetTimestamp(), due) : Patience - time.GetElapsedTime(heard);
            if (wait > TimeSpan.Zero && !received.IsCompleted)
            {
                using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
                await Task.WhenAny(received, Task.Delay(wait, time, isSending ? waiting.Token : CancellationToken.None));
                await waiting.CancelAsync();
            }
            if (received.IsCompleted)
            {
                await HandleAsync(packets, await received, giveUp);
                heard = time.GetTimestamp();
                received = packets.ReceiveAsync(giveUp);
            }
            else if (isSending && _inFlight.Count < MostInFlight && time.GetTimestamp() >= due)
            {
                due += (long)(options.Interval.TotalSeconds * time.TimestampFrequency);
                await SendNextAsync(packets, giveUp);
            }
            else if (_inFlight.Count > 0 && time.GetElapsedTime(heard) >= Patience)
            {
                throw new IOException("the broker has gone silent");
            }
        }
    }

    private Task SendNextAsync(PacketStream packets, CancellationToken giveUp)
    {
        _left--;
        var message = log.Send(time.GetUtcNow().ToUnixTimeMilliseconds(), options.Qos > 0 ? NextId() : (ushort)0);
        if (options.Qos > 0)
            _inFlight.Add(message.PacketId, message);
        return packets.SendAsync(Packet(message, dup: false), giveUp);
    }

    private async Task HandleAsync(PacketStream packets, Frame frame, CancellationToken giveUp)
    {
        if (frame.Type is not (PacketType.PubAck or PacketType.PubRec or PacketType.PubComp))
            return;
        var answer = PublishAckPacket.Read(frame, V311);
        if (!_inFlight.TryGetValue(answer.PacketId, out var message))
            return;
        if (answer.Type == PacketType.PubRec)
        {
            log.Receive(message);
            await packets.SendAsync(Release(message), giveUp);
        }
        else
        {
            _inFlight.Remove(answer.PacketId);
            log.Acknowledge(message);
        }
    }

    private ushort NextId()
    {
        do
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
        while (_inFlight.ContainsKey(_lastId));
        return _lastId;
    }

    private static Action<PacketWriter> Release(SentMessage message) => writer => new PublishAckPacket(PacketType.PubRel, message.PacketId).Write(writer, V311);

    private Action<PacketWriter> Packet(SentMessage message, bool dup) => writer => new PublishPacket
    {
        Topic = options.Topic,
        Payload = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes($"{{\"number\": {message.Number}, \"epochtime\": \"{(message.Time / 1000m).ToString(CultureInfo.InvariantCulture)}\"}}")),
        Qos = options.Qos,
        PacketId = message.PacketId,
        Dup = dup,
    }.Write(writer, V311);
}

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Meanwhile.Clients;
using Meanwhile.Feeds;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.LowLevelClient;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Verification;

/// <summary>What a publisher of a known sequence does.</summary>
/// <param name="Qos">0, 1 or 2.</param>
/// <param name="Pace">When it sends.</param>
/// <param name="Count">How many messages it sends in this process; null for without end.</param>
internal sealed record SequenceOptions(string Topic, int Qos, Pace Pace, long? Count);

/// <summary>
/// Publishes 1, 2, 3 … and keeps its half of MQTT's delivery guarantees through kills and lost connections: what is not acknowledged is sent again in
/// the same session, as the standard has it [MQTT-4.4.0-1], and as a new message where the broker has lost that session.
/// </summary>
internal sealed class SequencePublisher(BrokerSettings broker, SequenceOptions options, PublisherLog log, TimeProvider time)
{
    private const int MostInFlight = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // Told to stop, it waits so long for a broker that is away, or that acknowledges nothing.
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(30);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), Random.Shared);
    private readonly Dictionary<ushort, SentMessage> _inFlight = log.Messages.Where(m => options.Qos > 0 && !m.IsAcknowledged).ToDictionary(m => m.PacketId);
    private ushort _lastId = log.Messages is [.., var last] ? last.PacketId : (ushort)0;
    private long _left = options.Count ?? long.MaxValue;

    /// <summary>Publishes until told to stop, or until the count is reached, and then until everything is acknowledged.</summary>
    /// <exception cref="UserException">It was told to stop, and the broker did not acknowledge everything.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var giveUp = new CancellationTokenSource();
        await using var patience = time.CreateTimer(_ => giveUp.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var told = stop.Register(() => patience.Change(LastPatience, Timeout.InfiniteTimeSpan));
        while (!stop.IsCancellationRequested || _inFlight.Count > 0)
        {
            using var client = new MqttClientFactory().CreateLowLevelMqttClient();
            try
            {
                var hasSession = await ConnectAsync(client, Needed());
                _backoff.Reset();
                await ResendAsync(client, hasSession, giveUp.Token);
                await PublishAsync(client, stop, giveUp.Token);
                await client.SendAsync(new MqttDisconnectPacket(), giveUp.Token);
                return;
            }
            catch (Exception) when (giveUp.IsCancellationRequested)
            {
                throw new UserException($"told to stop, and {broker.Address} has not acknowledged {_inFlight.Count} messages: they are sent again when this publisher is started again");
            }
            catch (Exception e) when (e is MqttCommunicationException or BrokerException or IOException or SocketException or OperationCanceledException or MqttProtocolViolationException or InvalidOperationException)
            {
                // The last when it is closed already. What is not acknowledged is sent again on the next one.
                await Task.Delay(_backoff.Next(), time, Needed()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        CancellationToken Needed() => _inFlight.Count == 0 ? stop : giveUp.Token; // A connection, for as long as this is not cancelled.
    }

    // MQTT 3.1.1, which every broker speaks.
    private async Task<bool> ConnectAsync(ILowLevelMqttClient client, CancellationToken giveUp)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, giveUp);
        var settings = broker.ToClientOptions(MqttProtocolVersion.V311, sessionExpiry: uint.MaxValue);
        await client.ConnectAsync(settings, timeout.Token);
        var connect = new MqttConnectPacket
        {
            ClientId = settings.ClientId,
            CleanSession = false,
            KeepAlivePeriod = 0, // A broker that goes silent is noticed by the acknowledgements that do not come.
            Username = settings.Credentials?.GetUserName(settings),
            Password = settings.Credentials?.GetPassword(settings),
        };
        await client.SendAsync(connect, timeout.Token);
        if (await client.ReceiveAsync(timeout.Token) is not MqttConnAckPacket answer)
            throw new BrokerException("it closed the connection without an answer");
        return answer.ReturnCode == MqttConnectReturnCode.ConnectionAccepted
            ? answer.IsSessionPresent
            : throw new UserException($"{broker.Address} refuses {broker.ClientId}: {answer.ReturnCode}");
    }

    private async Task ResendAsync(ILowLevelMqttClient client, bool hasSession, CancellationToken giveUp)
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
                await client.SendAsync(Packet(message, dup: false), giveUp);
            }
            else if (message.IsReceived)
            {
                await client.SendAsync(new MqttPubRelPacket { PacketIdentifier = message.PacketId }, giveUp);
            }
            else
            {
                log.SendAgain(message);
                await client.SendAsync(Packet(message, dup: true), giveUp);
            }
        }
    }

    private async Task PublishAsync(ILowLevelMqttClient client, CancellationToken stop, CancellationToken giveUp)
    {
        var received = client.ReceiveAsync(giveUp);
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
                await HandleAsync(client, await received ?? throw new BrokerException("the connection was closed"), giveUp);
                heard = time.GetTimestamp();
                received = client.ReceiveAsync(giveUp);
            }
            else if (isSending && _inFlight.Count < MostInFlight && time.GetTimestamp() >= due)
            {
                due += (long)(options.Pace.Shortest * time.TimestampFrequency);
                await SendNextAsync(client, giveUp);
            }
            else if (_inFlight.Count > 0 && time.GetElapsedTime(heard) >= Patience)
            {
                throw new BrokerException("the broker has gone silent");
            }
        }
    }

    private Task SendNextAsync(ILowLevelMqttClient client, CancellationToken giveUp)
    {
        _left--;
        var message = log.Send(time.GetUtcNow().ToUnixTimeMilliseconds(), options.Qos > 0 ? NextId() : (ushort)0);
        if (options.Qos > 0)
            _inFlight.Add(message.PacketId, message);
        return client.SendAsync(Packet(message, dup: false), giveUp);
    }

    private async Task HandleAsync(ILowLevelMqttClient client, MqttPacket packet, CancellationToken giveUp)
    {
        if (packet is MqttPubRecPacket received && _inFlight.TryGetValue(received.PacketIdentifier, out var message))
        {
            log.Receive(message);
            await client.SendAsync(new MqttPubRelPacket { PacketIdentifier = message.PacketId }, giveUp);
        }
        else if (packet is MqttPacketWithIdentifier and (MqttPubAckPacket or MqttPubCompPacket) && _inFlight.Remove(((MqttPacketWithIdentifier)packet).PacketIdentifier, out message))
        {
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

    private MqttPublishPacket Packet(SentMessage message, bool dup) => new()
    {
        Topic = options.Topic,
        PayloadSegment = Encoding.UTF8.GetBytes($"{{\"number\": {message.Number}, \"epochtime\": \"{(message.Time / 1000m).ToString(CultureInfo.InvariantCulture)}\"}}"),
        QualityOfServiceLevel = (MqttQualityOfServiceLevel)options.Qos,
        PacketIdentifier = message.PacketId,
        Dup = dup,
    };
}

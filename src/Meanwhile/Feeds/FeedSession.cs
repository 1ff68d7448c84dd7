using System.Buffers;
using System.Threading.Channels;
using Meanwhile.Mqtt.Delivery;
using Microsoft.Extensions.Logging;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>What outlives a connection to the broker: the delivery state, the results to be sent, and the queue towards the store.</summary>
/// <param name="receivedIds">QoS 2 identifiers that an earlier process has stored.</param>
/// <param name="refusals">For results that the broker cannot take.</param>
/// <param name="filter">What is subscribed to.</param>
/// <param name="logger">For what else the session turns out to be subscribed to.</param>
internal sealed class FeedSession(IEnumerable<ushort> receivedIds, ResultRefusals refusals, string filter, ILogger logger)
{
    /// <summary>
    /// How many QoS 1 and 2 messages a broker may have in flight towards us: as many as there are identifiers. It is the queue that slows a broker
    /// down; less would only break with those that do not keep to it, as mosquitto 2.0 without a limit of its own.
    /// </summary>
    public const ushort ReceiveMaximum = ushort.MaxValue;

    // In deliveries, and for those that are not committed yet in bytes. When either is used up, the socket is not read.
    private const int QueueLength = 4096;
    private const long MostBytes = 64 << 20;

    // PUBREC and PUBCOMP for each identifier, twice over: no broker that waits for answers gets there.
    private const int MostOwed = 4 * ushort.MaxValue;

    private readonly Lock _gate = new();
    private readonly Receiver _receiver = new(receivedIds);
    private readonly ResultSender _results = new(refusals);
    private readonly TopicMatcher _matcher = new(filter);
    private readonly SurplusSubscriptions _surplus = new(filter, logger);
    private readonly SubscriptionMark _mark = new(filter);
    private readonly Channel<Delivery> _queue =
        Channel.CreateBounded<Delivery>(new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly ByteBudget _budget = new(MostBytes);
    private readonly Queue<Delivery> _pending = new();
    private int _forgettingsToStore;
    private TaskCompletionSource _allForgottenStored = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopped;

    /// <summary>The other end of the queue.</summary>
    public ChannelReader<Delivery> Deliveries => _queue.Reader;

    /// <summary>Nothing waits to be sent, or for the broker's acknowledgement.</summary>
    public bool NothingToSend
    {
        get
        {
            lock (_gate)
                return _results.IsEmpty;
        }
    }

    /// <summary>Takes nothing in any more. What is not acknowledged by then will be sent to us again next time.</summary>
    public void Stop(Exception? failure)
    {
        _stopped = true;
        _queue.Writer.TryComplete(failure);
    }

    /// <summary>A connection was accepted.</summary>
    /// <param name="sessionPresent">The broker knows our session.</param>
    /// <param name="receiveMaximum">How many we may have in flight towards it.</param>
    /// <param name="largestPacket">How many bytes of a packet it takes; 0 for any number.</param>
    /// <param name="atMostOnce">It takes nothing but QoS 0 [MQTT-3.2.2-11].</param>
    /// <param name="marksSubscription">Our subscription is made anew, with an identifier.</param>
    /// <returns>What has to be stored before anything that comes on it.</returns>
    public Delivery Connected(bool sessionPresent, int receiveMaximum, uint largestPacket, bool atMostOnce = false, bool marksSubscription = false)
    {
        lock (_gate)
        {
            _results.Connected(sessionPresent, receiveMaximum, largestPacket, atMostOnce);
            _surplus.Connected(sessionPresent);
            _mark.Connected(sessionPresent, marksSubscription);
            var change = _receiver.Connected(sessionPresent, ReceiveMaximum);
            if (change.Kind == IdChangeKind.AllForgotten && _forgettingsToStore++ == 0)
                _allForgottenStored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new Delivery { Kind = DeliveryKind.SessionChange, IdChange = change };
        }
    }

    /// <summary>
    /// Completes once the store has forgotten what the broker has. Until then nothing may be subscribed to: after a crash, old identifiers would
    /// make duplicates of new messages.
    /// </summary>
    public Task ForgottenAsync()
    {
        lock (_gate)
            return _forgettingsToStore == 0 ? Task.CompletedTask : _allForgottenStored.Task;
    }

    /// <summary>The identifier of our subscription, where it has one.</summary>
    public uint SubscriptionIdentifier => _mark.Identifier;

    /// <summary>The broker has accepted a subscription.</summary>
    public static Delivery Subscribed(string filter) => new() { Kind = DeliveryKind.SessionChange, Subscription = filter };

    /// <summary>A PUBLISH arrived. Null when it is not taken in any more.</summary>
    /// <param name="publish">As it came.</param>
    /// <param name="arrived">When, in milliseconds since the Unix epoch.</param>
    /// <exception cref="BrokerException">The broker may not have sent it.</exception>
    public Delivery? Received(MqttPublishPacket publish, long arrived)
    {
        if (_stopped)
            return null;
        Receipt receipt;
        var isAskedFor = _matcher.Matches(publish.Topic);
        lock (_gate)
        {
            isAskedFor = isAskedFor && !_mark.IsCopy(publish);
            if (!isAskedFor)
                _surplus.Saw(publish.Topic);
            if (publish.QualityOfServiceLevel > MqttQualityOfServiceLevel.AtMostOnce && (_receiver.IsFull || _receiver.Owed >= MostOwed))
                throw TooMany("messages in flight");
            receipt = _receiver.Publish(publish.PacketIdentifier, (int)publish.QualityOfServiceLevel, publish.Dup);
        }
        return new Delivery
        {
            Kind = !receipt.IsNew ? DeliveryKind.Redelivery : isAskedFor ? DeliveryKind.Message : DeliveryKind.Surplus,
            Topic = publish.Topic,
            Payload = publish.Payload.IsSingleSegment ? publish.Payload.First : publish.Payload.ToArray(),
            Arrived = arrived,
            Dup = publish.Dup,
            Ticket = receipt.Ticket,
            IdChange = receipt.Change,
        };
    }

    /// <summary>A PUBREL arrived. Null when it is not taken in any more.</summary>
    /// <exception cref="BrokerException">The broker never waits for an answer.</exception>
    public Delivery? Released(ushort packetId)
    {
        if (_stopped)
            return null;
        lock (_gate)
        {
            if (_receiver.Owed >= MostOwed)
                throw TooMany("answers to wait for");
            var receipt = _receiver.Release(packetId);
            return new Delivery { Kind = DeliveryKind.SessionChange, Ticket = receipt.Ticket, IdChange = receipt.Change };
        }
    }

    /// <summary>
    /// Puts a delivery into the queue; waits while it is full. One that the end of the connection keeps from it goes in first next time: the receiver
    /// knows it already, and will take its redelivery for a duplicate.
    /// </summary>
    public async ValueTask HandOverAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        _pending.Enqueue(delivery);
        while (_pending.TryPeek(out var next))
        {
            await _budget.TakeAsync(next.Size, cancellationToken);
            try
            {
                await _queue.Writer.WriteAsync(next, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                _budget.Give(next.Size);
                throw;
            }
            catch (ChannelClosedException)
            {
                return; // Told to stop meanwhile: it stays unacknowledged, and comes again.
            }
            _pending.Dequeue();
        }
    }

    /// <summary>Deliveries are durable: their acknowledgements may be sent.</summary>
    /// <returns>How many of the messages are acknowledged.</returns>
    public int Committed(IReadOnlyList<Delivery> deliveries)
    {
        var (acknowledged, bytes) = (0, 0L);
        lock (_gate)
        {
            foreach (var delivery in deliveries)
            {
                bytes += delivery.Size;
                if (_receiver.Complete(delivery.Ticket) && delivery.Kind != DeliveryKind.SessionChange)
                    acknowledged++;
                if (delivery.IdChange.Kind == IdChangeKind.AllForgotten && --_forgettingsToStore == 0)
                    _allForgottenStored.SetResult();
            }
        }
        _budget.Give(bytes);
        return acknowledged;
    }

    /// <summary>The connection has ended, and not by our will.</summary>
    /// <returns>Whether that is put down to a result that the broker does not take.</returns>
    public bool Ended()
    {
        lock (_gate)
            return _results.Ended();
    }

    /// <summary>A result is to be published.</summary>
    public void AddResult(string topic, byte[] payload)
    {
        lock (_gate)
            _results.Add(topic, payload);
    }

    /// <summary>The broker has acknowledged a result.</summary>
    public void ResultAcknowledged(ushort packetId)
    {
        lock (_gate)
            _results.Acknowledged(packetId);
    }

    /// <summary>The broker has answered an UNSUBSCRIBE.</summary>
    public void Unsubscribed(MqttUnsubAckPacket answer)
    {
        if (answer.PacketIdentifier != SurplusSubscriptions.PacketId)
            return;
        lock (_gate)
            _surplus.Answered(answer);
    }

    /// <summary>The next packet to send: acknowledgements first, then what ends subscriptions, then results.</summary>
    public MqttPacket? NextToSend()
    {
        lock (_gate)
        {
            if (_receiver.TryNextAcknowledgement(out var acknowledgement))
                return ToPacket(acknowledgement);
            if (_surplus.Next() is { } unsubscribe)
                return unsubscribe;
            return _results.Next();
        }
    }

    private static BrokerException TooMany(string what) =>
        new($"it has more {what} than it may") { Answer = MqttDisconnectReasonCode.ReceiveMaximumExceeded };

    private static MqttPacketWithIdentifier ToPacket(Acknowledgement acknowledgement) => acknowledgement.Kind switch
    {
        AckKind.PubAck => new MqttPubAckPacket { PacketIdentifier = acknowledgement.PacketId },
        AckKind.PubRec => new MqttPubRecPacket { PacketIdentifier = acknowledgement.PacketId },
        _ => new MqttPubCompPacket
        {
            PacketIdentifier = acknowledgement.PacketId,
            ReasonCode = acknowledgement.Found ? MqttPubCompReasonCode.Success : MqttPubCompReasonCode.PacketIdentifierNotFound,
        },
    };
}

using System.Buffers;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clients, their sessions and a router without sockets, beside a plain model of who gets what.</summary>
internal sealed class ModelHouse : IDisposable
{
    private readonly Random _random;
    private readonly FakeTimeProvider _time = new();
    private readonly BrokerParts _parts;
    private readonly List<ModelClient> _clients;
    private readonly Dictionary<string, Due> _retained = [];
    private readonly List<(Due Message, List<ModelClient> Candidates)> _shared = []; // For members that are all away.
    private readonly Dictionary<ModelClient, List<string>> _read = [];
    private readonly TopicCache _topics = new();
    private int _messages;

    public ModelHouse(Random random)
    {
        _random = random;
        _parts = new BrokerParts(new BrokerOptions { Listeners = [], Time = _time });
        _clients = [.. Enumerable.Range(0, 4).Select(i => new ModelClient($"c{i}", _parts))];
        foreach (var client in _clients)
            Connect(client, sessionPresent: false);
    }

    public int Delivered { get; private set; }

    public async Task StepAsync()
    {
        var client = _clients[_random.Next(_clients.Count)];
        switch (_random.Next(20))
        {
            case < 5 when client.IsHere:
                await SubscribeAsync(client);
                return;
            case 5 when client.Subscriptions.Count > 0:
                var filter = client.Subscriptions.Keys.ElementAt(_random.Next(client.Subscriptions.Count));
                client.Subscriptions.Remove(filter);
                Assert.True(_parts.Router.Unsubscribe(client.Session, filter));
                break;
            case 6:
                Toggle(client);
                break;
            case 7:
                _time.Advance(TimeSpan.FromSeconds(1));
                _parts.Router.Expire(_parts.Now(), 1);
                break;
            default:
                Publish(client.IsHere ? client : null);
                break;
        }
        CheckAll(isOrdered: true);
    }

    public void ReturnAll()
    {
        foreach (var away in _clients.Where(client => !client.IsHere))
            Toggle(away);
        CheckAll(isOrdered: true);
        _shared.RemoveAll(one => one.Message.ExpiresAt is not null);
        Assert.Empty(_shared);
    }

    public void Dispose() => _parts.Dispose();

    private void Connect(ModelClient client, bool sessionPresent)
    {
        client.Session.Connected(new Terms(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = client.Id }, 1000, uint.MaxValue), sessionPresent);
        _parts.Router.Returned(client.Session);
    }

    private void Toggle(ModelClient client)
    {
        if (client.IsHere)
            client.Session.Disconnected(TimeSpan.MaxValue);
        else
            Connect(client, sessionPresent: true);
    }

    private async Task SubscribeAsync(ModelClient client)
    {
        var plain = $"{"ab+"[_random.Next(3)]}/{"abc+#"[_random.Next(5)]}";
        var isShared = _random.Next(4) == 0;
        var filter = isShared ? $"$share/g/{plain}" : plain;
        var request = new SubscriptionRequest(filter, isShared ? 2 : _random.Next(3), !isShared && _random.Next(3) == 0, !isShared && _random.Next(2) == 0, (RetainHandling)_random.Next(3));
        uint? identifier = isShared ? 1000u + (plain[0] * 128u) + plain[2] : _random.Next(2) == 0 ? (uint)_random.Next(1, 100) : null;
        var isNew = !client.Subscriptions.ContainsKey(filter);
        client.Subscriptions[filter] = (request, identifier);
        var properties = identifier is { } number ? new Properties(new Property(PropertyId.SubscriptionIdentifier, number)) : default;
        var answer = await new SubscriptionHandler(client.Session, _parts, CancellationToken.None, CancellationToken.None).SubscribeAsync(new SubscribePacket(1, [request], properties));
        Assert.Equal([(ReasonCode)request.Qos], answer.Reasons);
        if (!isShared && (request.RetainHandling == RetainHandling.Send || (request.RetainHandling == RetainHandling.SendIfNew && isNew)))
        {
            client.Due.AddRange(_retained.Values.Where(message => PlainMatching.IsMatch(plain, message.Topic)).Select(message =>
                message with { Qos = Math.Min(message.Qos, request.Qos), Retain = true, Identifiers = $"{identifier}" })); // [MQTT-3.3.1-8], [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11]
        }
        CheckAll(isOrdered: false);
    }

    private void Publish(ModelClient? from)
    {
        var (topic, qos, retain, number) = ($"{"ab"[_random.Next(2)]}/{"abc"[_random.Next(3)]}", _random.Next(3), _random.Next(3) == 0, _messages++);
        var payload = retain && _random.Next(4) == 0 ? "" : $"{number}";
        uint? expiry = _random.Next(4) == 0 ? (uint)_random.Next(1, 4) : null;
        var expiresAt = _parts.Now() + (expiry is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        var name = new Property(PropertyId.ContentType, Text: $"{number}"); // Empty payloads look alike.
        Predict(new Due(topic, qos, retain, $"{payload}#{number}", expiresAt, ""), from);
        var packet = new PublishPacket
        {
            Topic = topic,
            Payload = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(payload)),
            PacketId = qos > 0 ? (ushort)((number % ushort.MaxValue) + 1) : (ushort)0,
            Qos = qos,
            Retain = retain,
            Properties = expiry is { } interval ? new Properties(name, new Property(PropertyId.MessageExpiryInterval, interval)) : new Properties(name),
        };
        using var writer = new PacketWriter();
        packet.Write(writer, ProtocolVersion.V5);
        var bytes = new ReadOnlySequence<byte>(writer.Written);
        Assert.True(Frame.TryRead(ref bytes, Frame.LargestSize, ProtocolVersion.V5, out var frame));
        var read = PublishPacket.Read(frame, ProtocolVersion.V5, _topics);
        var message = new Message { Topic = "" };
        message.Become(topic, read, _parts.Now());
        if (from is null)
        {
            _parts.Router.Route(message, from: null);
            return;
        }
        Assert.True(_parts.Incoming.TryTake(from.Session.Publish(read, message, _time.GetUtcNow())));
        var acknowledged = from.Acknowledged.Count;
        Read(from);
        Assert.Equal(qos switch { 0 => [], 1 => [$"PubAck {packet.PacketId}"], _ => [$"PubRec {packet.PacketId}", $"PubComp {packet.PacketId}"] }, from.Acknowledged.Skip(acknowledged));
    }

    private void Predict(Due message, ModelClient? from)
    {
        if (message.Retain && message.Payload.StartsWith('#'))
            _retained.Remove(message.Topic); // [MQTT-3.3.1-6]
        else if (message.Retain)
            _retained[message.Topic] = message; // [MQTT-3.3.1-5]
        foreach (var client in _clients)
        {
            var matches = client.Subscriptions.Values.Where(one => !Topic.TrySplitShare(one.Request.Filter, out _, out _) && PlainMatching.IsMatch(one.Request.Filter, message.Topic)
                && !(one.Request.NoLocal && client == from)).ToList(); // [MQTT-3.8.3-3]
            if (matches.Count == 0)
                continue;
            var qos = Math.Min(message.Qos, matches.Max(one => one.Request.Qos)); // [MQTT-3.8.4-8]
            var identifiers = string.Join(' ', matches.Where(one => one.Identifier is not null).Select(one => one.Identifier!.Value).Order()); // [MQTT-3.3.4-3]
            if (client.IsHere || qos > 0)
                client.Due.Add(message with { Qos = qos, Retain = message.Retain && matches.Any(one => one.Request.RetainAsPublished), Identifiers = identifiers });
        }
        foreach (var group in _clients.SelectMany(client => client.Subscriptions.Values.Select(one => (client, one))).GroupBy(member => member.one.Request.Filter))
        {
            if (!Topic.TrySplitShare(group.Key, out _, out var filter) || !PlainMatching.IsMatch(filter.ToString(), message.Topic))
                continue;
            var members = group.Select(member => member.client).ToList();
            var here = members.Where(client => client.IsHere).ToList();
            if (here.Count > 0 || message.Qos > 0) // To one of them; to none that is away as long as one is here.
                _shared.Add((message with { Retain = false, Identifiers = $"{group.First().one.Identifier}" }, here.Count > 0 ? here : members));
        }
    }

    private void CheckAll(bool isOrdered)
    {
        var now = _parts.Now();
        foreach (var client in _clients.Where(client => client.IsHere))
        {
            Read(client);
            var lines = _read[client];
            Delivered += lines.Count;
            foreach (var line in lines.ToList())
            {
                if (_shared.FindIndex(one => one.Candidates.Contains(client) && one.Message.At(now) == line) is var index and >= 0)
                {
                    _shared.RemoveAt(index);
                    lines.Remove(line);
                }
            }
            var due = client.Due.Where(message => !(message.ExpiresAt <= now)).Select(message => message.At(now)).ToList(); // [MQTT-3.3.2-5], [MQTT-3.3.2-6]
            Assert.Equal(isOrdered ? due : [.. due.Order()], isOrdered ? lines : [.. lines.Order()]);
            lines.Clear();
            client.Due.Clear();
        }
        _shared.RemoveAll(one => one.Message.ExpiresAt <= now);
        Assert.All(_shared, one => Assert.DoesNotContain(one.Candidates, client => client.IsHere && one.Candidates.All(other => other.IsHere)));
        foreach (var client in _clients.Where(client => !client.IsHere))
            client.Due.RemoveAll(message => message.Qos == 0);
    }

    // What a client is sent, which it answers at once.
    private void Read(ModelClient client)
    {
        var lines = _read.TryGetValue(client, out var known) ? known : _read[client] = [];
        using var writer = new PacketWriter();
        while (client.Session.Write(writer, _parts.Now(), int.MaxValue) && writer.Length > 0)
        {
            var bytes = new ReadOnlySequence<byte>(writer.Written.ToArray());
            writer.Clear();
            while (Frame.TryRead(ref bytes, Frame.LargestSize, ProtocolVersion.V5, out var frame))
                Take(client, frame, lines);
        }
    }

    private void Take(ModelClient client, Frame frame, List<string> lines)
    {
        if (frame.Type == PacketType.Publish)
        {
            var publish = PublishPacket.Read(frame, ProtocolVersion.V5, _topics);
            Assert.False(publish.Dup);
            List<uint> identifiers = [];
            foreach (var property in publish.Properties)
            {
                if (property.Id == PropertyId.SubscriptionIdentifier)
                    identifiers.Add(property.Number);
            }
            var expiry = publish.Properties.Number(PropertyId.MessageExpiryInterval) is { } seconds ? _parts.Now() + TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
            lines.Add(new Due(publish.Topic, publish.Qos, publish.Retain, $"{Encoding.UTF8.GetString(publish.Payload)}#{publish.Properties.Text(PropertyId.ContentType)}", expiry, string.Join(' ', identifiers.Order())).At(_parts.Now()));
            if (publish.Qos > 0)
                client.Session.Answered(new PublishAckPacket(publish.Qos == 1 ? PacketType.PubAck : PacketType.PubRec, publish.PacketId));
            return;
        }
        var answer = PublishAckPacket.Read(frame, ProtocolVersion.V5);
        if (answer.Type == PacketType.PubRel)
        {
            client.Session.Answered(new PublishAckPacket(PacketType.PubComp, answer.PacketId));
            return;
        }
        client.Acknowledged.Add($"{answer.Type} {answer.PacketId}");
        if (answer.Type == PacketType.PubRec)
            Assert.True(_parts.Incoming.TryTake(client.Session.Release(answer.PacketId)));
    }
}

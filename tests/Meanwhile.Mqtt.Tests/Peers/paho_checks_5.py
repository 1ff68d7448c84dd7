"""What only MQTT 5.0 has. See paho_checks.py."""
import time

from paho_client import Client


def expiry(port, version):
    away = Client(port, version, "late", clean=False, SessionExpiryInterval=60)
    away.subscribe("e")
    away.leave()
    publisher = Client(port, version)
    publisher.publish("e", "short", MessageExpiryInterval=1)
    publisher.publish("e", "long", MessageExpiryInterval=60)
    time.sleep(2.5)
    back = Client(port, version, "late", clean=False, SessionExpiryInterval=60)
    message = back.receive()
    assert message.payload == b"long" and 50 < message.properties.MessageExpiryInterval < 59, message.properties
    back.receive_nothing_more()


def aliases(port, version):
    client = Client(port, version, TopicAliasMaximum=10)
    assert client.granted.TopicAliasMaximum > 0
    client.subscribe("alias/#")
    client.publish("alias/long", "1", TopicAlias=1)
    client.publish("", "2", TopicAlias=1)
    first, second = client.receive_many(2)
    assert (first.topic, first.payload, second.topic, second.payload) == ("alias/long", b"1", "", b"2")
    assert first.properties.TopicAlias == second.properties.TopicAlias
    client.send("alias/x", "x", 0, TopicAlias=client.granted.TopicAliasMaximum + 1)
    assert client.disconnected.get(timeout=20) == 0x94


def identifiers(port, version):
    client = Client(port, version)
    client.subscribe("id/#", identifier=1)
    client.subscribe("id/+", identifier=268435455)
    client.publish("id/a", "x")
    assert sorted(client.receive().properties.SubscriptionIdentifier) == [1, 268435455]
    client.subscribe("id/+", identifier=3)
    client.publish("id/a", "x")
    assert sorted(client.receive().properties.SubscriptionIdentifier) == [1, 3]
    client.receive_nothing_more()


def request(port, version):
    server, client = Client(port, version), Client(port, version)
    server.subscribe("ask")
    client.subscribe("answer/me")
    user = [("b", "2"), ("a", "1"), ("b", "3")]
    client.publish("ask", "?", 2, ResponseTopic="answer/me", CorrelationData=b"\x00\x2a", UserProperty=user, ContentType="text/plain", PayloadFormatIndicator=1)
    asked = server.receive().properties
    assert (asked.UserProperty, asked.ContentType, asked.PayloadFormatIndicator) == (user, "text/plain", 1)
    server.publish(asked.ResponseTopic, "!", 2, CorrelationData=asked.CorrelationData)
    answered = client.receive()
    assert (answered.payload, answered.properties.CorrelationData) == (b"!", b"\x00\x2a")


def assigned(port, version):
    one, other = Client(port, version, SessionExpiryInterval=60), Client(port, version)
    assert one.granted.AssignedClientIdentifier != other.granted.AssignedClientIdentifier
    one.leave()
    assert Client(port, version, one.granted.AssignedClientIdentifier, clean=False).session_present


def keep_alive(port, version):
    """The broker allows a minute."""
    assert Client(port, version, keepalive=120).granted.ServerKeepAlive == 60
    assert not hasattr(Client(port, version, keepalive=30).granted, "ServerKeepAlive")


def no_local(port, version):
    client, other = Client(port, version), Client(port, version)
    client.subscribe("local", noLocal=True)
    client.publish("local", "mine")
    other.publish("local", "theirs")
    assert client.receive().payload == b"theirs"
    client.receive_nothing_more()


def packet_size(port, version):
    client, publisher = Client(port, version, MaximumPacketSize=200), Client(port, version)
    client.subscribe("size")
    for size in (100, 300, 101):
        publisher.publish("size", "x" * size, 2)
    assert [len(m.payload) for m in client.receive_many(2)] == [100, 101]
    publisher.send("size", "x" * publisher.granted.MaximumPacketSize, 0)
    assert publisher.disconnected.get(timeout=20) == 0x95
    publisher.die()


def receive_maximum(port, version):
    client, publisher = Client(port, version, ReceiveMaximum=1), Client(port, version)
    client.subscribe("window")
    publisher.complete([publisher.send("window", str(n), 1 + n % 2) for n in range(200)])
    assert [int(m.payload) for m in client.receive_many(200)] == list(range(200))


def session_expiry(port, version):
    Client(port, version, "short", SessionExpiryInterval=60).leave_because(0, SessionExpiryInterval=1)
    time.sleep(3)
    assert not Client(port, version, "short", clean=False).session_present
    client = Client(port, version, "none")
    client.paho.disconnect(properties=None)
    assert not Client(port, version, "none", clean=False).session_present


CHECKS_5 = {f.__name__: f for f in (
    expiry, aliases, identifiers, request, assigned, keep_alive, no_local, packet_size, receive_maximum, session_expiry)}

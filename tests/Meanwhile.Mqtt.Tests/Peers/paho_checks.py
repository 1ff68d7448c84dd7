"""What Eclipse paho says of a broker. Usage: paho_checks.py CHECK PORT VERSION, where VERSION is 4 (3.1.1) or 5."""
import sys
import time

from paho_client import Client


def qos(port, version):
    subscriber, publisher = Client(port, version), Client(port, version)
    assert subscriber.subscribe("full") == [2] and subscriber.subscribe("half", 1) == [1]
    for level in (0, 1, 2):
        publisher.complete([publisher.send("full", str(n), level) for n in range(100)])
        received = subscriber.receive_many(100)
        assert [m.payload.decode() for m in received] == [str(n) for n in range(100)]
        assert {m.qos for m in received} == {level} and not any(m.dup or m.retain for m in received)
        publisher.publish("half", "x", level)
        assert subscriber.receive().qos == min(level, 1)
    subscriber.receive_nothing_more()
    subscriber.unsubscribe("full")
    publisher.publish("full", "x")
    subscriber.receive_nothing_more()


def order(port, version):
    subscriber = Client(port, version)
    subscriber.subscribe("order/#")
    publishers = [Client(port, version) for _ in range(3)]
    mids = [[] for _ in publishers]
    for n in range(200):
        for index, publisher in enumerate(publishers):
            for level in (0, 1, 2):
                mids[index].append(publisher.send(f"order/{index}/{level}", str(n), level))
    for publisher, sent in zip(publishers, mids):
        publisher.complete(sent)
    seen = {}
    for message in subscriber.receive_many(1800):
        seen.setdefault(message.topic, []).append(int(message.payload))
    assert len(seen) == 9 and all(numbers == list(range(200)) for numbers in seen.values())


def retained(port, version):
    client = Client(port, version)
    for topic, payload in (("r/a", "1"), ("r/b", "old"), ("r/b", "2"), ("r/c", "3"), ("r/c", "")):
        client.publish(topic, payload, 1, retain=True)
    client.subscribe("r/+", 0)
    assert sorted((m.topic, m.payload, m.qos, m.retain) for m in client.receive_many(2)) == [("r/a", b"1", 0, 1), ("r/b", b"2", 0, 1)]
    client.publish("r/a", "live", 1, retain=True)
    assert not client.receive().retain
    client.subscribe("r/+", 0)
    assert sorted(m.payload for m in client.receive_many(2)) == [b"2", b"live"]
    if version == 5:
        for handling, expected in ((1, 0), (2, 0), (0, 2)):
            client.subscribe("r/+", 0, retainHandling=handling)
            assert len(client.receive_many(expected)) == expected
            client.receive_nothing_more()
        client.subscribe("r/+", 0, retainHandling=2, retainAsPublished=True)
        client.publish("r/a", "kept", 1, retain=True)
        assert client.receive().retain
    for topic in ("r/a", "r/b"):
        client.publish(topic, "", 1, retain=True)


def will(port, version):
    watcher = Client(port, version)
    watcher.subscribe("will/#")
    Client(port, version, "polite", will={"topic": "will/polite", "payload": "x"}).leave()
    Client(port, version, "rude", will={"topic": "will/rude", "payload": "gone", "qos": 2, "retain": True}).die()
    message = watcher.receive()
    assert (message.topic, message.payload, message.qos) == ("will/rude", b"gone", 2)
    late = Client(port, version)
    late.subscribe("will/rude")
    assert late.receive().retain
    late.publish("will/rude", "", 1, retain=True)
    watcher.receive()
    if version == 5:
        Client(port, version, "asking", will={"topic": "will/asking", "payload": "x"}).leave_because(4)
        assert watcher.receive().topic == "will/asking"
    watcher.receive_nothing_more()


def will_delay(port, version):
    from paho.mqtt.packettypes import PacketTypes
    from paho_client import properties
    watcher = Client(port, version)
    watcher.subscribe("will/#")
    for name in ("back", "gone"):
        delayed = {"topic": "will/" + name, "payload": "x", "properties": properties(PacketTypes.WILLMESSAGE, WillDelayInterval=2)}
        Client(port, version, name, will=delayed, SessionExpiryInterval=60).die()
    started = time.monotonic()
    assert Client(port, version, "back", clean=False, SessionExpiryInterval=60).session_present
    assert watcher.receive().topic == "will/gone" and time.monotonic() - started > 1
    watcher.receive_nothing_more()


def wildcards(port, version):
    client = Client(port, version)
    cases = {"w/+": 2, "w/#": 4, "w/+/b": 1, "+/a/b": 1, "w": 1, "/w": 1, "+/w": 1, "w/a/b/#": 1}
    for topic_filter, count in cases.items():
        client.subscribe(topic_filter)
        for topic in ("w", "w/a", "w/b", "w/a/b", "/w", "$w/a"):
            client.publish(topic, "x")
        assert len(client.receive_many(count)) == count, topic_filter
        client.receive_nothing_more()
        client.unsubscribe(topic_filter)
    client.subscribe("w/#", 0)
    client.subscribe("w/a", 2)
    client.publish("w/a", "x", 2)
    assert client.receive().qos == 2
    client.receive_nothing_more()


def shared(port, version):
    members, plain, publisher = [Client(port, version) for _ in range(2)], Client(port, version), Client(port, version)
    for member in members:
        member.subscribe("$share/group/s/#")
    plain.subscribe("s/#")
    publisher.complete([publisher.send("s/x", str(n), 1) for n in range(100)])
    everything = {m.payload for m in plain.receive_many(100)}
    halves = [{m.payload for m in member.receive_many(50)} for member in members]
    for member in members:
        member.receive_nothing_more()
    assert halves[0] | halves[1] == everything and not halves[0] & halves[1]


def take_over(port, version):
    first = Client(port, version, "me")
    second = Client(port, version, "me")
    code = first.disconnected.get(timeout=20)
    assert code == (0x8E if version == 5 else 7), code  # 7: the connection was lost.
    first.die()
    second.receive_nothing_more()


def resume(port, version):
    kept = {"SessionExpiryInterval": 60} if version == 5 else {}
    first = Client(port, version, "sleeper", clean=False, **kept)
    assert not first.session_present
    first.subscribe("sleep/#")
    first.leave()
    publisher = Client(port, version)
    for level in (0, 1, 2):
        publisher.publish(f"sleep/{level}", "x", level)
    second = Client(port, version, "sleeper", clean=False, **kept)
    assert second.session_present
    assert [m.topic for m in second.receive_many(2)] == ["sleep/1", "sleep/2"]
    second.receive_nothing_more()
    second.leave()
    assert not Client(port, version, "sleeper", clean=True).session_present


CHECKS = {f.__name__: f for f in (qos, order, retained, will, will_delay, wildcards, shared, take_over, resume)}

if __name__ == "__main__":
    from paho_checks_5 import CHECKS_5
    (CHECKS | CHECKS_5)[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))

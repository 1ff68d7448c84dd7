"""A small synchronous face on Eclipse paho, for checks that read from top to bottom."""
import queue
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE = 20


def properties(packet, **values):
    made = Properties(packet)
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Client:
    """Connected when made; what arrives waits in a queue."""

    def __init__(self, port, version, client_id="", clean=True, keepalive=60, will=None, **connect):
        self.version = version
        self.messages = queue.Queue()
        self.disconnected = queue.Queue()
        self._events = queue.Queue()
        self._acknowledged = set()
        self._lock = threading.Condition()
        session = {"clean_session": clean} if version == 4 else {}
        self.paho = mqtt.Client(client_id, protocol=version, **session)
        self.paho.max_inflight_messages_set(100)
        self.paho.on_message = lambda client, data, message: self.messages.put(message)
        self.paho.on_publish = self._on_publish
        self.paho.on_subscribe = lambda client, data, mid, granted, *rest: self._events.put([int(getattr(code, "value", code)) for code in granted])
        self.paho.on_unsubscribe = lambda *rest: self._events.put(None)
        connected = queue.Queue()
        self.paho.on_connect = lambda client, data, flags, code, *rest: connected.put((flags, code, rest))
        self.paho.on_disconnect = lambda client, data, code, *rest: self.disconnected.put(int(getattr(code, "value", code)))
        if will:
            self.paho.will_set(**will)
        if version == 5:
            # paho 1.6 reads the reason of a DISCONNECT only where words come with it.
            made = properties(PacketTypes.CONNECT, RequestProblemInformation=1, **connect)
            self.paho.connect("127.0.0.1", port, keepalive, clean_start=clean, properties=made)
        else:
            self.paho.connect("127.0.0.1", port, keepalive)
        self.paho.loop_start()
        flags, code, rest = connected.get(timeout=PATIENCE)
        self.code = int(getattr(code, "value", code))
        self.session_present = flags["session present"] == 1
        self.granted = rest[0] if rest else None

    def _on_publish(self, client, data, mid):
        with self._lock:
            self._acknowledged.add(mid)
            self._lock.notify_all()

    def subscribe(self, topic, qos=2, identifier=None, **options):
        if self.version == 5:
            made = properties(PacketTypes.SUBSCRIBE, **({"SubscriptionIdentifier": identifier} if identifier else {}))
            self.paho.subscribe(topic, options=mqtt.SubscribeOptions(qos, **options), properties=made)
        else:
            self.paho.subscribe(topic, qos)
        return self._events.get(timeout=PATIENCE)

    def unsubscribe(self, topic):
        self.paho.unsubscribe(topic)
        self._events.get(timeout=PATIENCE)

    def send(self, topic, payload, qos=1, retain=False, **values):
        made = properties(PacketTypes.PUBLISH, **values) if values else None
        return self.paho.publish(topic, payload, qos, retain, made).mid

    def publish(self, topic, payload, qos=1, retain=False, **values):
        self.complete([self.send(topic, payload, qos, retain, **values)])

    def complete(self, mids):
        with self._lock:
            assert self._lock.wait_for(lambda: self._acknowledged.issuperset(mids), PATIENCE), "not everything was acknowledged"

    def receive(self):
        return self.messages.get(timeout=PATIENCE)

    def receive_many(self, count):
        return [self.receive() for _ in range(count)]

    def receive_nothing_more(self):
        """A message of our own is the next that comes."""
        self.subscribe("marker/" + str(id(self)))
        self.publish("marker/" + str(id(self)), "end", qos=1)
        last = self.receive()
        assert last.topic.startswith("marker/") or not last.topic, f"unexpected: {last.topic} {last.payload}"
        self.unsubscribe("marker/" + str(id(self)))

    def leave(self):
        self.paho.disconnect()
        self.paho.loop_stop()

    def leave_because(self, code, **values):
        self.paho.disconnect(mqtt.ReasonCodes(PacketTypes.DISCONNECT, identifier=code), properties(PacketTypes.DISCONNECT, **values))
        self.paho.loop_stop()

    def die(self):
        """Without a word."""
        self.paho.on_disconnect = None
        self.paho.loop_stop()
        self.paho._sock_close()

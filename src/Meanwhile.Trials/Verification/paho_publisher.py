"""A publisher of verify on Eclipse paho: sends 1, 2, 3 ... and writes a line to a log before each message and after each acknowledgement.

Usage: paho_publisher.py HOST PORT TOPIC QOS RATE CLIENT_ID LOG [COUNT]. User name and password: MQTT_USERNAME, MQTT_PASSWORD.
Within a process, paho sends again after a lost connection; but it forgets at the second attempt to connect which messages it had released, and
publishes them as new ones. So it is asked to connect once the broker accepts connections. Its half of the session ends with the process: one that
continues after a kill ends that session, and sends what was not acknowledged as new messages.
"""
import os
import signal
import socket
import sys
import time

import paho.mqtt.client as mqtt

MOST_IN_FLIGHT = 20
KEEP_ALIVE = 10
CONNECT_TIMEOUT = 10
PATIENCE = 30
RETRY = 0.1


class Log:
    """The lines of PublisherLog: S number id milliseconds (sent), D number (again), N number id (anew), A number (acknowledged)."""

    def __init__(self, path):
        self._file = open(path, "ab+", buffering=0)
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._file.truncate(len(whole))  # A line that was cut off: what it announces was not done.
        lines = [line.split() for line in whole.decode().splitlines()]
        self.times = [int(line[3]) for line in lines if line[0] == "S"]
        acknowledged = {int(line[1]) for line in lines if line[0] == "A"}
        self.unacknowledged = [number for number in range(1, len(self.times) + 1) if number not in acknowledged]

    def write(self, *words):
        self._file.write((" ".join(str(word) for word in words) + "\n").encode())


class Publisher:
    def __init__(self, host, port, topic, qos, rate, client_id, log, count=None):
        self.address, self.topic, self.qos, self.interval = (host, int(port)), topic, int(qos), 1 / float(rate)
        self.client_id, self.log, self.left = client_id, Log(log), None if count is None else int(count)
        self.unfinished = self.log.unacknowledged if self.qos > 0 else []
        self.in_flight = {}  # Numbers by paho's identifier of the message.
        self.is_connected = False
        self.attempts = 0  # To connect, since the connection was lost.
        self.told_at = None
        signal.signal(signal.SIGTERM, self.told_to_stop)

    def run(self):
        if self.log.times:
            self.end_session()
        client = self.new_client(clean=False)
        due = time.monotonic()
        while not self.is_over():
            has_room = len(self.in_flight) < MOST_IN_FLIGHT
            if not self.is_connected:
                self.connect(client)
            elif self.unfinished and has_room:
                number = self.unfinished.pop(0)
                self.log.write("N", number, 0)
                self.publish(client, number)
            elif self.is_sending() and has_room and time.monotonic() >= due:
                due += self.interval
                self.send_next(client)
            else:
                client.loop(0.002)
        client.disconnect()

    def end_session(self):
        client = self.new_client(clean=True)
        while not self.is_connected and not self.is_over():
            self.connect(client)
        client.disconnect()
        client.loop(RETRY)
        self.is_connected = False

    def new_client(self, clean):
        arguments = {"callback_api_version": mqtt.CallbackAPIVersion.VERSION1} if hasattr(mqtt, "CallbackAPIVersion") else {}
        client = mqtt.Client(client_id=self.client_id, clean_session=clean, protocol=mqtt.MQTTv311, **arguments)
        if "MQTT_USERNAME" in os.environ:
            client.username_pw_set(os.environ["MQTT_USERNAME"], os.environ.get("MQTT_PASSWORD"))
        client.on_connect, client.on_disconnect, client.on_publish = self.on_connect, self.on_disconnect, self.on_publish
        client.connect_async(*self.address, keepalive=KEEP_ALIVE)
        return client

    def connect(self, client):
        deadline = time.monotonic() + CONNECT_TIMEOUT
        try:
            socket.create_connection(self.address, CONNECT_TIMEOUT).close()
            self.attempts += 1
            client.reconnect()
            while not self.is_connected and client.loop(RETRY) == mqtt.MQTT_ERR_SUCCESS and time.monotonic() < deadline:
                pass
        except OSError:
            pass  # The broker is away.
        if not self.is_connected:
            time.sleep(RETRY)

    def on_connect(self, _client, _data, flags, code):
        if code != 0:
            sys.exit(f"{self.address[0]}:{self.address[1]} does not let the client '{self.client_id}' in (code {code})")
        self.is_connected = True
        is_known = flags["session present"] and self.attempts == 1
        self.attempts = 0
        for number in self.in_flight.values():  # paho sends them again now. Where the session is gone, or paho has forgotten, they are new to the broker.
            self.log.write(*(["D", number] if is_known else ["N", number, 0]))

    def on_disconnect(self, *_):
        self.is_connected = False

    def on_publish(self, _client, _data, mid):
        if mid in self.in_flight:
            self.log.write("A", self.in_flight.pop(mid))

    def send_next(self, client):
        self.left = None if self.left is None else self.left - 1
        self.log.times.append(time.time_ns() // 1_000_000)
        self.log.write("S", len(self.log.times), 0, self.log.times[-1])
        self.publish(client, len(self.log.times))

    def publish(self, client, number):
        milliseconds = self.log.times[number - 1]
        payload = f'{{"number": {number}, "epochtime": "{milliseconds // 1000}.{milliseconds % 1000:03}"}}'
        mid = client.publish(self.topic, payload, self.qos).mid
        if self.qos > 0:
            self.in_flight[mid] = number

    def told_to_stop(self, *_):
        self.told_at = time.monotonic()

    def is_sending(self):
        return self.told_at is None and self.left != 0

    def is_over(self):
        is_done = not self.is_sending() and not self.unfinished and not self.in_flight
        if not is_done and self.told_at is not None and time.monotonic() > self.told_at + PATIENCE:
            sys.exit(f"told to stop, and {len(self.unfinished) + len(self.in_flight)} messages are not acknowledged: they are sent again when this publisher is started again")
        return is_done


Publisher(*sys.argv[1:]).run()

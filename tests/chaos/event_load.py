"""The other ends of the soak of events, as processes of their own, so that they do not wait for each other:
    event_load.py write HOST PORT          changes flows as fast as it can, until it is ended
    event_load.py receive PORT FILE SEED   takes deliveries; SEED 0 has no moods
A server that goes away is come back to. A receiver writes each body that it accepts to FILE before it answers; while
FILE.calm exists it has no moods either."""
import json
import os
import random
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tams_client import video_flow  # noqa: E402: the path comes first

FLOW_CHANGES = 200
AT_ONCE = 10  # requests sent before the answers are read
CONNECTIONS = 6


def request(path: str, body) -> bytes:
    text = json.dumps(body).encode()
    return (f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
            ).encode() + text


class Incoming:
    """Cuts what a socket brings into messages."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.received = b""

    def more(self) -> None:
        piece = self.connection.recv(1 << 16)
        if not piece:
            raise ConnectionError("closed")
        self.received += piece

    def message(self) -> bytes:
        """The body of the next message."""
        while (end := self.received.find(b"\r\n\r\n")) < 0:
            self.more()
        head = self.received[:end].lower()
        _, found, length = head.partition(b"content-length:")
        size = end + 4 + (int(length.split(b"\r\n", 1)[0]) if found else 0)
        while len(self.received) < size:
            self.more()
        body, self.received = self.received[end + 4:size], self.received[size:]
        return body


def write_over(address: tuple[str, int], count: list[int]) -> None:
    """Labels are never used twice, so that every event is another."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = Incoming(connection)
        while True:
            flow = video_flow(label="new")
            path = f"/flows/{flow['id']}"
            connection.sendall(request(path, flow))
            answers.message()
            for _ in range(0, FLOW_CHANGES, AT_ONCE):
                connection.sendall(b"".join(request(f"{path}/label", str(count[0] + i)) for i in range(AT_ONCE)))
                count[0] += AT_ONCE
                for _ in range(AT_ONCE):
                    answers.message()


def write(host: str, port: str) -> None:
    def forever() -> None:
        count = [0]
        while True:
            try:
                write_over((host, int(port)), count)
            except OSError:
                time.sleep(0.02)

    for _ in range(CONNECTIONS):
        threading.Thread(target=forever).start()


def receive(port: str, file: str, seed: str) -> None:
    moods = random.Random(f"{seed}/{time.time()}") if seed != "0" else None  # another one after a restart
    calm = Path(file + ".calm")
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def serve(connection: socket.socket) -> None:
        incoming = Incoming(connection)
        try:
            with connection:
                while True:
                    body = incoming.message()
                    mood = moods.random() if moods and not calm.exists() else 1.0
                    if mood < 0.002:
                        return  # drops it without an answer
                    if mood < 0.004:
                        status = moods.choice([400, 401, 403, 404, 410, 429, 500, 503])
                    else:
                        os.write(log, body + b"\n")
                        status = 200
                    if 0.004 <= mood < 0.0045:
                        time.sleep(0.7)  # longer than a delivery may take; accepted all the same
                    connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", int(port)), reuse_port=False) as listener:
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    {"write": write, "receive": receive}[sys.argv[1]](*sys.argv[2:])

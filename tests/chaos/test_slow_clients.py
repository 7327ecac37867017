"""Clients that are slow, greedy, or vanish: the others do not notice."""
import json
import os
import resource
import socket
import threading
import time

import pytest
from raw_http import Connection
from reelhouse_server import sanitized
from tams_client import Client, new_id, segment

FAST = ["--set", "limits.header_timeout_ms=1500", "--set", "limits.idle_timeout_ms=2000"]


def answers_in_time(server, seconds: float) -> None:
    """The server answers a new client at once."""
    start = time.monotonic()
    assert Client(server.url).get("/flows").status_code == 200
    assert time.monotonic() - start < seconds


def closes_within(connection: Connection, seconds: float) -> float:
    """How long until the server closes, at most `seconds`."""
    connection.socket.settimeout(seconds)
    start = time.monotonic()
    try:
        connection.is_closed()
    except TimeoutError:
        raise AssertionError(f"still open after {seconds} s") from None
    return time.monotonic() - start


def test_slow_loris(serve):
    """Heads that never end are answered 408 in time, and hold no one up meanwhile."""
    server = serve(*FAST)
    attackers = [Connection(server.address) for _ in range(300)]
    try:
        for attacker in attackers:
            attacker.send(b"GET /flows HTTP/1.1\r\nHost: x\r\n")
        stop = threading.Event()

        def trickle():
            while not stop.wait(0.2):
                for attacker in attackers:
                    try:
                        attacker.send(b"X")
                    except OSError:
                        pass

        thread = threading.Thread(target=trickle)
        thread.start()
        answers_in_time(server, 5)
        start = time.monotonic()
        statuses = []
        for attacker in attackers:
            attacker.socket.settimeout(10)
            answer = attacker.answer()
            statuses.append(answer and answer.status)
        stop.set()
        thread.join()
        # A server may also just close; it must not wait.
        assert set(statuses) <= {408, None} and 408 in statuses, set(statuses)
        assert time.monotonic() - start < 8
    finally:
        for attacker in attackers:
            attacker.socket.close()


def test_silent_connections_are_closed(serve):
    server = serve(*FAST)
    with Connection(server.address) as silent:
        assert closes_within(silent, 10) < 8
    with Connection(server.address) as used:
        assert used.request("GET", "/").status == 200
        assert closes_within(used, 10) < 8


def test_slow_bodies(serve):
    """A body below the minimum rate is ended, with 408 where the client still listens."""
    server = serve("--set", "limits.body_min_bytes_per_second=100000")
    with Connection(server.address, 40) as slow:
        slow.send(f"PUT /flows/{new_id()} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  "Content-Length: 1000000\r\n\r\n".encode())
        start = time.monotonic()
        slow.socket.settimeout(0.2)
        answer = None
        while answer is None and time.monotonic() - start < 30:
            try:
                slow.send(b" ")
                answer = slow.answer()
                break
            except TimeoutError:
                continue
            except OSError:
                break
        assert time.monotonic() - start < 30
        assert answer is None or answer.status == 408


def test_slow_readers(serve):
    """Clients that do not read their answers cost no thread."""
    server = serve("--set", "http.worker_threads=2", "--set", "http.io_threads=1")
    client = Client(server.url)
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]
    client.upload(media, os.urandom(8 << 20))
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    path = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"].removeprefix(client.url)
    readers = [Connection(server.address) for _ in range(50)]
    try:
        for reader in readers:
            reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(1)
        answers_in_time(server, 5)
        client.put_flow()
        assert server.memory_bytes() < 300 << 20
    finally:
        for reader in readers:
            reader.socket.close()
    answers_in_time(server, 5)


def test_clients_that_vanish(serve):
    """Connections reset at every stage of a request."""
    server = serve()
    client = Client(server.url)
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]
    upload = media["put_url"]["url"].removeprefix(client.url)
    type_ = media["put_url"]["content-type"]
    body = json.dumps({"object_id": "x", "timerange": "[0:0_1:0)"})
    requests_ = [
        f"GET /flows HTTP/1.1\r\nHost: x\r\n\r\n",
        f"POST /flows/{flow['id']}/segments HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}",
        f"PUT {upload} HTTP/1.1\r\nHost: x\r\nContent-Type: {type_}\r\nContent-Length: 100000\r\n\r\n" + "x" * 100_000,
        f"PUT {upload} HTTP/1.1\r\nHost: x\r\nContent-Type: {type_}\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "1000\r\n" + "x" * 4096 + "\r\n",
    ]
    for text in requests_:
        data = text.encode()
        cuts = sorted({1, 10, data.find(b"\r\n\r\n"), data.find(b"\r\n\r\n") + 4, len(data) // 2, len(data) - 1, len(data)})
        for cut in cuts:
            with Connection(server.address) as connection:
                # A reset instead of a FIN when closing.
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                connection.send(data[:cut])
    answers_in_time(server, 5)
    deadline = time.monotonic() + 15
    while True:
        text = client.get("/metrics").text
        active = int(next(line for line in text.splitlines() if line.startswith("tams_active_connections ")).split()[1])
        staged = list((server.data_dir / "staging").glob("*.part"))
        if active <= 5 and not staged:
            break
        assert time.monotonic() < deadline, f"{active} connections and {staged} stay"
        time.sleep(0.1)
    assert " ERROR " not in server.log()


def test_connections_above_the_limit(serve):
    server = serve("--set", "limits.connections_max=20")
    held = [Connection(server.address) for _ in range(20)]
    try:
        for connection in held:
            assert connection.request("GET", "/livez").status == 200
        with Connection(server.address) as extra:
            extra.socket.settimeout(5)
            try:
                extra.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = extra.answer()
            except OSError:
                answer = None
            assert answer is None or answer.status == 503
            if answer is not None:
                assert "retry-after" in answer.headers
        assert held[0].request("GET", "/livez").status == 200
    finally:
        for connection in held:
            connection.socket.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            with Connection(server.address) as again:
                if again.request("GET", "/livez").status == 200:
                    break
        except (OSError, AttributeError):
            pass
        assert time.monotonic() < deadline, "the places are not free again"
        time.sleep(0.1)


def idle_connections(server, count: int, bytes_max: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    before = server.memory_bytes()
    held = []
    try:
        for _ in range(count):
            held.append(Connection(server.address))
            assert held[-1].request("GET", "/livez").status == 200
        grown = server.memory_bytes() - before
        print(f"{count} idle connections: {grown / count:.0f} bytes each")
        assert sanitized() or grown < bytes_max
        answers_in_time(server, 5)
        for connection in held[::97]:
            assert connection.request("GET", "/livez").status == 200
    finally:
        for connection in held:
            connection.socket.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    answers_in_time(server, 5)


def test_1000_idle_connections(serve):
    idle_connections(serve(), 1000, 32 << 20)


@pytest.mark.full
def test_10000_idle_connections(serve):
    idle_connections(serve("--set", "limits.connections_per_peer_max=16384"), 10_000, 100 << 20)

"""Events across kill -9, to receivers that fail, stall, drop and restart: each at least once, in order, none invented;
an event stream resumes without a gap. The judge is the change log itself, which tests/api/test_audit.py holds against
what was written."""
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from event_client import EventClient
from reelhouse_server import Server
from tams_client import Client, video_flow

HTTP_ERRORS = requests.packages.urllib3.exceptions.HTTPError
TYPES = ["flows/created", "flows/updated"]
VARIABLES = {"REELHOUSE_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8", "REELHOUSE_WEBHOOKS_RETRY_MS_MIN": "10",
             "REELHOUSE_WEBHOOKS_RETRY_MS_MAX": "200", "REELHOUSE_WEBHOOKS_TIMEOUT_MS": "500"}
LOAD = Path(__file__).with_name("event_load.py")


def key(event_type: str, event: dict) -> tuple:
    return event_type, event["flow"]["id"], event["flow"].get("label")


def load(*arguments) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, LOAD, *map(str, arguments)], stdout=subprocess.PIPE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Receiver:
    """A process that takes the deliveries of one webhook."""

    def __init__(self, file: Path, seed: int):
        self.file, self.seed, self.port = file, seed, free_port()
        self.start()

    def start(self) -> None:
        self.process = load("receive", self.port, self.file, self.seed)
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def calm(self) -> None:
        Path(f"{self.file}.calm").touch()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def last(self) -> tuple | None:
        """The newest event that it took."""
        if not self.file.exists():
            return None
        with self.file.open("rb") as file:
            file.seek(max(0, self.file.stat().st_size - (1 << 16)))
            lines = [line for line in file.read().split(b"\n")[:-1] if line.startswith(b"{")]
        return self.key_of(lines[-1]) if lines else None

    @staticmethod
    def key_of(line: bytes) -> tuple:
        message = json.loads(line)
        return key(message["event_type"], message["event"])

    def told(self) -> list[tuple]:
        return [self.key_of(line) for line in self.file.read_bytes().splitlines()]


class Reader:
    """Reads the event stream of a server that goes away now and then."""

    def __init__(self, server: Server):
        self.server = server
        self.ending = False
        self.told: list[tuple[int, tuple]] = []
        self.last_id = 0
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        try:
            while not self.ending:
                self.read()
        except BaseException as error:
            self.failure = error
            raise

    def read(self) -> None:
        try:
            with EventClient(self.server.url, last_id=self.last_id, types=",".join(TYPES), timeout=20) as events:
                assert "event" not in events.greeting, events.greeting
                while not self.ending:
                    id_, event_type, document = events.next()
                    self.told.append((id_, key(event_type, document["event"])))
                    self.last_id = id_
        except (requests.RequestException, EOFError, OSError, HTTP_ERRORS):
            time.sleep(0.02)

    def end(self) -> None:
        self.ending = True
        self.thread.join(60)


def await_that(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def changes(url: str) -> list[tuple[int, tuple]]:
    """The change log, oldest first. Not by the client that checks every answer: there are too many."""
    session = requests.Session()
    session.trust_env = False
    found, page = [], f"{url}/audit?reverse_order=true&limit=1000"
    while page:
        answer = session.get(page, timeout=60)
        found += [(change["sequence"], key(change["type"], change["event"]))
                  for change in answer.json() if change["type"] in TYPES]
        page = answer.links.get("next", {}).get("url")
    return found


def soak(tmp_path, rng, events_min: int, kills: int) -> None:
    server = Server(tmp_path / "data", **VARIABLES).start()
    address = server.url.removeprefix("http://")
    receivers = [Receiver(tmp_path / f"told{i}", seed) for i, seed in enumerate([0, rng.randrange(1, 1 << 30), 0])]
    client = Client(server.url)
    for receiver in receivers:
        client.post("/service/webhooks", {"url": receiver.url, "events": TYPES}, expect=201)
    reader = Reader(server)
    writer = load("write", *server.address)
    began = time.monotonic()
    try:
        for kill in range(kills):
            # Somewhere in each stretch of the events, so that all of them see some kills.
            goal = int(events_min * (kill + rng.random()) / kills)
            await_that(lambda: len(reader.told) >= goal or reader.failure, 300)
            server.kill()
            time.sleep(rng.uniform(0, 0.1))
            if rng.random() < 0.3:
                receivers[2].kill()
                receivers[2].start()
            server.start(address)
        await_that(lambda: len(reader.told) >= events_min or reader.failure, 300)
        writer.kill()
        writer.wait()
        wrote_s = time.monotonic() - began
        client = Client(server.url)
        # What the writer sent last may still be on its way through the server; this question is one itself.
        await_that(lambda: "\nreelhouse_http_in_flight 1\n" in client.get("/metrics").text, 60)
        last = client.put_flow(video_flow(label="the last one"))
        for receiver in receivers:
            receiver.calm()
        truth = changes(server.url)
        wanted = [name for _, name in truth]
        assert wanted[-1] == ("flows/created", last["id"], "the last one")
        assert len(set(wanted)) == len(wanted)
        repeated = []
        for receiver in receivers:
            await_that(lambda it=receiver: it.last() == wanted[-1], 600)
            told = receiver.told()
            assert list(dict.fromkeys(told)) == wanted
            repeated.append(len(told) - len(wanted))
        await_that(lambda: reader.told[-1][1] == wanted[-1] or reader.failure, 60)
        assert reader.failure is None and reader.told == truth
        print(f"{len(truth)} events in {wrote_s:.0f} s, all told after {time.monotonic() - began:.0f} s, {kills} kills, "
              f"told again: {repeated}")
    finally:
        writer.kill()
        writer.wait()
        server.kill()  # ends the connection that the reader waits at
        reader.end()
        for receiver in receivers:
            receiver.kill()
        print(server.log()[-3000:])


def test_5_kills(tmp_path, rng):
    soak(tmp_path, rng, events_min=2000, kills=5)


@pytest.mark.full
def test_100_000_events_and_50_kills(tmp_path, rng):
    soak(tmp_path, rng, events_min=100_000, kills=50)

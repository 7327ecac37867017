"""Events across kill -9, to receivers that fail, stall, drop and restart: each at least once, in order, none invented;
an event stream resumes without a gap. The judge is the change log itself, which tests/api/test_audit.py holds against
what was written."""
import random
import threading
import time

import pytest
import requests
from event_client import EventClient
from receiver import Receiver
from reelhouse_server import Server
from tams_client import Client, video_flow

TYPES = ["flows/created", "flows/updated"]
VARIABLES = {"REELHOUSE_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8", "REELHOUSE_WEBHOOKS_RETRY_MS_MIN": "10",
             "REELHOUSE_WEBHOOKS_RETRY_MS_MAX": "200", "REELHOUSE_WEBHOOKS_TIMEOUT_MS": "500"}
WRITERS = 4


def key(event_type: str, event: dict) -> tuple:
    return event_type, event["flow"]["id"], event["flow"].get("label")


class Traffic:
    """Writers and one reader of the event stream, which take a server that goes away as it comes."""

    def __init__(self, server: Server):
        self.server = server
        self.writing = threading.Event()
        self.ending = False
        self.streamed: list[tuple[int, tuple]] = []
        self.last_id = 0
        self.failure = None
        self.threads = [threading.Thread(target=self.guarded, args=(self.write,), daemon=True) for _ in range(WRITERS)]
        self.threads.append(threading.Thread(target=self.guarded, args=(self.read,), daemon=True))
        for thread in self.threads:
            thread.start()

    def guarded(self, work) -> None:
        try:
            work()
        except BaseException as error:
            self.failure = error
            raise

    def write(self) -> None:
        count = 0
        flow = {}
        session = requests.Session()
        session.trust_env = False
        while not self.ending:
            if not self.writing.wait(0.1):
                continue
            try:
                if count % 200 == 0:
                    flow = video_flow(label="new")
                    session.put(f"{self.server.url}/flows/{flow['id']}", json=flow, timeout=10)
                session.put(f"{self.server.url}/flows/{flow['id']}/label", json=str(count), timeout=10)
                count += 1
            except requests.RequestException:
                time.sleep(0.02)
                count += 1

    def read(self) -> None:
        while not self.ending:
            try:
                with EventClient(self.server.url, last_id=self.last_id, types=",".join(TYPES), timeout=20) as events:
                    assert "event" not in events.greeting, events.greeting
                    while not self.ending:
                        id_, event_type, document = events.next()
                        self.streamed.append((id_, key(event_type, document["event"])))
                        self.last_id = id_
            except (requests.RequestException, EOFError, OSError):
                time.sleep(0.02)

    def end(self) -> None:
        self.ending = True
        self.writing.clear()
        for thread in self.threads:
            thread.join(60)
        if self.failure:
            raise self.failure


def moody(seed: int):
    """A receiver's behaviour: mostly well, sometimes not; `calm` ends that."""
    rng = random.Random(seed)
    calm = threading.Event()

    def behave(body):
        mood = 1.0 if calm.is_set() else rng.random()
        if mood < 0.01:
            return None
        if mood < 0.02:
            return rng.choice([400, 401, 403, 404, 410, 429, 500, 503])
        if mood < 0.022:
            calm.wait(0.7)  # longer than a delivery may take; accepted all the same
        return 200

    return behave, calm


def distinct(keys: list) -> list:
    return list(dict.fromkeys(keys))


def soak(tmp_path, rng, events_min: int, kills: int) -> None:
    server = Server(tmp_path / "data", **VARIABLES)
    server.start()
    address = server.url.removeprefix("http://")
    seed = rng.randrange(1 << 30)
    behave, calm = moody(seed)
    receivers = [Receiver(), Receiver(behave), Receiver()]
    client = Client(server.url)
    for receiver in receivers:
        client.post("/service/webhooks", {"url": receiver.url, "events": TYPES}, expect=201)
    traffic = Traffic(server)
    try:
        killed = 0
        while killed < kills or len(traffic.streamed) < events_min:
            assert traffic.failure is None
            traffic.writing.set()
            time.sleep(rng.uniform(0.1, 1.2))
            if killed < kills or rng.random() < 0.1:
                server.kill()
                killed += 1
                server.start(address)
            if rng.random() < 0.3:  # a receiver restarts
                receivers[2].stop()
                time.sleep(rng.uniform(0, 0.3))
                receivers[2].start()
        traffic.writing.clear()
        time.sleep(0.5)
        client = Client(server.url)
        last = client.put_flow(video_flow(label="the last one"))
        calm.set()
        truth = [(change["sequence"], key(change["type"], change["event"]))
                 for change in client.items("/audit", reverse_order="true", limit=1000) if change["type"] in TYPES]
        end = ("flows/created", last["id"], "the last one")
        assert truth[-1][1] == end
        wanted = [name for _, name in truth]
        assert len(set(wanted)) == len(wanted)
        for number, receiver in enumerate(receivers):
            told = receiver.wait(lambda accepted: key(accepted[-1]["event_type"], accepted[-1]["event"]) == end, 600)
            assert distinct([key(item["event_type"], item["event"]) for item in told]) == wanted, number
        deadline = time.monotonic() + 60
        while not traffic.streamed or traffic.streamed[-1][1] != end:
            assert time.monotonic() < deadline and traffic.failure is None
            time.sleep(0.05)
        assert traffic.streamed == truth
        repeated = [len(receiver.accepted) - len(truth) for receiver in receivers]
        print(f"{len(truth)} events, {killed} kills, told again: {repeated}")
    finally:
        server.kill()  # ends the connection that the reader waits at
        traffic.end()
        for receiver in receivers:
            receiver.stop()
        print(server.log()[-3000:])


def test_5_kills(tmp_path, rng):
    soak(tmp_path, rng, events_min=500, kills=5)


@pytest.mark.full
def test_100_000_events_and_50_kills(tmp_path, rng):
    soak(tmp_path, rng, events_min=100_000, kills=50)

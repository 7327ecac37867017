"""kill -9 while clients repeat what got no answer: every request with an Idempotency-Key is done once."""
import threading
import time

import reelhouse_server
import requests
from reelhouse_server import Server
from tams_client import Client, new_id

CLIENTS = 6
OBJECTS = 3  # of each request


class Allocator(threading.Thread):
    """Allocates objects under a new key each time, until the server goes away."""

    def __init__(self, url: str, flow_id: str):
        super().__init__(daemon=True)
        self.url = f"{url}/flows/{flow_id}/storage"
        self.answers: dict[str, list[str]] = {}  # key -> object ids
        self.unanswered: str | None = None
        self.failure = None

    def ask(self, session, key: str) -> list[str]:
        answer = session.post(self.url, json={"limit": OBJECTS}, headers={"Idempotency-Key": key}, timeout=30)
        assert answer.status_code == 201, answer.text
        return [item["object_id"] for item in answer.json()["media_objects"]]

    def run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            try:
                while True:
                    self.unanswered = new_id()
                    self.answers[self.unanswered] = self.ask(session, self.unanswered)
            except requests.RequestException:
                pass  # the server is gone, as it should be
            except BaseException as error:
                self.failure = error

    def repeat(self) -> None:
        """Asks again what got no answer, and some of what got one."""
        with requests.Session() as session:
            session.trust_env = False
            if self.unanswered not in self.answers:
                self.answers[self.unanswered] = self.ask(session, self.unanswered)
            for key in list(self.answers)[-5:]:
                assert self.ask(session, key) == self.answers[key]


def test_every_request_is_done_once(tmp_path, rng):
    server = Server(tmp_path / "data")
    server.start()
    try:
        flow = Client(server.url).put_flow()
        answered: dict[str, list[str]] = {}
        for _ in range(10):
            clients = [Allocator(server.url, flow["id"]) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            time.sleep(rng.uniform(0.05, 0.6))
            server.kill()
            for client in clients:
                client.join(60)
                assert not client.is_alive()
                if client.failure:
                    raise client.failure
            server.start()
            for client in clients:
                client.url = f"{server.url}/flows/{flow['id']}/storage"
                client.repeat()
                answered |= client.answers
        ids = [id_ for answer in answered.values() for id_ in answer]
        assert len(set(ids)) == len(ids)
        server.stop()
        counts = reelhouse_server.rows(server.data_dir)
        assert counts["idempotency_keys"] == len(answered)
        assert counts["objects"] == len(ids), "a request was done twice, or one without its answer"
    finally:
        server.kill()

"""kill -9 under write load: what was acknowledged is there, and nothing is there by halves."""
import threading
import time

import pytest
import reelhouse_server
import requests
from reelhouse_server import Server
from tams_client import Client, new_id, segment, video_flow

WRITERS = 6


class Writer(threading.Thread):
    """Registers segments with bytes in a flow of its own, one by one and in bulk, and deletes some, until the server
    goes away. Knows afterwards what was acknowledged, and which requests got no answer."""

    def __init__(self, url: str, seed: int):
        super().__init__(daemon=True)
        self.url = url
        self.flow = video_flow()
        self.seed = seed
        self.present: dict[int, str] = {}    # start -> object id, acknowledged
        self.unsure: dict[int, str] = {}     # sent, no answer
        self.deleted: set[int] = set()       # acknowledged
        self.unsure_deleted: set[int] = set()
        self.uploaded: dict[str, bytes] = {}
        self.created = False
        self.acknowledged = 0
        self.failure = None

    def run(self) -> None:
        try:
            with requests.Session() as self.session:
                self.session.trust_env = False
                self.write_on()
        except requests.RequestException:
            pass  # the server is gone, as it should be
        except BaseException as error:
            self.failure = error

    def call(self, method: str, path: str, **options):
        return self.session.request(method, path if path.startswith("http") else self.url + path, timeout=30, **options)

    def write_on(self) -> None:
        answer = self.call("PUT", f"/flows/{self.flow['id']}", json=self.flow)
        assert answer.status_code == 201, answer.text
        self.created = True
        start = 0
        while True:
            count = 1 if (start + self.seed) % 3 else 20
            objects = self.allocate(count)
            self.register(start, objects)
            if (start + self.seed) % 5 == 0:
                self.delete(start)
            start += count

    def allocate(self, count: int) -> list[str]:
        answer = self.call("POST", f"/flows/{self.flow['id']}/storage", json={"limit": count})
        assert answer.status_code == 201, answer.text
        objects = answer.json()["media_objects"]
        first = objects[0]
        content = first["object_id"].encode() * 100
        put = self.call("PUT", first["put_url"]["url"], data=content, headers=first["put_url"]["headers"])
        assert put.status_code == 200, put.text
        self.uploaded[first["object_id"]] = content
        return [item["object_id"] for item in objects]

    def register(self, start: int, objects: list[str]) -> None:
        bodies = [segment(object_id, start + i) for i, object_id in enumerate(objects)]
        sent = {start + i: object_id for i, object_id in enumerate(objects)}
        self.unsure = sent
        answer = self.call("POST", f"/flows/{self.flow['id']}/segments", json=bodies[0] if len(bodies) == 1 else bodies)
        assert answer.status_code == 201, answer.text
        self.unsure = {}
        self.present |= sent
        self.acknowledged += 1

    def delete(self, start: int) -> None:
        self.unsure_deleted = {start}
        answer = self.call("DELETE", f"/flows/{self.flow['id']}/segments", params={"timerange": f"[{start}:0_{start + 1}:0)"})
        assert answer.status_code == 204, answer.text
        self.unsure_deleted = set()
        self.deleted.add(start)
        self.uploaded.pop(self.present.pop(start), None)

    def check(self, client: Client) -> None:
        """Compares with what the restarted server has."""
        if not self.created:
            return
        client.get(f"/flows/{self.flow['id']}")
        stored = {}
        for item in client.items(f"/flows/{self.flow['id']}/segments", limit=1000, presigned="false"):
            stored[int(item["timerange"][1:].split(":")[0])] = item
        for start, object_id in self.present.items():
            if start in self.unsure_deleted and start not in stored:
                continue
            assert start in stored, f"the acknowledged segment at {start} of {self.flow['id']} is lost"
            assert stored[start]["object_id"] == object_id
            if object_id in self.uploaded:
                got = client.session.get(stored[start]["get_urls"][0]["url"], timeout=30)
                assert got.content == self.uploaded[object_id], f"bytes of {object_id} are lost"
        assert not self.deleted & set(stored), "a deleted segment is back"
        extra = set(stored) - set(self.present)
        assert extra <= set(self.unsure), "a segment that nobody sent"
        # One request is one transaction: all of its segments or none.
        assert extra in (set(), set(self.unsure)), "half of a request was stored"


def round_of(server: Server, number: int, seconds: float) -> int:
    client = Client(server.url)
    before = set(client.ids("/flows", limit=1000))
    writers = [Writer(server.url, number + i) for i in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(seconds)
    server.kill()
    for writer in writers:
        writer.join(60)
        assert not writer.is_alive()
    for writer in writers:
        if writer.failure:
            raise writer.failure
    check = reelhouse_server.run("check", "--data-dir", server.data_dir, "--bytes")
    assert check.returncode == 0, f"round {number}: {check.stdout}{check.stderr}"
    server.start()
    client = Client(server.url)
    for writer in writers:
        writer.check(client)
    after = set(client.ids("/flows", limit=1000))
    assert before <= after and {writer.flow["id"] for writer in writers if writer.created} <= after
    # Room for the next round, and deletions that a kill may interrupt.
    for writer in writers[:WRITERS // 2]:
        if writer.created:
            client.delete(f"/flows/{writer.flow['id']}", expect=(202, 204))
    return sum(writer.acknowledged for writer in writers)


def rounds(tmp_path, rng, count: int) -> None:
    server = Server(tmp_path / "data")
    server.start()
    acknowledged = 0
    try:
        for number in range(count):
            # Kills very early meet the start and the first writes, later ones the steady state.
            acknowledged += round_of(server, number, rng.uniform(0.02, 1.2))
    finally:
        print(server.log()[-5000:])
        server.kill()
    print(f"{acknowledged} acknowledged registrations survived {count} kills")
    assert acknowledged > count


def test_20_kills(tmp_path, rng):
    rounds(tmp_path, rng, 20)


@pytest.mark.full
def test_200_kills(tmp_path, rng):
    rounds(tmp_path, rng, 200)


def test_kill_while_flows_are_deleted(tmp_path, rng):
    """A deleted flow stays deleted, its segments and bytes go on going after the restart."""
    server = Server(tmp_path / "data")
    server.start()
    client = Client(server.url)
    flows = []
    for _ in range(6):
        flow = client.put_flow()
        for start in range(0, 2000, 1000):
            client.add_segments(flow["id"], 1000, start=start)
        flows.append(flow["id"])
    gone = set()

    def delete():
        with requests.Session() as session:
            for flow in flows:
                try:
                    if session.delete(f"{server.url}/flows/{flow}", timeout=30).status_code in (202, 204):
                        gone.add(flow)
                except requests.RequestException:
                    return

    thread = threading.Thread(target=delete)
    thread.start()
    time.sleep(rng.uniform(0.01, 0.5))
    server.kill()
    thread.join()
    try:
        server.start()
        client = Client(server.url)
        left = set(client.ids("/flows"))
        assert not gone & left
        deadline = time.monotonic() + 60
        while True:
            metrics = client.get("/metrics").text
            segments = int(next(line for line in metrics.splitlines() if line.startswith("tams_segments_total")).split()[1])
            requests_left = [one for one in client.get("/flow-delete-requests?limit=1000").json() if one["status"] != "done"]
            if segments == 2000 * len(left) and not requests_left:
                break
            assert time.monotonic() < deadline, f"{segments} segments are left of {len(left)} flows"
            time.sleep(0.2)
        server.stop()
        counts = reelhouse_server.rows(server.data_dir)
        assert counts["object_uses"] == counts["segments"]
        assert counts["objects"] == counts["segments"], "objects of deleted segments stay behind"
    finally:
        server.kill()


def test_kill_at_the_very_start(tmp_path, rng):
    """An interrupted first start leaves nothing that a second one cannot use."""
    import subprocess
    for number in range(15):
        folder = tmp_path / str(number)
        process = subprocess.Popen([reelhouse_server.program(), "serve", "--data-dir", str(folder), "--http",
                                    "127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=reelhouse_server.environment())
        time.sleep(rng.uniform(0.0, 0.25))
        process.kill()
        process.wait()
        server = Server(folder)
        server.start()
        client = Client(server.url)
        flow = client.put_flow()
        client.add_segments(flow["id"], 1)
        assert len({new_id(), client.get("/service/storage-backends").json()[0]["id"]}) == 2
        server.stop()

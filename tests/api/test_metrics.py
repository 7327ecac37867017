"""/metrics: every metric that docs/operations.md names is there, and no other; and the numbers are right."""
import re
import time

import pytest
from collector import Collector
from raw_http import Connection
from receiver import Receiver
from reelhouse_server import ROOT
from tams_client import Client, segment

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
PARTS = ("_bucket", "_sum", "_count")


class Metrics:
    def __init__(self, text: str):
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        self.samples = {}
        self.labels = {}
        for name, labels, value in SAMPLE.findall(text):
            pairs = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
            self.samples[name, frozenset(pairs.items())] = float(value)
            family = next((name.removesuffix(part) for part in PARTS if self.types.get(name.removesuffix(part))
                           == "histogram"), name)
            self.labels.setdefault(family, set()).update(set(pairs) - {"le"})

    def get(self, name: str, **labels: str) -> float:
        return self.samples.get((name, frozenset(labels.items())), 0)


def metrics_of(client: Client) -> Metrics:
    return Metrics(client.get("/metrics").text)


def documented() -> dict[str, tuple[str, set[str]]]:
    """Type and labels by name, from the table in docs/operations.md."""
    section = (ROOT / "docs/operations.md").read_text().partition("\n### Metrics\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w{},]+)` \| (\w+) \|(.*?)\| (.+) \|$", section, re.MULTILINE)
    found = {}
    for name, kind, labels, _ in rows:
        choice = re.search(r"\{(.*)\}", name)
        for word in choice[1].split(",") if choice else [""]:
            found[name.replace(choice[0], word) if choice else name] = (kind, set(re.findall(r"`(\w+)`", labels)))
    assert len(found) > 30
    return found


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.stop()


def test_every_metric_is_documented_and_every_documented_metric_exists(serve, collector, receiver):
    server = serve("--set", f"tracing.endpoint={collector.url}", "--set", "webhooks.allowed_networks=127.0.0.0/8")
    client = Client(server.url)
    client.post("/service/webhooks", {"url": receiver.url, "events": ["flows/created"]}, expect=201)
    flow = client.put_flow()
    client.add_segments(flow["id"], 1)
    client.get("/flows/x", expect=404)
    client.get(f"/sources/{flow['source_id']}")
    with Connection(server.address) as connection:
        assert connection.request("GET", "/flows", x="y" * 20_000).status == 431
    receiver.wait_for(1)
    metrics = metrics_of(client)
    told = documented()
    assert set(told) == set(metrics.types)
    assert {name: kind for name, (kind, _) in told.items()} == metrics.types
    assert {name: labels for name, (_, labels) in told.items()} == metrics.labels


def test_operations_and_errors(fresh_client):
    client = fresh_client
    flow = client.put_flow()
    client.put_flow(flow | {"label": "x"})
    client.add_segments(flow["id"], 2)
    client.get("/flows")
    client.get("/flows/x", expect=404)
    client.put(f"/flows/{flow['id']}/label", "y")
    client.put(f"/flows/{flow['id']}", {"id": flow["id"]}, expect=400)
    client.get(f"/sources/{flow['source_id']}")
    client.delete(f"/flows/{flow['id']}/segments")
    client.delete(f"/flows/{flow['id']}")
    metrics = metrics_of(client)

    def operations(subject: str, operation: str, result: str = "success") -> float:
        return metrics.get(f"tams_{subject}_operations_total", operation=operation, result=result)

    assert operations("flow", "create") == 1
    assert operations("flow", "update") == 3  # itself, its storage, its label
    assert operations("flow", "update", "failure") == 1
    assert (operations("flow", "read"), operations("flow", "read", "failure")) == (1, 1)
    assert operations("flow", "delete") == 1
    assert (operations("segment", "create"), operations("segment", "delete")) == (1, 1)
    assert operations("source", "read") == 1
    assert metrics.get("tams_errors_total", type="not_found") == 1
    assert metrics.get("tams_errors_total", type="invalid") == 1


def committing(metrics: Metrics) -> bool:
    """Whether a batch is on its way: those of the figures come by themselves."""
    return (metrics.get("reelhouse_store_queue_batches") > 0
            or metrics.get("reelhouse_store_group_batches_count") > metrics.get("reelhouse_store_commit_duration_seconds_count"))


def test_what_the_store_does_is_timed(fresh_client):
    client = fresh_client
    before = metrics_of(client)
    for _ in range(5):
        client.put_flow()
    deadline = time.monotonic() + 30
    while committing(after := metrics_of(client)):
        assert time.monotonic() < deadline

    def more(name: str, **labels: str) -> float:
        return after.get(name, **labels) - before.get(name, **labels)

    for name in ("reelhouse_store_commit_duration_seconds", "reelhouse_store_sync_duration_seconds"):
        assert more(f"{name}_count") >= 5 and more(f"{name}_sum") > 0
    assert more("reelhouse_store_group_batches_sum") >= 5
    assert 1 <= more("reelhouse_store_group_batches_count") <= more("reelhouse_store_commit_duration_seconds_count")
    assert after.get("reelhouse_store_log_bytes") > 0
    assert 0 <= after.get("reelhouse_store_readers") < after.get("reelhouse_store_readers_max")
    assert after.get("reelhouse_http_in_flight") >= 1
    for method, route in (("PUT", "/flows/{flowId}"), ("GET", "/metrics")):
        assert after.get("tams_http_request_duration_seconds_count", method=method, route=route) >= 1


def test_what_is_removed_is_counted(fresh_client):
    client = fresh_client
    flow = client.put_flow()
    media = client.allocate(flow["id"], 3)
    for item in media:
        client.upload(item, b"x" * 1000)
    client.post(f"/flows/{flow['id']}/segments",
                [segment(item["object_id"], i) for i, item in enumerate(media)], expect=201)
    assert metrics_of(client).get("reelhouse_removed_bytes_total") == 0
    client.delete(f"/flows/{flow['id']}/segments", params={"timerange": "[0:0_2:0)"})
    metrics = metrics_of(client)
    assert metrics.get("reelhouse_removed_segments_total") == 2
    assert metrics.get("reelhouse_removed_objects_total") == 2
    assert metrics.get("reelhouse_removed_files_total") == 2
    assert metrics.get("reelhouse_removed_bytes_total") == 2000
    for kind in ("requests", "objects", "files"):
        assert metrics.get("reelhouse_removal_waiting", kind=kind) == 0


def test_how_far_webhooks_are_behind(serve):
    release = []
    receiver = Receiver(lambda body: 200 if release else 500)
    client = Client(serve("--set", "webhooks.allowed_networks=127.0.0.0/8", "--set", "webhooks.retry_ms_max=100").url)
    client.post("/service/webhooks", {"url": receiver.url, "events": ["flows/created"]}, expect=201)
    client.put_flow()
    late = None
    while late is None or late["lag_s"] == 0:
        late = client.get("/health").json()["events"]
    assert late["lag_changes"] >= 2  # a source, and its flow
    behind = metrics_of(client)
    status = next(status for status in ("created", "started")
                  if behind.get("reelhouse_webhook_lag_changes", status=status))
    assert behind.get("reelhouse_webhook_lag_seconds", status=status) >= late["lag_s"]
    release.append(True)
    receiver.wait_for(1)
    while late["lag_changes"]:
        late = client.get("/health").json()["events"]
    assert late == {"lag_changes": 0, "lag_s": 0}
    assert metrics_of(client).get("reelhouse_webhook_duration_seconds_count") == receiver.attempts
    receiver.stop()

"""Traces: what a collector gets (OTLP/HTTP with JSON), and that requests never wait for one."""
import socket
import threading
import time

import pytest
import requests
from collector import Collector, check_tree
from raw_http import Connection
from receiver import Receiver
from reelhouse_server import sanitized
from tams_client import Client, new_id, segment

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SPAN_MEMBERS = {"http.request.method", "http.route", "http.response.status_code", "url.path", "url.scheme",
                "server.address", "server.port", "client.address", "reelhouse.request_id"}


@pytest.fixture
def collectors():
    made = []

    def make(behave=None, port: int = 0) -> Collector:
        made.append(Collector(behave, port))
        return made[-1]

    yield make
    for collector in made:
        collector.stop()
        assert not collector.wrong, collector.wrong


@pytest.fixture
def traced(serve):
    """A server that sends to the collector."""
    def start(collector: Collector, *flags: str):
        return serve("--set", f"tracing.endpoint={collector.url}", *flags)

    return start


def metric(server, name: str) -> float:
    for line in requests.get(f"{server.url}/metrics", timeout=30).text.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return 0


def wait_until(condition, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def traceparent(trace: str = TRACE, sampled: bool = True) -> dict:
    return {"traceparent": f"00-{trace}-{PARENT}-{'01' if sampled else '00'}"}


def test_a_request_is_a_span_with_what_it_waited_for_below(collectors, traced):
    collector = collectors()
    server = traced(collector)
    client = Client(server.url)
    flow = client.put_flow()
    client.get(f"/flows/{new_id()}?q=1", expect=404)
    spans = collector.wait(lambda spans: sum(span.name == "GET /flows/{flowId}" for span in spans) == 1)
    put = collector.wait_for("PUT /flows/{flowId}")
    assert put.kind == "server" and not put.failed and not put.parent
    assert set(put.attributes) == SPAN_MEMBERS
    host, port = server.address
    assert put.attributes["http.request.method"] == "PUT" and put.attributes["http.response.status_code"] == 201
    assert put.attributes["http.route"] == "/flows/{flowId}" and put.attributes["url.path"] == f"/flows/{flow['id']}"
    assert (put.attributes["server.address"], put.attributes["server.port"]) == (host, port)
    assert put.attributes["client.address"] == "127.0.0.1" and put.attributes["url.scheme"] == "http"
    assert put.resource["service.name"] == "reelhouse" and put.resource["service.version"]
    assert put.resource["service.instance.id"]
    commits = [span for span in spans if span.parent == put.id]
    assert [span.name for span in commits] == ["store commit"]
    assert commits[0].kind == "internal" and commits[0].attributes["reelhouse.store.mutations"] > 1
    missing = collector.wait_for("GET /flows/{flowId}")
    assert missing.attributes["http.response.status_code"] == 404 and not missing.failed
    check_tree(collector.spans)


def test_media_on_its_way(collectors, traced):
    collector = collectors()
    client = Client(traced(collector).url)
    flow = client.put_flow()
    [media_object] = client.allocate(flow["id"])
    content = bytes(300_000)
    client.upload(media_object, content)
    client.post(f"/flows/{flow['id']}/segments", segment(media_object["object_id"], 0), expect=201)
    url = client.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"][0]["url"]
    assert client.get(url).content == content
    up = collector.wait_for("PUT /media/{storageId}/{objectId}")
    down = collector.wait_for("GET /media/{storageId}/{objectId}")
    parts = {(span.parent, span.name): span for span in collector.spans}
    assert parts[up.id, "receive body"].attributes == {"http.request.body.size": len(content)}
    assert parts[up.id, "media sync"].attributes == {"reelhouse.media.bytes": len(content)}
    assert parts[down.id, "send body"].attributes == {"http.response.body.size": len(content)}
    check_tree(collector.spans)


def test_names_are_of_low_cardinality(collectors, traced):
    collector = collectors()
    server = traced(collector)
    for path in ("/nowhere", "/no/where", f"/flows/{new_id()}/what"):
        requests.get(server.url + path, timeout=30)
    requests.get(f"{server.url}/v6.0/flows", timeout=30)
    spans = collector.wait(lambda spans: len(spans) >= 4)
    assert {span.name for span in spans} == {"GET", "GET /flows"}
    assert all(("http.route" in span.attributes) == (span.name != "GET") for span in spans)


def test_a_callers_trace_goes_on(collectors, traced):
    collector = collectors()
    server = traced(collector, "--set", "tracing.sample_ratio=0")
    other = "f" * 32
    requests.get(f"{server.url}/service", timeout=30)  # nobody asked for a trace
    requests.get(f"{server.url}/service", headers=traceparent(other, sampled=False), timeout=30)
    requests.get(f"{server.url}/service", headers={"traceparent": f"00-{TRACE.upper()}-{PARENT}-01"}, timeout=30)
    answer = requests.get(f"{server.url}/service", headers=traceparent(), timeout=30)
    [span] = collector.wait(lambda spans: spans)
    assert (span.trace, span.parent) == (TRACE, PARENT)
    assert answer.headers["traceparent"] == f"00-{TRACE}-{span.id}-01"
    server.stop()
    assert len(collector.spans) == 1


def test_a_caller_may_also_decide_against(collectors, traced):
    collector = collectors()
    server = traced(collector)
    answer = requests.get(f"{server.url}/flows", headers=traceparent(sampled=False), timeout=30)
    assert answer.headers["traceparent"].endswith("-00")
    requests.get(f"{server.url}/service", timeout=30)
    server.stop()
    assert [span.name for span in collector.spans] == ["GET /service"]


def test_failures_are_marked(collectors, traced):
    collector = collectors()
    server = traced(collector, "--set", "limits.in_flight_max=1")
    with Connection(server.address) as slow:
        slow.send(b"PUT /flows/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        wait_until(lambda: requests.get(f"{server.url}/service", timeout=30).status_code == 503)
    failed = collector.wait_for("GET", http__response__status_code=503)
    assert failed.failed and failed.attributes["error.type"] == "overloaded"


def test_webhooks_are_client_spans_whose_trace_the_receiver_learns(collectors, traced):
    collector = collectors()
    answers = iter([200])
    receiver = Receiver(lambda body: next(answers, 500))
    server = traced(collector, "--set", "webhooks.allowed_networks=127.0.0.0/8")
    client = Client(server.url)
    client.post("/service/webhooks", {"url": f"{receiver.url}/secret-place?token=secret-token",
                                      "events": ["flows/created"], "api_key_name": "X-Key",
                                      "api_key_value": "secret-key"}, expect=201)
    client.put_flow()
    receiver.wait_for(1)
    sent = collector.wait_for("POST")
    assert sent.kind == "client" and not sent.failed and not sent.parent
    assert receiver.headers[0]["traceparent"] == f"00-{sent.trace}-{sent.id}-01"
    assert sent.attributes["http.response.status_code"] == 200
    assert sent.attributes["url.full"] == f"http://127.0.0.1:{receiver.port}/"
    assert (sent.attributes["server.address"], sent.attributes["server.port"]) == ("127.0.0.1", receiver.port)
    client.put_flow()
    failed = collector.wait_for("POST", error__type="500")
    assert failed.failed and failed.attributes["http.response.status_code"] == 500
    receiver.stop()
    assert "secret" not in "".join(collector.messages)


def test_no_secret_is_in_a_span(collectors, serve, tmp_path):
    collector = collectors()
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer collectors-secret\n\nX-Tenant: studio\n")
    server = serve("--set", f"tracing.endpoint={collector.url}", "--set", f"tracing.headers_file={headers}")
    client = Client(server.url)
    flow = client.put_flow()
    [media_object] = client.allocate(flow["id"])
    client.upload(media_object, b"x")
    client.post(f"/flows/{flow['id']}/segments", segment(media_object["object_id"], 0), expect=201)
    url = client.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"][0]["url"]
    signature = url.partition("signature=")[2].partition("&")[0]
    assert signature
    client.get(url)
    client.get("/flows?access_token=the-token", headers={"Authorization": "Bearer the-bearer", "X-Api-Key": "the-key",
                                                         "Cookie": "the-cookie"})
    collector.wait_for("GET /flows")
    server.stop()
    assert collector.headers[0]["Authorization"] == "Bearer collectors-secret"
    assert collector.headers[0]["X-Tenant"] == "studio"
    told = "".join(collector.messages)
    for secret in (signature, "the-token", "the-bearer", "the-key", "the-cookie"):
        assert secret not in told
    assert "collectors-secret" not in server.log()


@pytest.mark.parametrize("content, said", [("no colon\n", "headers:1: must be like"), (None, "cannot be read")])
def test_a_headers_file_that_cannot_be_used(serve, tmp_path, content, said):
    file = tmp_path / "headers"
    if content is not None:
        file.write_text(content)
    with pytest.raises(AssertionError, match=said):
        serve("--set", "tracing.endpoint=http://127.0.0.1:1", "--set", f"tracing.headers_file={file}")


def test_what_the_collector_cannot_take_now_is_sent_again(collectors, traced):
    answers = {1: (503, {}, ""), 2: (429, {"Retry-After": "1"}, ""), 3: (502, {}, "")}
    collector = collectors(answers.get)
    server = traced(collector)
    requests.get(f"{server.url}/service", timeout=30)
    collector.wait(lambda spans: spans)
    assert collector.attempts == 4 and collector.refused == collector.messages * 3
    wait_until(lambda: metric(server, "reelhouse_trace_spans_exported_total") >= 1)


def test_what_the_collector_refuses_is_not_sent_again(collectors, traced):
    collector = collectors({1: (400, {}, "")}.get)
    server = traced(collector)
    requests.get(f"{server.url}/service", timeout=30)
    wait_until(lambda: collector.refused)
    requests.get(f"{server.url}/flows", timeout=30)
    collector.wait_for("GET /flows")
    assert metric(server, 'reelhouse_trace_spans_dropped_total{reason="refused"}') == 1
    assert "GET /service" not in {span.name for span in collector.spans}


def test_spans_that_the_collector_refuses_are_counted(collectors, traced):
    collector = collectors({1: (200, {}, '{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "x"}}')}.get)
    server = traced(collector)
    requests.get(f"{server.url}/service", timeout=30)
    wait_until(lambda: metric(server, 'reelhouse_trace_spans_dropped_total{reason="refused"}') == 1)


def pipeline(server, count: int) -> None:
    """Many requests on one connection, all answered."""
    with Connection(server.address) as connection:
        for _ in range(count // 100):
            connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
            for _ in range(100):
                assert connection.answer().status == 200


def test_a_collector_that_is_down_costs_spans_and_nothing_else(collectors, serve):
    port = free_port()
    server = serve("--set", f"tracing.endpoint=http://127.0.0.1:{port}")
    assert requests.get(f"{server.url}/service", timeout=30).status_code == 200
    wait_until(lambda: health(server)["dependencies"]["tracing"]["status"] == "unwell")
    told = health(server)
    assert told["status"] == "ok" and told["dependencies"]["tracing"]["needed"] is False
    assert requests.get(f"{server.url}/readyz", timeout=30).status_code == 200
    pipeline(server, 5000)
    dropped = 'reelhouse_trace_spans_dropped_total{reason="queue_full"}'
    assert metric(server, dropped) > 0
    before = server.memory_bytes()
    pipeline(server, 5000)
    assert metric(server, dropped) > 5000
    assert sanitized() or server.memory_bytes() < before + 4 * 2**20
    assert server.log().count("spans are not taken") == 1
    collector = collectors(port=port)
    collector.wait(lambda spans: len(spans) > 3000)
    wait_until(lambda: health(server)["dependencies"]["tracing"]["status"] == "ok")
    server.wait_for_log("spans are taken again")
    check_tree(collector.spans)


def health(server) -> dict:
    return requests.get(f"{server.url}/health", timeout=30).json()


def test_a_collector_that_hangs_holds_up_no_request(collectors, traced):
    release = threading.Event()
    collector = collectors(lambda attempt: release.wait(60) and None)
    server = traced(collector)
    requests.get(f"{server.url}/service", timeout=30)
    wait_until(lambda: collector.attempts == 1)
    pipeline(server, 1000)
    assert not collector.spans, "it still has the first message"
    release.set()
    collector.wait(lambda spans: len(spans) == 1001)


def test_stopping_sends_what_waits(collectors, traced):
    collector = collectors()
    server = traced(collector)
    pipeline(server, 1200)
    server.stop()
    assert len(collector.spans) == 1200
    assert max(message.count('"spanId"') for message in collector.messages) <= 512


def test_stopping_does_not_wait_for_a_collector_that_hangs(collectors, traced):
    release = threading.Event()
    collector = collectors(lambda attempt: release.wait(60) and None)
    server = traced(collector)
    requests.get(f"{server.url}/service", timeout=30)
    wait_until(lambda: collector.attempts == 1)
    server.stop()
    release.set()


def test_without_a_collector_nothing_is_traced(server):
    answer = requests.get(f"{server.url}/service", headers=traceparent(), timeout=30)
    assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert "reelhouse_trace_" not in requests.get(f"{server.url}/metrics", timeout=30).text
    assert "tracing" not in health(server)["dependencies"]

"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP as JSON and refuses what breaks the rules."""
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEX = {16: re.compile(r"[0-9a-f]{16}"), 32: re.compile(r"[0-9a-f]{32}")}
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)")
KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
# A clock that is off shows as a time before this program was written.
EARLIEST_NS = 1_700_000_000 * 10**9


def only(value: dict, *names: str) -> dict:
    assert isinstance(value, dict), value
    assert set(value) <= set(names), f"{set(value) - set(names)} are no members here"
    return value


def identifier(text: str, digits: int) -> str:
    assert isinstance(text, str) and HEX[digits].fullmatch(text), f"{text!r} is not {digits} hex digits"
    assert set(text) != {"0"}, "an identifier of zeros stands for none"
    return text


def number(text: str, bits: int = 64) -> int:
    """64-bit numbers travel as decimal texts."""
    assert isinstance(text, str) and DECIMAL.fullmatch(text), f"{text!r} is no decimal text"
    assert -2**(bits - 1) <= int(text) < 2**bits
    return int(text)


def value_of(wrapped: dict):
    [(kind, value)] = wrapped.items()
    if kind == "stringValue":
        assert isinstance(value, str)
    elif kind == "intValue":
        return number(value)
    elif kind == "boolValue":
        assert isinstance(value, bool)
    elif kind == "doubleValue":
        assert isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        raise AssertionError(f"{kind} is no kind of value that we send")
    return value


def attributes_of(items: list) -> dict:
    found = {}
    for item in items:
        only(item, "key", "value")
        assert isinstance(item["key"], str) and item["key"] and item["key"] not in found
        found[item["key"]] = value_of(item["value"])
    return found


@dataclass
class Span:
    trace: str
    id: str
    parent: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: dict
    failed: bool
    resource: dict = field(repr=False)


def span_of(item: dict, resource: dict) -> Span:
    only(item, "traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
         "attributes", "status")
    assert isinstance(item["name"], str) and item["name"]
    assert type(item["kind"]) is int and item["kind"] in KINDS
    status = only(item.get("status", {}), "code", "message")
    assert status.get("code", 0) in (0, 1, 2)
    span = Span(identifier(item["traceId"], 32), identifier(item["spanId"], 16),
                identifier(item["parentSpanId"], 16) if "parentSpanId" in item else "",
                item["name"], KINDS[item["kind"]], number(item["startTimeUnixNano"]),
                number(item["endTimeUnixNano"]), attributes_of(item["attributes"]), status.get("code") == 2, resource)
    assert span.parent != span.id
    assert EARLIEST_NS < span.start_ns <= span.end_ns
    return span


def spans_of(document: dict) -> list[Span]:
    found = []
    for of_resource in only(document, "resourceSpans")["resourceSpans"]:
        only(of_resource, "resource", "scopeSpans", "schemaUrl")
        resource = attributes_of(only(of_resource["resource"], "attributes")["attributes"])
        assert resource["service.name"]
        for of_scope in of_resource["scopeSpans"]:
            only(of_scope, "scope", "spans", "schemaUrl")
            assert of_scope["scope"]["name"]
            found += [span_of(item, resource) for item in of_scope["spans"]]
    assert found, "a message without a span is of no use"
    return found


class Collector:
    """`behave(attempt) -> (status, headers, body)` decides about a message; it may block. None: taken."""

    def __init__(self, behave=None, port: int = 0):
        self.behave = behave or (lambda attempt: None)
        self.spans: list[Span] = []
        self.messages: list[str] = []  # taken
        self.refused: list[str] = []
        self.wrong: list[str] = []
        self.headers: list[dict] = []
        self.attempts = 0
        self.changed = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with collector.changed:
                    collector.attempts += 1
                    attempt = collector.attempts
                    collector.changed.notify_all()
                status, headers, body = collector.behave(attempt) or (200, {}, "{}")
                collector.take(self.path, dict(self.headers), text, 200 <= status < 300)
                self.send_response(status)
                for name, value in (headers | {"Content-Type": "application/json"}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *arguments):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                pass  # a message that was broken off

        self.server = Quiet(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, path: str, headers: dict, text: str, taken: bool) -> None:
        with self.changed:
            try:
                assert path == "/v1/traces", path
                assert headers["Content-Type"] == "application/json"
                spans = spans_of(json.loads(text))
            except Exception as error:  # whatever it was, the test must hear of it
                self.wrong.append(f"{error!r} in {text[:2000]}")
                spans = []
            if taken:
                self.spans += spans
                self.messages.append(text)
                self.headers.append(headers)
            else:
                self.refused.append(text)
            self.changed.notify_all()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, condition, seconds: float = 60) -> list[Span]:
        """All spans, once condition(spans) holds."""
        with self.changed:
            there = self.changed.wait_for(lambda: self.wrong or condition(self.spans), seconds)
            assert not self.wrong, self.wrong
            assert there, f"{len(self.spans)} spans in {self.attempts} messages: {self.spans[-5:]}"
            return list(self.spans)

    def wait_for(self, name: str, **attributes) -> Span:
        """The first span of that name with these attributes, dots written as underscores."""
        wanted = {key.replace("__", "."): value for key, value in attributes.items()}

        def matching(spans):
            return [span for span in spans if span.name == name and wanted.items() <= span.attributes.items()]

        return matching(self.wait(matching))[0]


def check_tree(spans: list[Span], remote: frozenset[str] = frozenset()) -> None:
    """Every parent is there, or far away, and began before its children."""
    by_id = {span.id: span for span in spans}
    assert len(by_id) == len(spans), "a span came twice"
    for span in spans:
        if not span.parent or span.parent in remote:
            continue
        parent = by_id[span.parent]
        assert parent.trace == span.trace
        assert parent.start_ns <= span.start_ns + 1_000_000, "clocks of two threads may differ by a little"

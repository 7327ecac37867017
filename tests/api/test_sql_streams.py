"""POST /sql while the statement runs: answers of any size, what fails on the way, clients that leave, the drain."""
import json
import re
import socket
import time

import pytest
import requests
from raw_http import Connection
from reelhouse_server import sanitized
from tams_client import Client

SECONDS_MAX = 30
ENDLESS = "SELECT sum(a) FROM range(10000000000000) r(a)"
# Rows at once, and an end that never comes.
ROWS_THEN_ENDLESS = "SELECT a FROM range(10000000000000) r(a) WHERE a < 100000"


def await_that(condition) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def running(client: Client) -> int:
    """Requests whose statements run."""
    return int(re.search(r"^reelhouse_sql_running (\d+)$", client.get("/metrics").text, re.MULTILINE)[1])


def ask(url: str, sql: str, accept: str = "application/json") -> requests.Response:
    return requests.post(f"{url}/sql", json={"sql": sql}, headers={"Accept": accept}, stream=True, timeout=SECONDS_MAX)


def begin(server, sql: str) -> Connection:
    connection = Connection(server.address)
    body = json.dumps({"sql": sql}).encode()
    connection.send(b"POST /sql HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                    b"Accept: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return connection


def refuses_connections(server) -> bool:
    try:
        socket.create_connection(server.address, timeout=SECONDS_MAX).close()
        return False
    except ConnectionRefusedError:
        return True


@pytest.fixture(scope="module")
def server(serve_in, tmp_path_factory):
    return serve_in(tmp_path_factory.mktemp("streams"), "--set", "sql.rows_max=150000", "--set", "sql.seconds_max=3600",
                    "--set", "sql.memory_mb=64")


def test_a_small_answer_has_a_length(server):
    answer = ask(server.url, "FROM range(3)")
    assert "Content-Length" in answer.headers and answer.json()["rows"] == [[0], [1], [2]]


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv"])
def test_a_large_answer_comes_in_pieces_and_is_never_whole_in_memory(server, accept):
    ask(server.url, "SELECT 1").close()
    before = server.memory_bytes()
    answer = ask(server.url, "SELECT a, repeat('x', 1000) AS text FROM range(150000) r(a)", accept)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    size, largest = 0, 0
    for piece in answer.iter_content(1 << 20):
        size += len(piece)
        largest = max(largest, server.memory_bytes())
    assert size > 150_000_000
    assert sanitized() or largest - before < 100_000_000


def test_rows_come_before_the_statement_ends(server):
    client = Client(server.url)
    answer = ask(server.url, ROWS_THEN_ENDLESS, "application/x-ndjson")
    lines = answer.iter_lines()
    assert [json.loads(next(lines)) for _ in range(5)] == [{"a": a} for a in range(5)]
    assert running(client) == 1
    answer.close()
    await_that(lambda: running(client) == 0)


def too_many(url: str, accept: str) -> requests.Response:
    answer = ask(url, "SELECT a FROM range(200000) r(a)", accept)
    assert answer.status_code == 200
    return answer


def test_an_error_on_the_way_is_a_member_of_the_document(server):
    document = too_many(server.url, "application/json").json()
    assert document["error"]["type"] == "too_large" and "150000 rows" in document["error"]["message"]
    assert len(document["rows"]) == 150_000 and "row_count" not in document
    for _ in range(20):  # DuckDB's threads hear of the interrupt and of its reason in any order
        late = ask(server.url, "SELECT CASE WHEN a < 99999 THEN repeat('x', 1000) ELSE error('too late') END FROM range(100000) r(a)").json()
        assert "too late" in late["error"]["message"] and late["error"]["type"] == "invalid" and late["rows"]


def test_an_error_on_the_way_is_the_last_line(server):
    lines = too_many(server.url, "application/x-ndjson").text.splitlines()
    assert json.loads(lines[-1])["error"]["type"] == "too_large" and len(lines) == 150_001


def test_csv_that_fails_on_its_way_is_cut(server):
    answer = too_many(server.url, "text/csv")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _ = answer.content


def test_errors_that_come_first_have_a_status(server):
    for accept in ("application/json", "application/x-ndjson", "text/csv"):
        assert ask(server.url, "SELECT error('at once')", accept).status_code == 400
        assert ask(server.url, "SELECT error('at once') FROM range(100000)", accept).status_code == 400


def test_what_returns_rows_of_a_change_has_committed(server):
    client = Client(server.url)
    client.post("/sql", {"sql": "CREATE TABLE many (k BIGINT PRIMARY KEY, text VARCHAR)"})
    answer = ask(server.url, "INSERT INTO many SELECT a, repeat('x', 100) FROM range(20000) r(a) RETURNING *")
    next(answer.iter_content(1000))
    assert client.post("/sql", {"sql": "SELECT count(*) FROM many"}, expect=200).json()["rows"] == [[20_000]]


def test_a_deadline_on_the_way_is_an_error(serve):
    server = serve("--set", "sql.seconds_max=1")
    lines = ask(server.url, ROWS_THEN_ENDLESS, "application/x-ndjson").text.splitlines()
    assert json.loads(lines[0]) == {"a": 0} and json.loads(lines[-1])["error"]["type"] == "timeout"


@pytest.mark.parametrize("sql", [ENDLESS, "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range = b.range + 1000000"])
def test_a_client_that_leaves_ends_its_statement(server, sql):
    client = Client(server.url)
    connection = begin(server, sql)
    await_that(lambda: running(client) == 1)
    connection.socket.close()
    await_that(lambda: running(client) == 0)


def test_a_client_that_leaves_before_its_turn_ends_its_statement(serve):
    server = serve("--set", "http.worker_threads=1", "--set", "sql.seconds_max=3600")
    first, second = begin(server, ENDLESS), begin(server, ENDLESS)
    second.socket.close()
    first.socket.close()
    client = Client(server.url)
    await_that(lambda: running(client) == 0)
    assert client.post("/sql", {"sql": "SELECT 1"}, expect=200).json()["rows"] == [[1]]


def test_the_next_request_of_a_connection_waits_for_the_stream(server):
    with begin(server, "FROM range(100000)") as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        connection.is_closed()
        assert b'{"range":99999}\n' in connection.received
        stream, _, rest = connection.received.partition(b"\r\n0\r\n\r\n")
        assert rest.startswith(b"HTTP/1.1 200 ") and stream.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("sql", [ENDLESS, ROWS_THEN_ENDLESS])
def test_the_end_of_the_drain_ends_statements(serve, sql):
    server = serve("--set", "limits.drain_ms_max=300", "--set", "sql.seconds_max=86400")
    client = Client(server.url)
    connection = begin(server, sql)
    await_that(lambda: running(client) == 1)
    server.stop()  # within a minute, where the statement has a day
    connection.is_closed()
    assert b"\r\n0\r\n\r\n" not in connection.received


def test_the_drain_waits_for_an_answer(serve):
    server = serve("--set", "limits.drain_ms_max=60000")
    # More than the sockets' buffers take: the rest is read after SIGTERM.
    answer = ask(server.url, "SELECT a, repeat('x', 1000) AS text FROM range(50000) r(a)")
    pieces = answer.iter_content(1000)
    begun = next(pieces)
    server.process.terminate()
    await_that(lambda: refuses_connections(server))
    assert json.loads(begun + b"".join(pieces))["row_count"] == 50_000
    assert server.process.wait(60) == 0

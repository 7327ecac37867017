"""Bad input gets the right 4xx with the one error body, and never harms the server."""
import json

import pytest
from raw_http import Connection
from tams_client import PROBLEM_MEMBERS, new_id, pointer, video_flow

BROKEN_JSON = [b"", b"{", b"[1,]", b'{"a":1,}', b"nul", b"\xff\xfe", b'"\xc3"', b'{"a":1 "b":2}', b"{'a':1}", b"01",
               b"1 2", b'{"id":"x","id":"y"}', b'"\\ud800"', b"\x00", b"NaN", b"[" * 100_000, b'{"a":' * 5000]


@pytest.fixture
def connection(server):
    with Connection(server.address) as connection:
        yield connection


def check(answer, status):
    assert answer is not None, "the server closed without an answer"
    assert answer.status in ((status,) if isinstance(status, int) else status), answer
    body = json.loads(answer.body)
    assert set(body) - {"pointer"} == PROBLEM_MEMBERS - {"pointer"}
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


@pytest.mark.parametrize("body", BROKEN_JSON)
def test_broken_json(client, body):
    for method, path in (("PUT", f"/flows/{new_id()}"), ("POST", "/service"), ("POST", f"/flows/{new_id()}/segments")):
        client.request(method, path, expect=400, data=body, headers={"Content-Type": "application/json"})


def test_a_name_given_twice_is_pointed_at(client):
    body = b'{"tags":{"a/b":"x","a/b":"y"}}'
    response = client.request("PUT", f"/flows/{new_id()}", 400, data=body, headers={"Content-Type": "application/json"})
    assert pointer(response) == "/tags/a~1b"


@pytest.mark.parametrize("type_, status", [
    ("application/json", 201), ("application/json; charset=utf-8", 201), ("APPLICATION/JSON", 201), (None, 201),
    ("application/vnd.x+json", 201), ("text/plain", 415), ("application/x-www-form-urlencoded", 415),
    ("multipart/form-data; boundary=x", 415), ("json", 415), ("application/xml", 415),
])
def test_content_types(client, type_, status):
    flow = video_flow()
    headers = {} if type_ is None else {"Content-Type": type_}
    client.request("PUT", f"/flows/{flow['id']}", status, data=json.dumps(flow), headers=headers)


def test_large_bodies(client):
    flow = video_flow(description="x" * 1_000_000)
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    flow = video_flow(description="x" * (1 << 20))
    response = client.put(f"/flows/{flow['id']}", flow, expect=413)
    assert response.json()["type"] == "too_large"
    client.get(f"/flows/{flow['id']}", expect=404)


def test_large_bodies_are_refused_before_they_are_sent(connection):
    connection.send(f"PUT /flows/{new_id()} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    "Content-Length: 99999999999\r\n\r\n".encode())
    check(connection.answer(), 413)


def test_large_chunked_bodies(connection):
    connection.send(f"PUT /flows/{new_id()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    try:
        for _ in range(64):
            connection.send(piece)
    except OSError:
        pass  # it has answered and closed already
    check(connection.answer(), 413)


def test_methods(client):
    response = client.request("PATCH", "/flows", expect=405)
    assert {"GET", "HEAD"} <= {name.strip() for name in response.headers["Allow"].split(",")}
    client.request("TRACE", "/flows", expect=405)
    unknown = client.request("QUERY", "/flows", expect=405)
    assert unknown.headers["Allow"] == response.headers["Allow"] and unknown.json()["type"] == "method_not_allowed"
    client.request("QUERY", "/no/such/path", expect=404)
    client.request("POST", "/service/storage-backends", expect=405)
    client.request("DELETE", "/", expect=405)


@pytest.mark.parametrize("request_, status", [
    ("GET flows HTTP/1.1\r\nHost: x", 400),
    ("GET /flows HTTP/2.0\r\nHost: x", (400, 505)),
    ("GET /flows\r\nHost: x", 400),
    ("GET /flows HTTP/1.1", 400),
    ("GET /flows HTTP/1.1\r\nHost: x\r\nHost: y", 400),
    ("GET /flows HTTP/1.1\r\nHost: a b", 400),
    ("GET /flows HTTP/1.1\r\nHost: x\r\n folded: y", 400),
    ("GET /flows HTTP/1.1\r\nHost : x", 400),
    ("GET /flows HTTP/1.1\r\nHost: x\r\nBad Name: y", 400),
    ("GET /flows HTTP/1.1\r\nHost: x\r\nA: \x01", 400),
    ("GET /fl\x01ows HTTP/1.1\r\nHost: x", 400),
    ("GET /objects/%zz HTTP/1.1\r\nHost: x", 400),
    ("GET /objects/%ff HTTP/1.1\r\nHost: x", 400),
    ("GET /objects/% HTTP/1.1\r\nHost: x", 400),
    ("GET /flows?label=%zz HTTP/1.1\r\nHost: x", 400),
    ("GET /flows?label=%ff HTTP/1.1\r\nHost: x", 400),
    ("GET /flows?%zz=1 HTTP/1.1\r\nHost: x", 400),
    ("PUT /flows/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6", 400),
    ("PUT /flows/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5", 400),
    ("PUT /flows/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1", 400),
    ("PUT /flows/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400),
    ("PUT /flows/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked", (400, 501)),
    ("PUT /flows/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked", (400, 501)),
])
def test_malformed_heads(connection, request_, status):
    connection.send(request_.encode("latin-1") + b"\r\n\r\n")
    check(connection.answer(), status)


@pytest.mark.parametrize("head, status", [
    ("GET /flows?label=" + "x" * 9000 + " HTTP/1.1\r\nHost: x", 414),
    ("GET /flows HTTP/1.1\r\nHost: x\r\nBig: " + "x" * 20000, 431),
    ("GET /flows HTTP/1.1\r\nHost: x" + "".join(f"\r\nH{i}: x" for i in range(200)), 431),
])
def test_limits_of_heads(connection, head, status):
    connection.send(head.encode() + b"\r\n\r\n")
    check(connection.answer(), status)


@pytest.mark.parametrize("chunks", [b"x\r\n", b"5\r\nabc", b"-1\r\n", b"fffffffffffffffff\r\n", b"5;" + b"x" * 70000,
                                    b"3\r\nabcXX0\r\n\r\n"])
def test_malformed_chunks(server, chunks):
    with Connection(server.address) as connection:
        connection.send(f"PUT /flows/{new_id()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        connection.send(chunks)
        connection.socket.shutdown(1)
        answer = connection.answer()
        assert answer is None or check(answer, (400, 408, 413, 431))


def test_many_query_parameters(client):
    client.get("/flows?" + "&".join(f"tag.p{i}=x" for i in range(200)))
    client.get("/flows?" + "&".join(f"tag.p{i}=x" for i in range(201)), expect=400)


def test_parameters_given_twice(client):
    assert pointer(client.get("/flows?limit=1&limit=2", expect=400)) == "?limit"
    client.get("/flows?unknown=1&unknown=2")


def test_request_ids_are_echoed(client):
    assert client.get("/", headers={"X-Request-Id": "abc-123"}).headers["X-Request-Id"] == "abc-123"
    for odd in ("with space", "x" * 200, '"quoted"'):
        assert client.get("/", headers={"X-Request-Id": odd}).headers["X-Request-Id"] != odd
    response = client.get("/flows?limit=x", headers={"X-Request-Id": "mine"}, expect=400)
    assert response.json()["request_id"] == "mine"


def test_traces_are_continued(client):
    trace = "0af7651916cd43dd8448eb211c80319c"
    parent = client.get("/", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}).headers["traceparent"]
    assert parent.split("-")[1] == trace and parent.split("-")[2] != "b7ad6b7169203331"


def test_cors(client):
    response = client.get("/flows?limit=1", headers={"Origin": "https://ui.example"})
    assert response.headers["Access-Control-Allow-Origin"] in ("*", "https://ui.example")
    exposed = response.headers["Access-Control-Expose-Headers"].lower()
    for name in ("link", "x-paging-nextkey", "x-paging-limit", "location"):
        assert name in exposed
    preflight = client.session.options(client.url + f"/flows/{new_id()}", headers={
        "Origin": "https://ui.example", "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type"}, timeout=30)
    assert preflight.status_code in (200, 204)
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()


def test_errors_are_readable_across_origins(client):
    response = client.get("/flows?limit=x", headers={"Origin": "https://ui.example"}, expect=400)
    assert "Access-Control-Allow-Origin" in response.headers


def test_large_listings_are_compressed(client):
    for _ in range(30):
        client.put_flow(description="the same words again " * 20)
    plain = client.get("/flows", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    packed = client.get("/flows", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and "accept-encoding" in packed.headers["Vary"].lower()
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 4


def test_etags_of_documents(client):
    flow = client.put_flow()
    path = f"/flows/{flow['id']}"
    etag = client.get(path).headers["ETag"]
    client.get(path, headers={"If-None-Match": etag}, expect=304)
    client.put(path + "/label", "x", expect=204)
    assert client.get(path, headers={"If-None-Match": etag}, expect=200).headers["ETag"] != etag


def test_pipelining(connection):
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50 + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
    answers = [connection.answer() for _ in range(51)]
    assert [answer.status for answer in answers] == [200] * 50 + [404]
    assert len({answer.body for answer in answers[:50]}) == 1


def test_nothing_of_this_was_logged_as_a_failure(server):
    """Bad input is the client's fault: no line of level error, and the server still runs."""
    assert server.is_running()
    assert " ERROR " not in server.log()

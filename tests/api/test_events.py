"""GET /events: the change log as Server-Sent Events."""
import socket

import pytest
from event_client import EventClient
from reelhouse_server import sanitized
from tams_client import Client, audio_flow, multi_flow, new_id, pointer


def test_events_as_they_happen(client):
    with EventClient(client.url) as events:
        flow = client.put_flow(label="x")
        client.add_segments(flow["id"], 1)
        told = events.take(3)
        assert [type_ for _, type_, _ in told] == ["sources/created", "flows/created", "flows/segments_added"]
        assert [id_ for id_, _, _ in told] == sorted(id_ for id_, _, _ in told)
        assert told[1][2]["event"]["flow"].items() <= client.get(f"/flows/{flow['id']}").json().items()
        assert told[2][2]["event"]["segments"][0]["get_urls"]
        assert all(document["event_type"] == type_ for _, type_, document in told)


def test_resuming_leaves_no_gap(client):
    with EventClient(client.url) as events:
        start = events.last_id
        flows = [client.put_flow()["id"] for _ in range(10)]
        first = events.take(7)
    with EventClient(client.url, last_id=first[-1][0]) as events:
        rest = events.take(13)
    with EventClient(client.url, last_event_id=start) as events:
        assert events.take(20) == first + rest
    created = [document["event"]["flow"]["id"] for _, type_, document in first + rest if type_ == "flows/created"]
    assert created == flows


def test_the_header_goes_before_the_parameter(client):
    with EventClient(client.url) as events:
        start = events.last_id
        client.put_flow()
        told = events.take(2)
    with EventClient(client.url, last_id=told[0][0], last_event_id=start) as events:
        assert events.next() == told[1]


def test_filters(client):
    video, audio = client.put_flow(), client.put_flow(audio_flow())
    multi = client.put_flow(multi_flow(flow_collection=[{"id": video["id"], "role": "v"}]))
    client.put(f"/flows/{video['id']}/label", "in")
    client.put(f"/flows/{audio['id']}/label", "out")
    end = client.put_flow()

    def labels(**query) -> list:
        with EventClient(client.url, last_event_id=0, types="flows/updated,flows/created", **query) as events:
            found = []
            while True:
                _, type_, document = events.next()
                flow = document["event"]["flow"]
                if type_ == "flows/created" and flow["id"] == end["id"]:
                    return found
                if type_ == "flows/updated" and flow["id"] in (video["id"], audio["id"]) and flow.get("label"):
                    found.append(flow["label"])

    ids = lambda *flows: ",".join(flow["id"] for flow in flows)
    sources = lambda *flows: ",".join(flow["source_id"] for flow in flows)
    assert labels() == ["in", "out"]
    assert labels(flow_ids=ids(video, end)) == ["in"]
    assert labels(source_ids=sources(audio, end)) == ["out"]
    assert labels(flow_collected_by_ids="") == ["out"]
    with EventClient(client.url, last_event_id=0, types="flows/updated",
                     flow_collected_by_ids=multi["id"], accept_get_urls="") as events:
        while events.next()[2]["event"]["flow"].get("label") != "in":
            pass


def test_segments_without_urls(client):
    with EventClient(client.url, types="flows/segments_added", accept_get_urls="",
                     include_object_timerange="true") as events:
        flow = client.put_flow()
        client.add_segments(flow["id"], 1)
        [segment] = events.next()[2]["event"]["segments"]
        assert not segment.get("get_urls") and segment["object_timerange"] == "[0:0_1:0)"


def test_what_a_filter_leaves_out_moves_the_id(client):
    with EventClient(client.url, flow_ids=new_id(), types="flows/created") as events:
        start = events.last_id
        client.put_flow()
        while events.last_id == start:
            events.next_block()
        assert "data" not in events.block


@pytest.mark.parametrize("name, value", [
    ("types", "flows/exploded"), ("flow_ids", "x"), ("last_event_id", "x"), ("last_event_id", "-1"),
    ("presigned", "x"), ("source_collected_by_ids", "x,")])
def test_wrong_parameters(client, name, value):
    assert pointer(client.get("/events", params={name: value}, expect=400)) == "?" + name


def test_wrong_last_event_id(client):
    for value in ("x", "1.5", "99999999999999999999999"):
        assert pointer(client.get("/events", headers={"Last-Event-ID": value}, expect=400)) == "Last-Event-ID"


def test_an_id_that_the_log_does_not_have(client):
    client.put_flow()
    with EventClient(client.url, last_id=10**12) as events:
        assert events.greeting["event"] == "error" and "unknown_event_id" in events.greeting["data"]
        flow = client.put_flow()
        assert events.take(2)[1][2]["event"]["flow"]["id"] == flow["id"]


def test_head_has_no_body(client):
    answer = client.head("/events")
    assert answer.headers["Content-Type"] == "text/event-stream" and "Content-Length" not in answer.headers


def test_shutdown_ends_streams_at_once(serve):
    server = serve()
    client = Client(server.url)
    streams = [EventClient(client.url) for _ in range(20)]
    server.stop()  # the drain limit is half a minute; the fixture's time for stopping is longer
    for stream in streams:
        with pytest.raises(EOFError):
            stream.next()
        stream.close()
    assert "connections are cut" not in server.log()
    server.start()


def test_many_idle_clients_are_cheap(serve):
    count = 1000
    server = serve(REELHOUSE_LIMITS_CONNECTIONS_PER_PEER_MAX="20000")
    client = Client(server.url)
    host, port = server.address
    client.put_flow()
    before = server.memory_bytes()
    sockets = []
    for _ in range(count):
        sockets.append(socket.create_connection((host, port)))
        sockets[-1].sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    for connection in sockets:
        connection.settimeout(30)
        text = b""
        while b"\nid: " not in text:
            text += connection.recv(4096)
    per_client = (server.memory_bytes() - before) / count
    print(f"{per_client:.0f} bytes per client")
    assert sanitized() or per_client < 64 * 1024
    flow = client.put_flow()
    for connection in sockets:
        text = b""
        while flow["id"].encode() not in text:
            piece = connection.recv(65536)
            assert piece
            text += piece
        connection.close()

"""The change log, as GET /audit shows it: what is written is told, in the same commit, in order."""
import json
import threading

import pytest
from tams_client import Client, audio_flow, multi_flow, new_id, segment, video_flow


@pytest.fixture
def log(fresh_client):
    """Reads what happened since the last call, oldest first."""
    seen = 0

    def read() -> list[dict]:
        nonlocal seen
        changes = [change for change in fresh_client.items("/audit", reverse_order="true", limit=7)
                   if change["sequence"] > seen]
        if changes:
            seen = changes[-1]["sequence"]
        return changes

    read()
    return read


def types(changes: list[dict]) -> list[str]:
    return [change["type"] for change in changes]


def test_flows_and_their_sources(fresh_client, log):
    client = fresh_client
    flow = video_flow(label="one", tags={"a": "b"})
    path = f"/flows/{flow['id']}"
    client.put(path, flow, expect=201)
    source, created = log()
    assert (source["type"], created["type"]) == ("sources/created", "flows/created")
    assert source["event"]["source"] == client.get(f"/sources/{flow['source_id']}").json()
    assert created["event"]["flow"] == client.get(path).json()
    assert created["flow_id"] == flow["id"] and created["source_id"] == flow["source_id"]
    assert "before" not in created

    before = client.get(path).json()
    client.put(f"{path}/label", "two", expect=204)
    [updated] = log()
    assert updated["type"] == "flows/updated"
    assert updated["before"] == before
    assert updated["event"]["flow"] == client.get(path).json()

    client.put(f"/sources/{flow['source_id']}/tags/x", ["y"], expect=204)
    [updated] = log()
    assert updated["type"] == "sources/updated"
    assert updated["event"]["source"] == client.get(f"/sources/{flow['source_id']}").json()

    moved = dict(flow, source_id=new_id())
    client.put(path, moved, expect=204)
    assert types(log()) == ["sources/deleted", "sources/created", "flows/updated"]

    client.delete(path, expect=204)
    deleted, source = log()
    assert deleted["type"] == "flows/deleted" and deleted["event"] == {"flow_id": flow["id"]}
    assert deleted["before"]["label"] == "one"
    assert source["type"] == "sources/deleted" and source["event"] == {"source_id": moved["source_id"]}


def test_what_is_refused_is_not_told(fresh_client, log):
    client = fresh_client
    flow = client.put_flow()
    log()
    client.put(f"/flows/{flow['id']}/read_only", True, expect=204)
    log()
    client.put(f"/flows/{flow['id']}/label", "x", expect=403)
    client.post(f"/flows/{flow['id']}/segments", segment("nowhere", 0), expect=403)
    client.delete(f"/flows/{flow['id']}", expect=403)
    client.put(f"/flows/{new_id()}", flow, expect=404)
    assert log() == []


def test_collections(fresh_client, log):
    client = fresh_client
    video, audio = client.put_flow(), client.put_flow(audio_flow())
    multi = multi_flow(flow_collection=[{"id": video["id"], "role": "v"}, {"id": audio["id"], "role": "a"}])
    client.put_flow(multi)
    log()
    client.put(f"/flows/{video['id']}/label", "x", expect=204)
    [updated] = log()
    assert updated["event"]["flow"]["collected_by"] == [multi["id"]]
    client.put(f"/sources/{video['source_id']}/label", "x", expect=204)
    [updated] = log()
    assert updated["event"]["source"]["collected_by"] == [multi["source_id"]]
    client.delete(f"/flows/{video['id']}", expect=204)
    changes = log()
    assert types(changes) == ["flows/deleted", "flows/updated", "sources/deleted"]
    assert changes[1]["flow_id"] == multi["id"]
    assert changes[1]["event"]["flow"]["flow_collection"] == [{"id": audio["id"], "role": "a"}]


def test_segments(fresh_client, log):
    client = fresh_client
    flow = client.put_flow()
    path = f"/flows/{flow['id']}/segments"
    log()
    sent = client.add_segments(flow["id"], 3)
    [added] = log()
    assert added["type"] == "flows/segments_added"
    shown = client.get(path, params={"accept_get_urls": "", "include_object_timerange": "true"}).json()
    told = added["event"]["segments"]
    assert added["event"]["flow_id"] == flow["id"]
    # Here there are no URLs at all; a listing without URLs says the same.
    assert told == shown
    client.post(path, sent, expect=201)  # a repeat changes nothing
    assert log() == []

    client.add_segments(flow["id"], 2, start=10)
    log()
    client.delete(path, params={"timerange": "[1:0_11:0)"}, expect=204)
    deleted = log()
    assert types(deleted) == ["flows/segments_deleted"] * 2
    # One for each run: a range must not end where nothing was.
    assert [change["event"]["timerange"] for change in deleted] == ["[1:0_3:0)", "[10:0_11:0)"]

    client.delete(f"/flows/{flow['id']}", expect=204)
    changes = log()
    assert types(changes) == ["flows/deleted", "sources/deleted"] + ["flows/segments_deleted"] * 2
    assert changes[2]["source_id"] == flow["source_id"]


def test_a_large_request_makes_changes_that_others_can_take(fresh_client, log):
    client = fresh_client
    flow = client.put_flow()
    log()
    urls = [{"url": "https://example.com", "label": "elsewhere"}]
    body = [segment(f"{i}-" + "x" * 500, i, get_urls=urls) for i in range(2000)]
    path = f"/flows/{flow['id']}/segments"

    def check_changes():
        changes = log()
        assert max(len(json.dumps(change["event"])) for change in changes) < 20_000 and len(changes) < 100
        told = [item["timerange"] for change in changes for item in change["event"]["segments"]]
        assert told == [item["timerange"] for item in body]

    client.post(path, body, expect=201)
    check_changes()
    item = client.delete(path, params={"soft_delete": "true"}, expect=204).headers["Location"]
    assert types(log()) == ["flows/segments_deleted"]
    client.post(f"{item}/restore", expect=200)
    check_changes()


def test_filters_and_pages(fresh_client, log):
    client = fresh_client
    flows = [client.put_flow() for _ in range(5)]
    newest = client.items("/audit", limit=3)
    sequences = [change["sequence"] for change in newest]
    assert sequences == sorted(sequences, reverse=True) and len(set(sequences)) == len(sequences)
    one = flows[2]
    assert types(client.items("/audit", flow_id=one["id"])) == ["flows/created"]
    assert types(client.items("/audit", source_id=one["source_id"])) == ["flows/created", "sources/created"]
    assert len(client.items("/audit", type="flows/created", limit=2)) == 5
    assert client.items("/audit", actor="nobody") == []
    for wrong in ({"flow_id": "x"}, {"limit": "x"}, {"page": "x"}, {"source_id": ""}):
        client.get("/audit", params=wrong, expect=400)


def test_the_log_tells_the_state_also_after_many_writers(fresh_client):
    """Whoever applies the log in its order ends with what the store has."""
    client = fresh_client
    flows = [client.put_flow() for _ in range(3)]

    def work(seed: int) -> None:
        mine = Client(client.url)
        for i in range(15):
            flow = flows[(seed + i) % 3]
            mine.put(f"/flows/{flow['id']}/label", f"{seed}-{i}", expect=204)
            mine.add_segments(flow["id"], 2, start=1000 * seed + 10 * i)
            if i % 5 == 4:
                mine.delete(f"/flows/{flow['id']}/segments", expect=204,
                            params={"timerange": f"[{1000 * seed + 10 * i}:0_{1000 * seed + 10 * i + 1}:0)"})

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    labels, spans = {}, {flow["id"]: set() for flow in flows}
    for change in client.items("/audit", reverse_order="true", limit=1000):
        event = change["event"]
        if change["type"] == "flows/updated":
            labels[change["flow_id"]] = event["flow"]["label"]
        elif change["type"] == "flows/segments_added":
            spans[change["flow_id"]] |= {item["timerange"] for item in event["segments"]}
        elif change["type"] == "flows/segments_deleted":
            spans[change["flow_id"]].remove(event["timerange"])
    for flow in flows:
        assert labels[flow["id"]] == client.get(f"/flows/{flow['id']}/label").json()
        assert spans[flow["id"]] == set(client.timeranges(flow["id"], limit=1000))

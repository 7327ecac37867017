"""Deletions that take longer than a request: /flow-delete-requests."""
import time

import pytest
from tams_client import Client, new_id, pointer, segment, segment_path

FEW = "limits.delete_segments_max=20"
MANY = 6000  # segments whose deletion takes long enough to do something meanwhile


@pytest.fixture(scope="module")
def server(serve_in, tmp_path_factory):
    return serve_in(tmp_path_factory.mktemp("deletions"), "--set", FEW)


def far(name) -> list[dict]:
    """A place that is not ours, so that nothing has to be uploaded."""
    return [{"label": "far", "url": f"https://media.example/{name}"}]


def filled(client, count, **members) -> dict:
    flow = client.put_flow(**members)
    fill(client, flow["id"], count)
    return flow


def fill(client, flow, count, prefix=None) -> list[str]:
    """Segments of a second each, from 0 on; the objects' ids."""
    prefix = prefix or new_id()
    bodies = [segment(f"{prefix}/{i}", i, get_urls=far(i)) for i in range(count)]
    client.post(f"/flows/{flow}/segments", bodies, expect=201)
    return [body["object_id"] for body in bodies]


def one_request(client, response, status=202) -> dict:
    """The request that an answer tells of, which is where Location says."""
    assert response.status_code == status
    request = response.json()
    at = client.get(response.headers["Location"]).json()
    assert at["id"] == request["id"] and response.headers["Location"].endswith(f"/flow-delete-requests/{request['id']}")
    assert request["status"] in ("created", "started", "done")
    return request


def ended(client, request) -> dict:
    deadline = time.monotonic() + 60
    while True:
        now = client.get(f"/flow-delete-requests/{request['id']}").json()
        if now["status"] in ("done", "error"):
            return now
        assert time.monotonic() < deadline, now
        time.sleep(0.02)


def times(client, flow) -> list[str]:
    return [one["timerange"] for one in client.items(f"/flows/{flow}/segments", limit=1000, accept_get_urls="")]


def test_few_segments_go_at_once(client):
    flow = filled(client, 40)
    before = client.ids("/flow-delete-requests")
    client.delete(f"/flows/{flow['id']}/segments", params={"timerange": "[0:0_20:0)"}, expect=204)
    assert len(times(client, flow["id"])) == 20
    client.delete(f"/flows/{flow['id']}", expect=204)
    assert client.ids("/flow-delete-requests") == before


def test_a_flow_with_many_segments(client):
    flow = client.put_flow()
    objects = fill(client, flow["id"], 300)
    request = one_request(client, client.delete(f"/flows/{flow['id']}", expect=202))
    assert request["flow_id"] == flow["id"] and request["delete_flow"] is True
    assert request["timerange_to_delete"] == "_" and request["created"] <= request["updated"] < request["expiry"]
    assert request["created_by"]
    client.get(f"/flows/{flow['id']}", expect=404)
    assert client.get(f"/flows/{flow['id']}/segments").json() == []
    last = ended(client, request)
    assert last["status"] == "done" and last["timerange_remaining"] == "()" and "error" not in last
    for object_id in objects[::50]:
        client.get(f"/objects/{segment_path(object_id)}", expect=404)


def test_a_range_of_many_segments(client):
    flow = filled(client, 200)
    path = f"/flows/{flow['id']}/segments"
    request = one_request(client, client.delete(path, params={"timerange": "[9:500000000_150:500000000)"}, expect=202))
    assert request["delete_flow"] is False and request["timerange_to_delete"] == "[9:500000000_150:500000000)"
    assert ended(client, request)["status"] == "done"
    assert times(client, flow["id"]) == [f"[{i}:0_{i + 1}:0)" for i in range(200) if i < 10 or i >= 150]
    assert client.get(f"/flows/{flow['id']}").json()["segments_updated"] >= request["created"]


def test_only_one_objects_segments(client):
    flow = client.put_flow()
    fill(client, flow["id"], 50)
    bodies = [segment("again", i, ts_offset=f"{i}:0") for i in range(100, 160)]
    bodies[0]["get_urls"] = far("again")
    client.post(f"/flows/{flow['id']}/segments", bodies, expect=201)
    query = {"object_id": "again", "timerange": "[110:0_160:0)"}
    request = one_request(client, client.delete(f"/flows/{flow['id']}/segments", params=query, expect=202))
    assert ended(client, request)["status"] == "done"
    assert len(times(client, flow["id"])) == 60
    client.delete(f"/flows/{flow['id']}/segments", params={"object_id": "again"}, expect=204)
    client.get("/objects/again", expect=404)
    assert len(times(client, flow["id"])) == 50


def test_a_new_flow_of_the_same_id_neither_loses_nor_inherits(client):
    flow = client.put_flow()
    old = fill(client, flow["id"], MANY)
    request = one_request(client, client.delete(f"/flows/{flow['id']}", expect=202))
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    assert times(client, flow["id"]) == []
    assert client.get(f"/flows/{flow['id']}", params={"include_timerange": "true"}).json()["timerange"] == "()"
    new = fill(client, flow["id"], 100)
    # An object of the old one is used again at its old place, while it is there.
    kept = segment(old[-1], MANY - 1)
    client.post(f"/flows/{flow['id']}/segments", kept, expect=201)
    assert client.get(f"/flow-delete-requests/{request['id']}").json()["status"] in ("created", "started"), "too fast"
    assert client.get(f"/objects/{segment_path(old[-1])}").json()["referenced_by_flows"] == [flow["id"]]
    assert client.get(f"/objects/{segment_path(old[-2])}").json()["referenced_by_flows"] == []
    assert ended(client, request)["status"] == "done"
    assert times(client, flow["id"]) == [f"[{i}:0_{i + 1}:0)" for i in [*range(100), MANY - 1]]
    for object_id in [*new[::10], old[-1]]:
        client.get(f"/objects/{segment_path(object_id)}", expect=200)
    client.get(f"/objects/{segment_path(old[0])}", expect=404)


def test_a_flow_that_becomes_read_only_keeps_the_rest(client):
    flow = filled(client, MANY)
    request = one_request(client, client.delete(f"/flows/{flow['id']}/segments", expect=202))
    client.put(f"/flows/{flow['id']}/read_only", True, expect=204)
    left = times(client, flow["id"])
    last = ended(client, request)
    assert last["status"] == "error" and last["error"]["type"] == "forbidden" and "read-only" in last["error"]["summary"]
    assert left and times(client, flow["id"]) == left
    client.delete(f"/flows/{flow['id']}/segments", expect=403)
    client.put(f"/flows/{flow['id']}/read_only", False, expect=204)
    again = one_request(client, client.delete(f"/flows/{flow['id']}/segments", expect=202))
    assert ended(client, again)["status"] == "done" and times(client, flow["id"]) == []


def test_a_flow_that_goes_meanwhile_ends_the_request(client):
    flow = filled(client, MANY)
    part = one_request(client, client.delete(f"/flows/{flow['id']}/segments", expect=202))
    whole = one_request(client, client.delete(f"/flows/{flow['id']}", expect=202))
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    fill(client, flow["id"], 10)
    assert ended(client, part)["status"] == ended(client, whole)["status"] == "done"
    assert len(times(client, flow["id"])) == 10


def test_requests_survive_the_end_of_the_server(serve):
    server = serve("--set", FEW)
    client = Client(server.url)
    flow = client.put_flow()
    objects = fill(client, flow["id"], MANY)
    request = one_request(client, client.delete(f"/flows/{flow['id']}", expect=202))
    for _ in range(3):
        server.kill()
        server.start()
        client = Client(server.url)
        client.get(f"/flows/{flow['id']}", expect=404)
    assert ended(client, request)["status"] == "done"
    for object_id in objects[::500]:
        client.get(f"/objects/{segment_path(object_id)}", expect=404)
    deadline = time.monotonic() + 30
    while "\ntams_segments_total 0" not in client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_requests_by_post(client):
    flow = filled(client, 30)
    path = "/flow-delete-requests"
    body = {"flow_id": flow["id"], "timerange_to_delete": "[5:0_9:0)"}
    assert pointer(client.post(path, body | {"delete_flow": True}, expect=400)) == "/timerange_to_delete"
    assert "flow_id" in client.post(path, {}, expect=400).json()["message"]
    client.post(path, {"flow_id": new_id()}, expect=404)
    request = one_request(client, client.post(path, body, expect=201), 201)
    assert ended(client, request)["status"] == "done" and len(times(client, flow["id"])) == 26
    all_segments = one_request(client, client.post(path, {"flow_id": flow["id"], "delete_flow": False}, expect=201), 201)
    assert ended(client, all_segments)["status"] == "done"
    assert times(client, flow["id"]) == [] and client.get(f"/flows/{flow['id']}")
    client.put(f"/flows/{flow['id']}/read_only", True, expect=204)
    client.post(path, {"flow_id": flow["id"]}, expect=403)
    client.put(f"/flows/{flow['id']}/read_only", False, expect=204)
    gone = one_request(client, client.post(path, {"flow_id": flow["id"]}, expect=201), 201)
    assert gone["delete_flow"] is True
    client.get(f"/flows/{flow['id']}", expect=404)
    assert ended(client, gone)["status"] == "done"


def test_the_listing(fresh_client):
    client = fresh_client
    requests = []
    for _ in range(5):
        flow = filled(client, 3)
        requests.append(client.post("/flow-delete-requests", {"flow_id": flow["id"]}, expect=201).json()["id"])
    for request in requests:
        ended(client, {"id": request})
    path = "/flow-delete-requests"
    assert client.ids(path) == requests[::-1]
    assert client.ids(path, sort_by="created", reverse_order="true") == requests
    assert client.ids(path, limit=2) == requests[::-1]
    by_expiry = sorted(client.get(path).json(), key=lambda one: one["expiry"], reverse=True)
    assert [one["expiry"] for one in client.get(path, params={"sort_by": "expiry"}).json()] == \
        [one["expiry"] for one in by_expiry]
    assert client.head(path).headers["X-Paging-Count"] == "5"
    client.get(path, params={"sort_by": "label"}, expect=400)
    client.get(path, params={"page": "nonsense"}, expect=404)
    client.get(f"{path}/{new_id()}", expect=404)
    client.head(f"{path}/{requests[0]}", expect=200)


def test_what_was_deleted_is_told(client):
    flow = client.put_flow()
    fill(client, flow["id"], 30)
    client.post(f"/flows/{flow['id']}/segments", segment("later", 40, get_urls=far("later")), expect=201)
    request = one_request(client, client.delete(f"/flows/{flow['id']}/segments", expect=202))
    assert ended(client, request)["status"] == "done"
    changes = client.get("/audit", params={"flow_id": flow["id"]}).json()
    ranges = [one["event"]["timerange"] for one in changes if one["type"] == "flows/segments_deleted"]
    # The newest first. What was deleted in one transaction is told as one, and transactions are small.
    ends = [[bound.split(":")[0] for bound in one[1:-1].split("_")] for one in reversed(ranges)]
    assert (ends[0][0], ends[-1]) == ("0", ["40", "41"]) and ends[-2][1] == "30"
    assert all(one[1] == following[0] for one, following in zip(ends[:-2], ends[1:-1]))

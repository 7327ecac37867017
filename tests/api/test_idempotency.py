"""Idempotency-Key: a request that is sent again is answered again, and done once."""
import pytest
import reelhouse_server
import requests
from test_auth import make_key
from test_concurrency import at_once, check_store
from tams_client import Client, new_id, pointer, segment


def key(value: str | None = None) -> dict:
    return {"Idempotency-Key": value or new_id()}


def ids(answer: requests.Response) -> list[str]:
    return [item["object_id"] for item in answer.json()["media_objects"]]


def added(client: Client, flow: dict) -> int:
    return len(client.items("/audit", flow_id=flow["id"], type="flows/segments_added"))


@pytest.fixture
def flow(client) -> dict:
    return client.put_flow()


def test_storage_is_allocated_once(client, flow):
    path = f"/flows/{flow['id']}/storage"
    one = key()
    first = client.post(path, {"limit": 3}, headers=one, expect=201)
    again = client.post(path, {"limit": 3}, headers=one, expect=201)
    assert ids(first) == ids(again) and len(set(ids(first))) == 3
    for members in ("content-type", "headers"):
        assert [item["put_url"][members] for item in first.json()["media_objects"]] == \
               [item["put_url"][members] for item in again.json()["media_objects"]]
    # The URLs of the second answer are as good as those of the first.
    client.upload(again.json()["media_objects"][0], b"bytes")
    assert ids(client.post(path, {"limit": 3}, headers=key(), expect=201)) != ids(first)
    assert ids(client.post(path, {"limit": 3}, expect=201)) != ids(first)


def test_asked_for_ids_are_no_clash_with_themselves(client, flow):
    body = {"object_ids": [new_id(), new_id()], "presigned": False, "content_type": "video/mp4"}
    one = key()
    answers = [client.post(f"/flows/{flow['id']}/storage", body, headers=one, expect=201) for _ in range(2)]
    assert answers[0].content == answers[1].content
    client.post(f"/flows/{flow['id']}/storage", body, headers=key(), expect=400)


def test_objects(client, flow):
    one = key()
    first, again = (client.post("/objects", {"flow_id": flow["id"]}, headers=one, expect=201) for _ in range(2))
    assert first.json()["object_id"] == again.json()["object_id"]
    assert first.headers["Location"] == again.headers["Location"]


def test_a_segment_is_registered_once(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    path = f"/flows/{flow['id']}/segments"
    one = key()
    for _ in range(3):
        answer = client.post(path, segment(media, 0), headers=one, expect=201)
        assert answer.content == b""
    assert added(client, flow) == 1
    client.delete(path, expect=(202, 204))
    client.post(path, segment(media, 0), headers=one, expect=201)
    assert client.timeranges(flow["id"]) == [], "what was done long ago is not done again"


def test_failures_of_a_bulk_are_told_again(client, flow):
    path = f"/flows/{flow['id']}/segments"
    objects = [item["object_id"] for item in client.allocate(flow["id"], 2)]
    body = [segment(objects[0], 0), segment("later", 1), segment(objects[1], 0), segment("nowhere", 4)]
    one = key()
    first = client.post(path, body, headers=one, expect=200)
    assert len(first.json()["failed_segments"]) == 3
    client.post(f"/flows/{flow['id']}/storage", {"object_ids": ["later"]}, expect=201)
    again = client.post(path, body, headers=one, expect=200)
    assert again.content == first.content
    assert client.timeranges(flow["id"]) == ["[0:0_1:0)"] and added(client, flow) == 1
    assert len(client.post(path, body, expect=200).json()["failed_segments"]) == 2, "without the key it is a new request"


def test_what_changes_nothing_is_remembered_too(client, flow):
    path = f"/flows/{flow['id']}/segments"
    one, two, three = key(), key(), key()
    body = client.add_segments(flow["id"], 1)
    client.post(path, body, headers=one, expect=201)  # a repeat
    client.post(path, body[0], headers=two, expect=201)
    failed = client.post(path, [segment("x", 7)], headers=three, expect=200)
    client.delete(path, expect=(202, 204))
    client.post(path, body, headers=one, expect=201)
    client.post(path, body[0], headers=two, expect=201)
    assert client.post(path, [segment("x", 7)], headers=three, expect=200).content == failed.content
    assert client.timeranges(flow["id"]) == []


def test_a_key_stands_for_one_request(client, flow):
    other = client.put_flow()
    one = key()
    client.post(f"/flows/{flow['id']}/storage", {"limit": 1}, headers=one, expect=201)
    for path, body in ((f"/flows/{flow['id']}/storage", {"limit": 2}), (f"/flows/{other['id']}/storage", {"limit": 1}),
                       ("/objects", {"flow_id": flow["id"]}), (f"/flows/{flow['id']}/segments", segment("x", 0)),
                       (f"/flows/{flow['id']}/segments", [segment("x", 0)]),
                       (f"/v8.2/flows/{flow['id']}/storage", {"limit": 1})):
        refused = client.session.post(client.url + path, json=body, headers=one, timeout=30)
        assert refused.status_code == 422, refused.text
        assert refused.json()["type"] == "key_reused"


def test_refused_requests_may_be_tried_again(client, flow):
    path = f"/flows/{flow['id']}/segments"
    one = key()
    client.post(path, segment("made later", 0), headers=one, expect=400)
    client.post(f"/flows/{flow['id']}/storage", {"object_ids": ["made later"]}, expect=201)
    client.post(path, segment("made later", 0), headers=one, expect=201)
    assert client.timeranges(flow["id"]) == ["[0:0_1:0)"]


def test_the_answer_outlives_the_flow(client, flow):
    path = f"/flows/{flow['id']}"
    one = key()
    first = client.post(f"{path}/storage", {"limit": 1}, headers=one, expect=201)
    client.put(f"{path}/read_only", True)
    assert ids(client.post(f"{path}/storage", {"limit": 1}, headers=one, expect=201)) == ids(first)
    client.put(f"{path}/read_only", False)
    client.delete(path, expect=(202, 204))
    assert ids(client.post(f"{path}/storage", {"limit": 1}, headers=one, expect=201)) == ids(first)
    client.post(f"{path}/storage", {"limit": 1}, headers=key(), expect=404)


def test_forms_of_a_key(client, flow):
    path = f"/flows/{flow['id']}/storage"
    seen = set()
    for good in ("x", "k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b~!"):
        seen.add(ids(client.post(path, {"limit": 1}, headers=key(good), expect=201))[0])
    assert len(seen) == 4
    for bad in ("k" * 256, "caf\u00e9".encode(), b"\x80"):
        refused = client.post(path, {"limit": 1}, headers={"Idempotency-Key": bad}, expect=400)
        assert pointer(refused) == "Idempotency-Key"
    assert pointer(client.post(path, {"limit": 1}, headers={"Idempotency-Key": ""}, expect=400)) == "Idempotency-Key"


def test_forms_with_media_take_no_key(client, flow):
    form = {"segment": (None, '{"timerange":"[0:0_1:0)"}'), "file": ("a", b"bytes")}
    url = f"{client.url}/flows/{flow['id']}/segments"
    refused = client.session.post(url, files=form, headers=key(), timeout=30)
    assert refused.status_code == 400 and pointer(refused) == "Idempotency-Key"
    assert client.session.post(url, files=form, timeout=30).status_code == 201


def test_the_document_tells_of_it(client):
    for path in ("/flows/{flowId}/storage", "/flows/{flowId}/segments", "/objects"):
        operation = client.own.content["paths"][path]["post"]
        headers = [item["name"] for item in operation["parameters"] if item["in"] == "header"]
        assert headers == ["Idempotency-Key"] and "422" in operation["responses"]


def test_every_identity_has_its_own_keys(serve_in, tmp_path):
    keys = {role: make_key(tmp_path / "data", role) for role in ("admin", "editor")}
    server = serve_in(tmp_path, "--set", "auth.modes=api_key")
    clients = {role: Client(server.url) for role in keys}
    for role, client in clients.items():
        client.session.headers["X-Api-Key"] = keys[role]
    flow = clients["admin"].put_flow()
    answers = {role: ids(client.post(f"/flows/{flow['id']}/storage", {"limit": 1}, headers=key("k"), expect=201))
               for role, client in clients.items()}
    assert answers["admin"] != answers["editor"]
    for role, client in clients.items():
        assert ids(client.post(f"/flows/{flow['id']}/storage", {"limit": 1}, headers=key("k"))) == answers[role]


def test_keys_survive_a_restart(fresh_server):
    client = Client(fresh_server.url)
    flow = client.put_flow()
    path, one = f"/flows/{flow['id']}/storage", key()
    first = ids(client.post(path, {"limit": 1}, headers=one, expect=201))
    fresh_server.restart()
    assert ids(Client(fresh_server.url).post(path, {"limit": 1}, headers=one, expect=201)) == first


def test_duplicates_at_once(fresh_server):
    """Whichever comes first does it, the others are told the same."""
    client = Client(fresh_server.url)
    flow = client.put_flow()
    url = f"{client.url}/flows/{flow['id']}"
    rounds, clients, objects = 10, 30, 0
    for number in range(rounds):
        one = key()
        answers = at_once(clients, lambda i, session, one=one: session.post(
            f"{url}/storage", json={"limit": 2}, headers=one, timeout=60))
        assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
        allocated = {tuple(ids(answer)) for answer in answers}
        assert len(allocated) == 1
        objects += 2
        two = key()
        body = [segment(allocated.pop()[0], number), segment("nowhere", 1000)]
        answers = at_once(clients, lambda i, session, two=two, body=body: session.post(
            f"{url}/segments", json=body, headers=two, timeout=60))
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        assert len({answer.content for answer in answers}) == 1
    assert added(client, flow) == rounds
    check_store(fresh_server)
    fresh_server.stop()
    counts = reelhouse_server.rows(fresh_server.data_dir)
    assert (counts["objects"], counts["idempotency_keys"]) == (objects, 2 * rounds)
    fresh_server.start()

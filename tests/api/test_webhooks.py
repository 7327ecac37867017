"""Webhooks: their registration, and what arrives (TAMS 8.2 /service/webhooks, tams.md §2.11)."""
import threading
import time

import pytest
from api_documents import specification
from receiver import Receiver
from tams_client import Client, audio_flow, multi_flow, new_id, pointer, video_flow

HOOKS = "/service/webhooks"
FLOW_EVENTS = ["flows/created", "flows/updated", "flows/deleted", "flows/segments_added", "flows/segments_deleted"]
SOURCE_EVENTS = ["sources/created", "sources/updated", "sources/deleted"]
EVENTS = FLOW_EVENTS + SOURCE_EVENTS
LOOPBACK = {"REELHOUSE_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8", "REELHOUSE_WEBHOOKS_RETRY_MS_MIN": "20",
            "REELHOUSE_WEBHOOKS_RETRY_MS_MAX": "100", "REELHOUSE_WEBHOOKS_TIMEOUT_MS": "1000"}


@pytest.fixture
def client(serve) -> Client:
    return Client(serve(**LOOPBACK).url)


@pytest.fixture
def receivers():
    made = []

    def make(behave=None) -> Receiver:
        made.append(Receiver(behave))
        return made[-1]

    yield make
    for receiver in made:
        receiver.stop()


def register(client: Client, url: str, events=None, expect=201, **members) -> dict:
    return client.post(HOOKS, {"url": url, "events": EVENTS if events is None else events} | members,
                       expect=expect).json()


def change(client: Client, hook: dict, **members) -> dict:
    body = {name: value for name, value in hook.items() if name != "error"} | members
    return client.put(f"{HOOKS}/{hook['id']}", body, expect=201).json()


def wait_for_status(client: Client, hook: dict, status: str) -> dict:
    deadline = time.monotonic() + 30
    while True:
        shown = client.get(f"{HOOKS}/{hook['id']}").json()
        if shown["status"] == status:
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)


def types(accepted: list[dict]) -> list[str]:
    return [item["event_type"] for item in accepted]


def check_message(message: dict) -> None:
    document = specification()
    if document is not None:
        operation = document.content["webhooks"][message["event_type"]]["post"]
        document.check(operation["requestBody"]["content"]["application/json"]["schema"], message)


def test_registration(client):
    assert {"name": "webhooks"} in client.get("/service").json()["event_stream_mechanisms"]
    hook = register(client, "https://hook.example.com/x", ["flows/created"], api_key_name="Authorization",
                    api_key_value="secret", tags={"a": "b"}, flow_collected_by_ids=[], presigned=True)
    assert hook["status"] in ("created", "started") and len(hook["id"]) == 36
    assert "api_key_value" not in hook and hook["api_key_name"] == "Authorization"
    assert hook["flow_collected_by_ids"] == [] and hook["presigned"] is True
    started = wait_for_status(client, hook, "started")
    assert started == hook | {"status": "started"}
    assert "secret" not in client.get(HOOKS).text
    changed = change(client, started, status="disabled")
    assert changed["status"] == "disabled"
    assert client.get(f"{HOOKS}/{hook['id']}").json() == changed
    client.delete(f"{HOOKS}/{hook['id']}")
    for method in ("get", "delete"):
        getattr(client, method)(f"{HOOKS}/{hook['id']}", expect=404)
    client.put(f"{HOOKS}/{hook['id']}", changed, expect=404)
    client.get(f"{HOOKS}/x", expect=404)


@pytest.mark.parametrize("member, value", [
    ("url", ""), ("url", "hook.example.com"), ("url", "ftp://example.com/"), ("url", "file:///etc/passwd"),
    ("url", "http://"), ("url", "http://:80/"), ("url", "https://a b/"), ("url", "https://u:p@example.com/"),
    ("url", "https://example.com/#x"), ("url", "https://example.com\\@127.0.0.1/"), ("url", "http://" + "x" * 2048),
    ("url", "http://10.0.0.1/"), ("url", "http://[::1]/"), ("url", "http://169.254.169.254/latest"),
    ("url", "http://[::ffff:192.168.0.1]:80/"), ("url", None), ("url", 5),
    ("events", ["flows/exploded"]), ("events", "flows/created"), ("events", None),
    ("flow_ids", ["x"]), ("source_ids", "x"), ("accept_storage_ids", ["x"]), ("accept_get_urls", "x"),
    ("presigned", "true"), ("tags", []), ("status", "started"), ("status", "error"),
    ("api_key_name", "a b"), ("api_key_name", ""), ("api_key_name", "Host"), ("api_key_name", "content-length"),
    ("api_key_value", "no name"), ("object_ids", [])])
def test_wrong_registrations(client, member, value):
    body = {"url": "https://example.com/", "events": EVENTS} | {member: value}
    answer = client.post(HOOKS, body, expect=400)
    assert pointer(answer).startswith("/" + member)


def test_event_names_of_the_product(client):
    """They are understood; the webhook shows and sends the names of TAMS."""
    names = {"source.created": "sources/created", "source.updated": "sources/updated",
             "source.deleted": "sources/deleted", "flow.created": "flows/created", "flow.updated": "flows/updated",
             "flow.deleted": "flows/deleted", "segment.uploaded": "flows/segments_added",
             "segment.deleted": "flows/segments_deleted"}
    hook = register(client, "https://webhook.example.com/events", list(names), status="disabled")
    assert hook["events"] == list(names.values())
    changed = client.put(f"{HOOKS}/{hook['id']}", hook | {"events": ["flow.updated", "flows/deleted"]}, expect=201)
    assert changed.json()["events"] == ["flows/updated", "flows/deleted"]
    for name in ("segment.exploded", "flow", "flows.created", ""):
        assert register(client, "https://webhook.example.com/events", [name], expect=400)["pointer"] == "/events/0"


def test_a_key_is_one_line(client):
    for value in ("a\r\nX: y", "a\nb", "\x00"):
        register(client, "https://example.com", api_key_name="X-Key", api_key_value=value, expect=400)


def test_wrong_replacements(client):
    hook = register(client, "https://example.com/", status="disabled")
    assert hook["status"] == "disabled"
    path = f"{HOOKS}/{hook['id']}"
    client.put(path, {name: value for name, value in hook.items() if name != "status"}, expect=400)
    for status in ("started", "error", "", None):
        client.put(path, hook | {"status": status}, expect=400)
    client.put(path, hook | {"id": new_id()}, expect=(400, 404))
    client.put(path, hook | {"url": "http://127.1.2.3.4/x y"}, expect=400)
    assert client.get(path).json() == hook


def test_listing(client):
    made = {name: register(client, f"https://{name}.example.com/", status="disabled", tags={"name": name})
            for name in ("b", "a", "c")}
    urls = [item["url"] for item in client.items(HOOKS)]
    assert urls == [f"https://{name}.example.com/" for name in "abc"]
    assert [item["url"] for item in client.items(HOOKS, reverse_order="true", limit=1)] == urls[::-1]
    assert client.ids(HOOKS, **{"tag.name": "a,c"}) == [made["a"]["id"], made["c"]["id"]]
    assert client.ids(HOOKS, **{"tag_exists.name": "false"}) == []
    page = client.get(HOOKS, params={"limit": 2})
    assert (page.headers["X-Paging-Count"], page.headers["X-Paging-Limit"]) == ("2", "2")
    client.head(HOOKS)


def test_everything_arrives_in_order(client, receivers):
    receiver = receivers()
    client.put_flow()  # from before: not told
    register(client, receiver.url, api_key_name="X-Key", api_key_value="secret value")
    flow = client.put_flow(label="x")
    path = f"/flows/{flow['id']}"
    client.put(f"{path}/label", "y")
    client.add_segments(flow["id"], 2)
    # URLs are made when the message is: later, there would be nothing for them to lead to.
    receiver.wait(lambda accepted: "flows/segments_added" in types(accepted))
    client.put(f"/sources/{flow['source_id']}/label", "z")
    client.delete(f"{path}/segments", params={"timerange": "[0:0_1:0)"})
    client.delete(path)
    told = receiver.wait(lambda accepted: "sources/deleted" in types(accepted))
    for message in told:
        check_message(message)
    assert types(told)[:2] == ["sources/created", "flows/created"]
    assert set(types(told)) == set(EVENTS)
    assert all(headers["X-Key"] == "secret value" and headers["Content-Type"] == "application/json"
               for headers in receiver.headers)
    created = told[1]["event"]["flow"]
    assert (created["id"], created["label"]) == (flow["id"], "x")
    [added] = [item["event"] for item in told if item["event_type"] == "flows/segments_added"]
    assert added["flow_id"] == flow["id"] and len(added["segments"]) == 2
    assert {url.get("presigned", False) for url in added["segments"][0]["get_urls"]} == {True, False}
    assert "object_timerange" not in added["segments"][0]
    assert all(url["url"].startswith(client.url) for url in added["segments"][0]["get_urls"])


def test_segments_as_a_webhook_wants_them(client, receivers):
    plain, none, full = receivers(), receivers(), receivers()
    only = ["flows/segments_added"]
    register(client, plain.url, only, presigned=False)
    register(client, none.url, only, accept_get_urls=[])
    register(client, full.url, only, verbose_storage=True, include_object_timerange=True, presigned=True)
    flow = client.put_flow()
    client.add_segments(flow["id"], 1)
    [urls] = [item["event"]["segments"][0]["get_urls"] for item in plain.wait_for(1)]
    assert [url.get("presigned", False) for url in urls] == [False]
    assert not none.wait_for(1)[0]["event"]["segments"][0].get("get_urls")
    [segment] = full.wait_for(1)[0]["event"]["segments"]
    assert segment["object_timerange"] == "[0:0_1:0)"
    assert [url["presigned"] for url in segment["get_urls"]] == [True] and "storage_id" in segment["get_urls"][0]
    listed = client.get(f"/flows/{flow['id']}/segments", params={
        "verbose_storage": "true", "include_object_timerange": "true", "presigned": "true"}).json()
    strip = lambda item: item | {"get_urls": [url | {"url": url["url"].split("?")[0]} for url in item["get_urls"]]}
    assert strip(segment) == strip(listed[0])


def test_filters(client, receivers):
    video, audio = video_flow(), audio_flow()
    multi = multi_flow()
    by_flow, by_source, free, collected = receivers(), receivers(), receivers(), receivers()
    register(client, by_flow.url, FLOW_EVENTS, flow_ids=[audio["id"]])
    register(client, by_source.url, source_ids=[video["source_id"]])
    register(client, free.url, ["flows/updated"], flow_collected_by_ids=[])
    register(client, collected.url, ["flows/updated"], flow_collected_by_ids=[multi["id"]])
    for flow in (video, audio):
        client.put_flow(flow)
    client.put_flow(multi | {"flow_collection": [{"id": video["id"], "role": "v"}]})
    for flow in (video, audio):
        client.put(f"/flows/{flow['id']}/label", "last")
    last = lambda flow: lambda accepted: any(
        item["event_type"] == "flows/updated" and item["event"]["flow"]["id"] == flow["id"] and
        item["event"]["flow"].get("label") == "last" for item in accepted)
    assert {item["event"]["flow"]["id"] for item in by_flow.wait(last(audio))} == {audio["id"]}
    told = by_source.wait(last(video))
    assert {"sources/created", "flows/created", "flows/updated"} <= set(types(told))
    assert {item["event"].get("flow", item["event"].get("source"))["id"] for item in told} == \
        {video["id"], video["source_id"]}
    assert audio["id"] in {item["event"]["flow"]["id"] for item in free.wait(last(audio))}
    assert not last(video)(free.accepted)
    assert {item["event"]["flow"]["id"] for item in collected.wait(last(video))} == {video["id"]}


def test_failures_are_tried_again(client, receivers):
    answers = iter([None, 500, 401, 403, 302])  # libcurl itself repeats what ends a kept connection
    receiver = receivers(lambda body: next(answers, 200))
    hook = register(client, receiver.url, ["flows/created"])
    flows = [client.put_flow()["id"] for _ in range(3)]
    assert [item["event"]["flow"]["id"] for item in receiver.wait_for(3)] == flows
    assert receiver.attempts == 8
    assert client.get(f"{HOOKS}/{hook['id']}").json()["status"] == "started"
    metrics = client.get("/metrics").text
    assert "reelhouse_webhook_failed_total 5\n" in metrics
    assert 'reelhouse_webhook_lag_changes{status="started"}' in metrics


def test_a_receiver_that_stalls_holds_up_nobody_else(serve, receivers):
    client = Client(serve(**LOOPBACK | {"REELHOUSE_WEBHOOKS_TIMEOUT_MS": "60000"}).url)
    release = threading.Event()

    def stall(body):
        release.wait(60)
        return 200

    stalled = [receivers(stall) for _ in range(10)]
    for receiver in stalled:
        register(client, receiver.url, ["flows/created"])
    good = receivers()
    for i in range(90):
        register(client, f"{good.url}/{i}", ["flows/created"])
    for _ in range(5):
        client.put_flow()
    good.wait_for(5 * 90)
    assert not any(receiver.accepted for receiver in stalled)
    release.set()
    for receiver in stalled:
        receiver.wait_for(5)


def test_giving_up_and_beginning_again(serve, receivers):
    server = serve(**LOOPBACK | {"REELHOUSE_WEBHOOKS_GIVE_UP_AFTER_S": "1"})
    client = Client(server.url)
    status = [503]
    receiver = receivers(lambda body: status[0])
    hook = register(client, receiver.url, ["flows/created"], api_key_name="X-Key", api_key_value="kept")
    flow = client.put_flow()
    failed = wait_for_status(client, hook, "error")
    assert "503" in failed["error"]["summary"] and failed["error"]["time"]
    client.put(f"{HOOKS}/{hook['id']}", failed | {"status": "disabled"}, expect=400)
    status[0] = 200
    later = client.put_flow()
    server.restart()
    client = Client(server.url)
    assert wait_for_status(client, hook, "error") == failed
    again = client.put(f"{HOOKS}/{hook['id']}", failed | {"status": "created"}, expect=201).json()
    assert "error" not in again
    told = receiver.wait_for(2)
    assert [item["event"]["flow"]["id"] for item in told] == [flow["id"], later["id"]]
    assert receiver.headers[0]["X-Key"] == "kept"


def test_a_disabled_webhook_is_told_nothing(client, receivers):
    receiver = receivers()
    hook = register(client, receiver.url, ["flows/created"])
    first = client.put_flow()
    receiver.wait_for(1)
    disabled = change(client, hook, status="disabled")
    client.put_flow()
    change(client, disabled, status="created")
    last = client.put_flow()
    told = receiver.wait_for(2)
    assert [item["event"]["flow"]["id"] for item in told] == [first["id"], last["id"]]


def test_names_that_resolve_to_private_addresses(serve, receivers):
    """The check is made on the address that the connection goes to, not on the text of the URL."""
    receiver = receivers()
    client = Client(serve(**LOOPBACK | {"REELHOUSE_WEBHOOKS_ALLOWED_NETWORKS": "192.0.2.0/24",
                                        "REELHOUSE_WEBHOOKS_GIVE_UP_AFTER_S": "1",
                                        "http_proxy": receiver.url}).url)
    hook = register(client, f"http://localhost:{receiver.port}/hook", ["flows/created"])
    # How libcurl's resolver also writes 127.0.0.1; a name as far as our own check is concerned.
    others = [register(client, f"http://{host}:{receiver.port}/", ["flows/created"])
              for host in ("2130706433", "0x7f.1", "127.1", "0")]
    client.put_flow()
    for entry in [hook, *others]:
        failed = wait_for_status(client, entry, "error")
        assert "not allowed" in failed["error"]["summary"], failed
    assert receiver.attempts == 0

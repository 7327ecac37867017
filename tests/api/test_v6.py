"""Clients of TAMS 6.0 below /v6.0, and versions as prefixes of the path."""
import json

import pytest
from api_documents import specification, specification_folder
from tams_client import Client, image_flow, multi_flow, new_id, pointer, segment, video_flow

BESIDE = {"GET /openapi.json", "HEAD /openapi.json", "GET /media/{}/{}", "HEAD /media/{}/{}", "PUT /media/{}/{}"}
NO_SPECIFICATION = specification("6.0") is None

needs_specification = pytest.mark.skipif(NO_SPECIFICATION, reason="no TAMS 6.0 specification")


@pytest.fixture
def old(server) -> Client:
    """What a client of 6.0 sees; every answer is held against the specification of 6.0."""
    return Client(server.url, "/v6.0")


def names(operations) -> set[str]:
    return {f"{method} {path}" for method, path in operations}


@needs_specification
def test_the_operations_are_those_of_6_0(old):
    assert names(specification("6.0").operations()) <= names(old.own.operations())
    assert names(old.own.operations()) - names(specification("6.0").operations()) == BESIDE


@needs_specification
def test_the_parameters_are_those_of_6_0(old):
    spec = specification("6.0")
    for method, path in sorted(spec.operations() & old.own.operations()):
        if method == "HEAD":
            continue  # twins of GET; 6.0 forgot a parameter of one
        example = path.replace("{}", new_id())
        served = old.own.operation(method, example).get("parameters", [])
        asked = [spec.resolver.resolve(item["$ref"])[1] if "$ref" in item else item
                 for item in spec.operation(method, example).get("parameters", [])]
        assert {item["name"] for item in served if item["in"] == "query"} == \
               {item["name"] for item in asked if item["in"] == "query"}, f"{method} {path}"


def examples(*patterns: str) -> list:
    folder = specification_folder("6.0")
    files = [] if folder is None else [file for pattern in patterns for file in folder.glob(f"examples/{pattern}")]
    return [pytest.param(json.loads(file.read_text()), id=file.stem) for file in sorted(set(files))]


def flow_examples() -> list:
    return examples("flow-put*.json", "flow-get-200-[!m]*.json")


@needs_specification
def test_there_are_examples():
    assert len(flow_examples()) >= 5


@pytest.mark.parametrize("flow", flow_examples())
def test_flows_of_the_specification_are_kept(old, flow):
    flow = flow | {"id": new_id(), "source_id": new_id()}
    flow.pop("flow_collection", None)
    old.put(f"/flows/{flow['id']}", flow, expect=201)
    shown = old.get(f"/flows/{flow['id']}").json()
    for name in ("label", "description", "format", "codec", "container", "tags", "essence_parameters"):
        assert shown.get(name) == flow.get(name), name
    old.put(f"/flows/{flow['id']}", shown, expect=204)
    assert any(item["id"] == flow["id"] for item in old.items("/flows"))
    old.get(f"/sources/{flow['source_id']}")


@pytest.mark.parametrize("body", examples("flow-segment-post.json"))
def test_the_segment_of_the_specification_is_kept(old, body):
    flow = old.put_flow()
    body = body | {"object_id": f"{new_id()}/{new_id()}", "get_urls": [{"url": "https://media.example.com/1"}]}
    old.post(f"/flows/{flow['id']}/segments", body, expect=201)
    assert old.get(f"/flows/{flow['id']}/segments").json() == [body]


@needs_specification
def test_every_example_that_is_sent_is_understood(old):
    """Those above, and the rest; each answer is held against 6.0's schemas."""
    folder = specification_folder("6.0") / "examples"
    sent = {file.stem for file in folder.glob("*.json") if "-put" in file.stem or "-post" in file.stem} - \
           {file.stem for file in folder.glob("*-201*.json")}
    assert sent == {"flow-put", "flow-put-multi", "flow-collection-put", "flow-segment-post", "flow-storage-post",
                    "service-post"}

    def example(name: str):
        return json.loads((folder / f"{name}.json").read_text())

    before = old.get("/service").json()
    old.post("/service", example("service-post"), expect=200)
    assert old.get("/service").json() == before | example("service-post")
    members = example("flow-collection-put")
    for member in members:
        old.put_flow(video_flow(id=member["id"]))
    # The example collects itself, which no collection can.
    collection = example("flow-put-multi") | {"id": new_id(), "source_id": new_id()}
    old.put(f"/flows/{collection['id']}", collection, expect=201)
    path = f"/flows/{collection['id']}/flow_collection"
    assert old.get(path).json() == members
    old.delete(path)
    old.put(path, members, expect=204)
    assert old.get(path).json() == members
    storage = old.post(f"/flows/{members[0]['id']}/storage", example("flow-storage-post"), expect=201).json()
    assert len(storage["media_objects"]) == example("flow-storage-post")["limit"]
    for path in ("/sources", "/flows", "/flow-delete-requests", "/service/webhooks"):
        old.get(path)


def test_the_service_says_6_0(old, client):
    service = old.get("/service").json()
    assert service["api_version"] == "6.0"
    assert service["media_store"] == {"type": "http_object_store"}
    assert client.get("/service").json()["api_version"] == "8.2"
    assert set(old.get("/").json()) <= {"service", "flows", "sources", "flow-delete-requests"}


def test_a_video_flow_needs_no_frame_rate(old, client):
    flow = video_flow(essence_parameters={"frame_width": 64, "frame_height": 32})
    client.put(f"/flows/{flow['id']}", flow, expect=400)
    old.put(f"/flows/{flow['id']}", flow, expect=201)
    assert old.get(f"/flows/{flow['id']}").json()["essence_parameters"] == flow["essence_parameters"]
    # 8.2 has a word for it.
    assert client.get(f"/flows/{flow['id']}").json()["essence_parameters"]["vfr"] is True


def test_a_flow_that_breaks_a_rule_is_refused_with_its_place(old):
    flow = video_flow()
    flow["essence_parameters"]["frame_width"] = 0
    assert pointer(old.put(f"/flows/{flow['id']}", flow, expect=400)) == "/essence_parameters/frame_width"


def test_tags_are_texts(old, client):
    flow = client.put_flow(tags={"genre": ["news", "sport"], "kind": "live"})
    texts = {"genre": "news,sport", "kind": "live"}
    for path in (f"/flows/{flow['id']}", f"/sources/{flow['source_id']}"):
        assert old.get(path).json()["tags"] == texts
        assert old.get(f"{path}/tags").json() == texts
        assert old.get(f"{path}/tags/genre").json() == "news,sport"
        assert client.get(f"{path}/tags/genre").json() == ["news", "sport"]
    listed = {item["id"]: item for item in old.items("/flows", **{"tag.kind": "live"})}
    assert listed[flow["id"]]["tags"] == texts


def test_what_only_8_2_can_say_is_left_out(old, client):
    flow = video_flow(status="ingesting")
    flow["essence_parameters"]["init_segments"] = True
    client.put_flow(flow)
    assert "init_segments" not in old.get(f"/flows/{flow['id']}").json()["essence_parameters"]
    collection = client.put_flow(multi_flow(flow_collection=[{"id": flow["id"]}]))
    assert old.get(f"/flows/{collection['id']}").json()["flow_collection"] == [{"id": flow["id"], "role": ""}]
    assert old.get(f"/flows/{collection['id']}/flow_collection").json() == [{"id": flow["id"], "role": ""}]
    assert old.get(f"/sources/{collection['source_id']}").json()["source_collection"][0]["role"] == ""


def test_there_are_no_images(old, client):
    image = client.put_flow(image_flow(label="still"))
    old.get(f"/flows/{image['id']}", expect=404)
    old.get(f"/sources/{image['source_id']}", expect=404)
    assert image["id"] in client.ids("/flows", label="still")
    page = old.get("/flows", params={"label": "still"})
    assert page.json() == [] and page.headers["X-Paging-Count"] == "0"
    other = image_flow()
    assert pointer(old.put(f"/flows/{other['id']}", other, expect=400)) == "/format"


def test_a_flow_made_from_a_profile_can_be_written(old, client):
    profile = {"id": new_id(), "label": "p", "flow_metadata": {
        name: value for name, value in video_flow().items() if name in ("format", "codec", "essence_parameters")}}
    client.post(f"/service/profiles/{profile['id']}", profile, expect=201)
    flow = {"id": new_id(), "source_id": new_id(), "profile_id": profile["id"]}
    client.put_flow(flow)
    shown = old.get(f"/flows/{flow['id']}").json()
    assert "profile_id" not in shown
    old.put(f"/flows/{flow['id']}", shown | {"label": "changed"}, expect=204)
    assert client.get(f"/flows/{flow['id']}").json()["label"] == "changed"


def test_segments_upload_and_urls(old):
    flow = old.put_flow()
    allocated = old.allocate(flow["id"], 2, object_ids=["not of 6.0"], storage_id="neither")
    assert len(allocated) == 2 and all(set(item) == {"object_id", "put_url"} for item in allocated)
    assert allocated[0]["put_url"]["url"].startswith(old.url + "/media/")
    old.upload(allocated[0], b"media")
    old.post(f"/flows/{flow['id']}/segments", segment(allocated[0]["object_id"], 0), expect=201)
    urls = old.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"]
    assert urls and all(set(url) == {"url", "label"} for url in urls)
    for url in urls:
        assert url["url"].startswith(old.url + "/media/")
        assert old.get(url["url"]).content == b"media"
    assert not old.get(f"/flows/{flow['id']}/segments", params={"accept_get_urls": ""}).json()[0].get("get_urls")


def test_get_urls_need_no_label(old, client):
    flow = old.put_flow()
    urls = [{"url": "https://media.example.com/1"}, {"url": "https://media.example.com/2"},
            {"url": "https://media.example.com/3", "label": "third"}]
    body = segment(new_id(), 0, get_urls=urls)
    client.post(f"/flows/{flow['id']}/segments", body, expect=400)
    old.post(f"/flows/{flow['id']}/segments", body, expect=201)
    assert old.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"] == urls
    shown = client.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"]
    assert [url["url"] for url in shown] == [url["url"] for url in urls] and "label" not in shown[0]
    labelled = old.get(f"/flows/{flow['id']}/segments", params={"accept_get_urls": "third"}).json()[0]["get_urls"]
    assert labelled == urls[2:]


def test_numbers_may_begin_with_zeros(old):
    flow = old.put_flow()
    body = segment(new_id(), 0, timerange="[00:000_010:00)", ts_offset="-00:05", last_duration="000:040000000",
                   get_urls=[{"url": "https://media.example.com/1"}])
    old.post(f"/flows/{flow['id']}/segments", body, expect=201)
    shown = old.get(f"/flows/{flow['id']}/segments", params={"timerange": "[009:0_020:00)"}).json()
    assert [item["timerange"] for item in shown] == ["[0:0_10:0)"]
    assert (shown[0]["ts_offset"], shown[0]["last_duration"]) == ("-0:5", "0:40000000")
    assert flow["id"] in old.ids("/flows", timerange="[00:00_01:00)")
    old.get(f"/flows/{flow['id']}/segments", params={"timerange": "[01"}, expect=400)
    old.delete(f"/flows/{flow['id']}/segments", params={"timerange": "[00:0_10:00)"})
    assert old.get(f"/flows/{flow['id']}/segments").json() == []


def test_a_list_that_comes_back_unchanged_stays_a_list(old, client):
    tags = {"auth_classes": ["news", "sport"], "genre": ["a", "b"], "kind": "live"}
    flow = client.put_flow(tags=tags)
    path = f"/flows/{flow['id']}"
    old.put(path, old.get(path).json() | {"label": "changed"}, expect=204)
    shown = client.get(path).json()
    assert shown["label"] == "changed" and shown["tags"] == tags
    old.put(f"{path}/tags/auth_classes", old.get(f"{path}/tags/auth_classes").json(), expect=204)
    source = f"/sources/{flow['source_id']}/tags/genre"
    old.put(source, old.get(source).json(), expect=204)
    assert client.get(source).json() == ["a", "b"]
    assert client.get(path).json()["tags"] == tags
    changed = tags | {"genre": "a,b,c", "kind": "tape"}
    old.put(path, old.get(path).json() | {"tags": old.get(f"{path}/tags").json() | {"genre": "a,b,c", "kind": "tape"}},
            expect=204)
    assert client.get(path).json()["tags"] == changed


class TestWebhooks:
    """They have no id: a registration is known by its URL and key."""

    HOOK = {"url": "https://hook.example.com/6", "api_key_name": "X-Key", "api_key_value": "secret"}

    def hooks(self, client) -> list:
        return [hook for hook in client.get("/service/webhooks").json() if hook["url"] == self.HOOK["url"]]

    def test_registering_replacing_removing(self, old, client):
        assert old.post("/service/webhooks", self.HOOK | {"events": ["flows/created"]}, expect=201).content == b""
        shown = {"url": self.HOOK["url"], "api_key_name": "X-Key", "events": ["flows/created"]}
        assert self.hooks(old) == [shown]
        [first] = self.hooks(client)
        flow_ids = [new_id()]
        old.post("/service/webhooks", self.HOOK | {"events": ["flows/deleted"], "flow_ids": flow_ids}, expect=201)
        assert self.hooks(old) == [shown | {"events": ["flows/deleted"], "flow_ids": flow_ids}]
        assert [hook["id"] for hook in self.hooks(client)] == [first["id"]]
        # Another key is another registration.
        old.post("/service/webhooks", self.HOOK | {"events": ["flows/created"], "api_key_value": "other"}, expect=201)
        assert len(self.hooks(old)) == 2
        old.post("/service/webhooks", self.HOOK | {"events": []}, expect=204)
        assert self.hooks(old) == [shown]
        old.post("/service/webhooks", self.HOOK | {"events": [], "api_key_value": "other"}, expect=204)
        old.post("/service/webhooks", self.HOOK | {"events": []}, expect=204)
        assert self.hooks(client) == []

    def test_one_that_was_disabled_goes_on(self, old, client):
        body = self.HOOK | {"events": ["flows/created"]}
        old.post("/service/webhooks", body, expect=201)
        [hook] = self.hooks(client)
        client.put(f"/service/webhooks/{hook['id']}", hook | {"status": "disabled"}, expect=201)
        old.post("/service/webhooks", body, expect=201)
        assert self.hooks(client)[0]["status"] in ("created", "started")
        client.delete(f"/service/webhooks/{hook['id']}")

    def test_all_come_at_once(self, old, client):
        for i in range(120):
            old.post("/service/webhooks", {"url": f"https://many.example.com/{i}", "events": ["flows/created"]},
                     expect=201)
        many = old.get("/service/webhooks").json()
        assert sum(hook["url"].startswith("https://many.example.com/") for hook in many) == 120

    @pytest.mark.parametrize("wrong", [{"url": "https://10.0.0.1/"}, {"events": ["no/event"]}, {"flow_ids": ["x"]}])
    def test_what_is_wrong_is_refused(self, old, wrong):
        body = {"url": "https://hook.example.com/w", "events": ["flows/created"]} | wrong
        assert pointer(old.post("/service/webhooks", body, expect=400)).startswith("/" + next(iter(wrong)))


def test_segments_come_one_by_one(old):
    flow = old.put_flow()
    item = segment(new_id(), 0, get_urls=[{"url": "https://media.example.com/1"}])
    old.post(f"/flows/{flow['id']}/segments", [item], expect=400)
    assert old.get(f"/flows/{flow['id']}/segments").json() == []


def test_parameters_of_later_versions_mean_nothing(old, client):
    flow = old.put_flow(label="only one")
    wrong = {"accept_storage_ids": "no uuid", "sort_by": "colour", "presigned": "perhaps", "limit": "5"}
    client.get(f"/flows/{flow['id']}/segments", params=wrong, expect=400)
    old.get(f"/flows/{flow['id']}/segments", params=wrong)
    assert old.ids("/flows", label="only one", sort_by="colour", status="ingesting") == [flow["id"]]


@pytest.mark.parametrize("path", ["/objects/x", "/service/storage-backends", "/service/profiles", "/health"])
def test_operations_of_later_versions_are_not_there(old, path):
    old.request("GET", path, expect=404)


@pytest.mark.parametrize("prefix", ["/v8.2", "/v6.0"])
def test_links_stay_under_the_prefix(server, prefix):
    client = Client(server.url, prefix)
    source = new_id()
    flows = [client.put_flow(source_id=source) for _ in range(3)]
    # pages() holds every link against the client's own address.
    assert sorted(client.ids("/flows", source_id=source, limit=1)) == sorted(flow["id"] for flow in flows)
    created = client.put(f"/flows/{new_id()}", expect=404, json=video_flow())
    assert created.status_code == 404
    flow = video_flow()
    location = client.put(f"/flows/{flow['id']}", flow, expect=201).headers["Location"]
    assert location == f"{client.url}/flows/{flow['id']}"
    assert client.get(location).json()["id"] == flow["id"]


def test_8_2_with_prefix_is_8_2(server, client):
    prefixed = Client(server.url, "/v8.2")
    flow = prefixed.put_flow(tags={"list": ["a", "b"]})
    assert prefixed.get(f"/flows/{flow['id']}").json() == client.get(f"/flows/{flow['id']}").json()
    prefixed.add_segments(flow["id"], 1)
    urls = prefixed.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"]
    assert all(url["url"].startswith(prefixed.url + "/media/") for url in urls)
    assert prefixed.own.operations() == client.own.operations()


def test_conditions_hold_for_what_the_client_saw(old, client):
    flow = client.put_flow(tags={"a": ["b", "c"]})
    path = f"/flows/{flow['id']}"
    seen = old.get(path)
    assert seen.headers["ETag"] != client.get(path).headers["ETag"]
    changed = seen.json() | {"label": "first"}
    old.put(path, changed, headers={"If-Match": seen.headers["ETag"]}, expect=204)
    old.put(path, changed | {"label": "second"}, headers={"If-Match": seen.headers["ETag"]}, expect=412)


@pytest.mark.parametrize("path", ["/v6", "/v6.0x/flows", "/v8.2flows", "/v7.0/flows", "/v6.0/v6.0/flows"])
def test_other_prefixes_are_nothing(client, path):
    assert client.session.get(client.url + path, timeout=30).status_code == 404

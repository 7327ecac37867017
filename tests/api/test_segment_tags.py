"""Tags of segments: given at registration, changed later, asked for."""
import pytest
from test_concurrency import at_once, check_store
from tams_client import Client, new_id, pointer, segment


@pytest.fixture
def flow(client) -> dict:
    return client.put_flow()


def path_of(flow: dict, start: str = "0:0") -> str:
    return f"/flows/{flow['id']}/segments/{start}/tags"


def register(client: Client, flow: dict, start: int, tags: dict | None = None) -> dict:
    media = client.allocate(flow["id"])[0]["object_id"]
    body = segment(media, start) if tags is None else segment(media, start, tags=tags)
    client.post(f"/flows/{flow['id']}/segments", body, expect=201)
    return body


def listed(client: Client, flow: dict, **query) -> list:
    return client.items(f"/flows/{flow['id']}/segments", **query)


def starts(client: Client, flow: dict, **query) -> list[int]:
    return [int(item["timerange"][1:].split(":")[0]) for item in listed(client, flow, **query)]


def test_given_with_the_segment(client, flow):
    tags = {"camera": "1", "quality": ["good", "sharp"], "with.dot/ü": ""}
    register(client, flow, 0, tags)
    register(client, flow, 1)
    register(client, flow, 2, {})
    first, second, third = listed(client, flow)
    assert first["tags"] == tags
    assert "tags" not in second and "tags" not in third
    assert listed(client, flow, object_id=first["object_id"])[0]["tags"] == tags
    assert client.get(path_of(flow)).json() == tags
    assert client.get(path_of(flow, "1:0")).json() == {}


def test_bulk_and_forms(client, flow):
    objects = [item["object_id"] for item in client.allocate(flow["id"], 2)]
    client.post(f"/flows/{flow['id']}/segments",
                [segment(objects[0], 0, tags={"a": "b"}), segment(objects[1], 1)], expect=201)
    form = {"segment": (None, '{"timerange":"[2:0_3:0)","tags":{"c":"d"}}'), "file": ("x", b"bytes")}
    assert client.session.post(f"{client.url}/flows/{flow['id']}/segments", files=form, timeout=30).status_code == 201
    assert [item.get("tags") for item in listed(client, flow)] == [{"a": "b"}, None, {"c": "d"}]


@pytest.mark.parametrize("tags, where", [(5, "/tags"), ([], "/tags"), ({"a": 1}, "/tags/a"), ({"a": ["b", 2]}, "/tags/a/1"),
                                         (None, "/tags")])
def test_what_are_no_tags(client, flow, tags, where):
    media = client.allocate(flow["id"])[0]["object_id"]
    body = segment(media, 0) | {"tags": tags}
    assert pointer(client.post(f"/flows/{flow['id']}/segments", body, expect=400)) == where
    register(client, flow, 0)
    client.put(path_of(flow), tags, expect=400)
    assert client.get(path_of(flow)).json() == {}


def test_one_tag(client, flow):
    register(client, flow, 0)
    one = path_of(flow) + "/take"
    client.get(one, expect=404)
    client.put(one, "3", expect=204)
    client.put(path_of(flow) + "/a%2Fb", ["x", "y"], expect=204)
    assert client.get(one).json() == "3"
    assert listed(client, flow)[0]["tags"] == {"take": "3", "a/b": ["x", "y"]}
    client.put(one, 5, expect=400)
    client.delete(one)
    client.delete(one, expect=404)
    assert client.get(path_of(flow)).json() == {"a/b": ["x", "y"]}
    client.delete(path_of(flow) + "/a%2Fb")
    assert "tags" not in listed(client, flow)[0]


def test_all_tags(client, flow):
    register(client, flow, 0, {"old": "x"})
    client.put(path_of(flow), {"new": "y", "more": []}, expect=204)
    assert client.get(path_of(flow)).json() == {"new": "y", "more": []}
    client.put(path_of(flow), {}, expect=204)
    assert "tags" not in listed(client, flow)[0]
    client.put(path_of(flow), {"a": "b"}, expect=204)
    client.delete(path_of(flow))
    client.delete(path_of(flow))
    assert client.get(path_of(flow)).json() == {}


def test_addresses(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    client.post(f"/flows/{flow['id']}/segments", {"object_id": media, "timerange": "[-1:500000000_2:0)"}, expect=201)
    client.put(path_of(flow, "-1:500000000"), {"a": "b"}, expect=204)
    for start in ("0:0", "-1:0", "2:0", "x", "1", "[-1:500000000_2:0)", "00:0"):
        client.get(path_of(flow, start), expect=404)
        client.put(path_of(flow, start) + "/a", "x", expect=404)
        client.delete(path_of(flow, start), expect=404)
    client.get(f"/flows/{new_id()}/segments/0:0/tags", expect=404)
    client.put(f"/flows/{new_id()}/segments/0:0/tags", {}, expect=404)
    assert listed(client, flow)[0]["tags"] == {"a": "b"}


def test_read_only_flows(client, flow):
    register(client, flow, 0, {"a": "b"})
    client.put(f"/flows/{flow['id']}/read_only", True)
    client.put(path_of(flow), {}, expect=403)
    client.delete(path_of(flow), expect=403)
    client.put(path_of(flow) + "/a", "c", expect=403)
    client.delete(path_of(flow) + "/a", expect=403)
    assert client.get(path_of(flow)).json() == {"a": "b"}


def test_filters(client, flow):
    for start, tags in enumerate([{"camera": "1"}, {"camera": "2", "good": "yes"}, None, {"camera": ["1", "3"]}, {}]):
        register(client, flow, start, tags)
    assert starts(client, flow, **{"tag.camera": "1"}) == [0, 3]
    assert starts(client, flow, **{"tag.camera": "2,3"}) == [1, 3]
    assert starts(client, flow, **{"tag.camera": "2", "tag.good": "yes"}) == [1]
    assert starts(client, flow, **{"tag_exists.good": "true"}) == [1]
    assert starts(client, flow, **{"tag_exists.camera": "false"}) == [2, 4]
    assert starts(client, flow, **{"tag.camera": "1", "reverse_order": "true"}) == [3, 0]
    assert starts(client, flow, **{"tag.camera": "1", "timerange": "[1:0_9:0)"}) == [3]
    assert starts(client, flow, **{"tag.none": "x"}) == []
    client.get(f"/flows/{flow['id']}/segments", params={"tag_exists.camera": "1"}, expect=400)
    # Pages are of what is asked for.
    pages = client.pages(f"/flows/{flow['id']}/segments", limit=1, **{"tag.camera": "1"})
    assert [page.headers["X-Paging-Count"] for page in pages] == ["1", "1"]
    assert pages[1].headers["X-Paging-Timerange"] == "[3:0_4:0)"


def test_a_rare_tag_in_a_long_flow(client, flow):
    """A request looks at a bounded number of segments; paging goes on behind them."""
    urls = [{"url": "https://example.com", "label": "elsewhere"}]
    count, rare = 12_000, (0, 7_000, 11_999)
    for start in range(0, count, 6000):
        body = [segment(new_id(), i, get_urls=urls) | ({"tags": {"rare": "x"}} if i in rare else {})
                for i in range(start, start + 6000)]
        client.post(f"/flows/{flow['id']}/segments", body, expect=201)
    for reverse in ("false", "true"):
        pages = client.pages(f"/flows/{flow['id']}/segments", reverse_order=reverse, accept_get_urls="", **{"tag.rare": "x"})
        found = [int(item["timerange"][1:].split(":")[0]) for page in pages for item in page.json()]
        assert found == sorted(rare, reverse=reverse == "true")
        assert len(pages) == 3


def test_a_repeat_has_the_same_tags(client, flow):
    path = f"/flows/{flow['id']}/segments"
    body = register(client, flow, 0, {"a": "b", "c": ["d"]})
    client.post(path, body, expect=201)
    client.post(path, body | {"tags": {"c": ["d"], "a": "b"}}, expect=201)
    for other in ({"a": "b"}, {"a": "x", "c": ["d"]}, {}):
        client.post(path, body | {"tags": other}, expect=400)
    plain = register(client, flow, 1)
    client.post(path, plain | {"tags": {}}, expect=201)
    client.post(path, plain | {"tags": {"a": "b"}}, expect=400)
    assert [item.get("tags") for item in listed(client, flow)] == [{"a": "b", "c": ["d"]}, None]


def test_a_new_segment_does_not_inherit_tags(client, flow):
    register(client, flow, 0, {"a": "b"})
    client.delete(f"/flows/{flow['id']}/segments", expect=(202, 204))
    client.get(path_of(flow), expect=404)
    register(client, flow, 0)
    assert client.get(path_of(flow)).json() == {}


def test_the_log_tells_of_changes(client, flow):
    register(client, flow, 0, {"a": "b"})
    client.put(path_of(flow) + "/c", "d", expect=204)
    client.delete(path_of(flow))
    removed, added, registered = client.items("/audit", flow_id=flow["id"])[:3]
    assert [item["type"] for item in (removed, added)] == ["flows/segment_tags_changed"] * 2
    one, both = ({"timerange": "[0:0_1:0)", "tags": tags} for tags in ({"a": "b"}, {"a": "b", "c": "d"}))
    assert added["before"] == one and added["event"] == {"flow_id": flow["id"], "segment": both}
    assert removed["before"] == both
    assert removed["event"] == {"flow_id": flow["id"], "segment": {"timerange": "[0:0_1:0)"}}
    # Events are as TAMS has them.
    assert registered["type"] == "flows/segments_added"
    assert "tags" not in registered["event"]["segments"][0]


def test_6_0_has_none(client, flow):
    register(client, flow, 0, {"a": "b"})
    old = Client(client.url, "/v6.0")
    assert "tags" not in old.get(f"/flows/{flow['id']}/segments", params={"tag.a": "x"}).json()[0]
    assert client.session.get(old.url + path_of(flow), timeout=30).status_code == 404


def test_conditions(client, flow):
    register(client, flow, 0, {"a": "1"})
    seen = client.get(path_of(flow)).headers["ETag"]
    client.put(path_of(flow) + "/a", "2", expect=204)
    client.request("PUT", path_of(flow), 412, json={}, headers={"If-Match": seen})
    client.request("PUT", path_of(flow) + "/a", 412, json="3", headers={"If-None-Match": "*"})
    client.request("PUT", path_of(flow) + "/b", 204, json="3", headers={"If-None-Match": "*"})
    client.request("DELETE", path_of(flow), 204, headers={"If-Match": client.get(path_of(flow)).headers["ETag"]})


def test_writers_at_once(fresh_server):
    client = Client(fresh_server.url)
    flow = client.put_flow()
    register(client, flow, 0)
    url = client.url + path_of(flow)

    def work(i, session):
        for k in range(5):
            assert session.put(f"{url}/t{i}.{k}", json="x", timeout=60).status_code == 204

    at_once(20, work)
    assert set(client.get(path_of(flow)).json()) == {f"t{i}.{k}" for i in range(20) for k in range(5)}
    check_store(fresh_server)


def test_tags_come_back_from_the_trash(client, flow):
    register(client, flow, 0, {"a": "b"})
    put_away = client.delete(f"/flows/{flow['id']}/segments", params={"soft_delete": "true", "timerange": "[0:0_1:0)"})
    client.get(path_of(flow), expect=404)
    client.post(put_away.headers["Location"].removeprefix(client.url) + "/restore", expect=(200, 201, 204))
    assert client.get(path_of(flow)).json() == {"a": "b"}

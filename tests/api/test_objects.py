"""Objects: allocation, registration, reuse, removal."""
import pytest
from tams_client import new_id, pointer, segment, segment_path, video_flow

ODD_IDS = ["a/b", "a%2Fb", "a%b", "with space", "ünï/☃", "?q=1#f", "a//b", "/leading", "trailing/", "+plus+", "x" * 500,
           "…", "a\\b", "'\"", "{id}", "media/0/1"]


@pytest.fixture
def flow(client):
    return client.put_flow()


@pytest.fixture
def init_flow(client):
    """A flow whose segments have initialisation objects."""
    return client.put_flow(essence_parameters=video_flow()["essence_parameters"] | {"init_segments": True})


def register(client, flow, body, expect=201):
    return client.post(f"/flows/{flow['id']}/segments", body, expect=expect)


def storage(client, flow, body, expect=201):
    return client.post(f"/flows/{flow['id']}/storage", body, expect=expect)


def get_object(client, object_id, expect=200, **query):
    return client.get(f"/objects/{segment_path(object_id)}", expect=expect, params=query)


# Allocation.

def test_allocation_answers_with_put_urls(client, flow):
    found = storage(client, flow, {"limit": 3}).json()["media_objects"]
    assert len({item["object_id"] for item in found}) == 3
    for item in found:
        put = item["put_url"]
        assert put["url"].startswith(client.url + "/")
        assert put["content-type"] == put["headers"]["Content-Type"] == flow["container"]
        assert item["presigned"] is True
    assert "presigned" not in storage(client, flow, {"limit": 1, "presigned": False}).json()["media_objects"][0] or \
        storage(client, flow, {"limit": 1, "presigned": False}).json()["media_objects"][0]["presigned"] is False


def test_allocation_of_chosen_ids(client, flow):
    ids = [new_id() + suffix for suffix in ("", "/a", "%2F", " ü")]
    found = storage(client, flow, {"object_ids": ids}).json()["media_objects"]
    assert [item["object_id"] for item in found] == ids
    assert pointer(storage(client, flow, {"object_ids": [new_id(), ids[0]]}, 400)) == "/object_ids"
    storage(client, flow, {"object_ids": [ids[1]]}, 400)


def test_a_refused_allocation_allocates_nothing(client, flow):
    taken = client.allocate(flow["id"])[0]["object_id"]
    wanted = new_id()
    storage(client, flow, {"object_ids": [wanted, taken]}, 400)
    storage(client, flow, {"object_ids": [wanted]}, 201)


@pytest.mark.parametrize("body, where", [
    ({"limit": 1, "object_ids": ["x"]}, ""), ({"limit": 0}, "/limit"), ({"limit": -5}, "/limit"),
    ({"limit": "1"}, "/limit"), ({"limit": 1.5}, "/limit"), ({"object_ids": "x"}, "/object_ids"),
    ({"object_ids": [5]}, "/object_ids/0"), ({"object_ids": [""]}, "/object_ids"),
    ({"object_ids": ["same", "same"]}, "/object_ids"), ({"storage_id": "x"}, "/storage_id"),
    ({"storage_id": "0a1b2c3d-0000-4000-8000-000000000000"}, "/storage_id"), ({"content_type": "x"}, "/content_type"),
    ({"presigned": "yes"}, "/presigned"), ([], ""), (None, ""),
])
def test_wrong_allocations(client, flow, body, where):
    response = storage(client, flow, body, 400)
    assert (pointer(response) or "").startswith(where), response.text


def test_allocation_is_bounded(client, flow):
    found = storage(client, flow, {"limit": 10**12}, (201, 400))
    if found.status_code == 201:
        assert len(found.json()["media_objects"]) <= 1000
    storage(client, flow, {"object_ids": [f"{new_id()}" for _ in range(1001)]}, 400)
    assert 1 <= len(storage(client, flow, {}).json()["media_objects"]) <= 100


def test_allocation_for_flows_that_cannot(client):
    storage(client, {"id": new_id()}, {"limit": 1}, 404)
    storage(client, {"id": "x"}, {"limit": 1}, 404)


# Registration.

@pytest.mark.parametrize("object_id", ODD_IDS)
def test_object_ids_may_be_odd(client, flow, object_id):
    client.get("/objects/" + segment_path(object_id), expect=404)
    media = storage(client, flow, {"object_ids": [object_id]}).json()["media_objects"][0]
    # Not there until a segment registers it.
    get_object(client, object_id, expect=404)
    client.upload(media, b"bytes of " + object_id.encode())
    register(client, flow, segment(object_id, 0))
    found = get_object(client, object_id).json()
    assert found["id"] == object_id and found["referenced_by_flows"] == [flow["id"]]
    assert found["first_referenced_by_flow"] == flow["id"]
    assert found["timerange"] == "[0:0_1:0)"
    for url in found["get_urls"]:
        assert client.get(url["url"]).content == b"bytes of " + object_id.encode()
    assert client.timeranges(flow["id"], object_id=object_id) == ["[0:0_1:0)"]
    client.head(f"/objects/{segment_path(object_id)}")
    client.delete(f"/flows/{flow['id']}")
    get_object(client, object_id, expect=404)


def test_the_first_use_is_on_the_flow_it_was_allocated_for(client, flow):
    other = client.put_flow()
    media = client.allocate(flow["id"])[0]["object_id"]
    assert pointer(register(client, other, segment(media, 0), 400)) == "/object_id"
    register(client, flow, segment(media, 0))
    register(client, other, segment(media, 0))
    assert set(get_object(client, media).json()["referenced_by_flows"]) == {flow["id"], other["id"]}


def test_unknown_objects_need_urls(client, flow):
    unknown = new_id()
    assert pointer(register(client, flow, segment(unknown, 0), 400)) == "/object_id"
    urls = [{"url": "https://example.com/a%20b?x=1", "label": "elsewhere"}, {"url": "s3://bucket/key", "label": "b"}]
    register(client, flow, segment(unknown, 0, get_urls=urls))
    shown = get_object(client, unknown, verbose_storage="true").json()["get_urls"]
    assert [(url["url"], url["label"], url["controlled"]) for url in shown] == [
        (url["url"], url["label"], False) for url in urls]


def test_urls_for_a_known_object_are_refused(client, flow):
    media = client.add_segments(flow["id"], 1)[0]["object_id"]
    body = segment(media, 0, get_urls=[{"url": "https://example.com", "label": "x"}])
    register(client, client.put_flow(), body, 400)


def test_object_timerange_limits_reuse(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    register(client, flow, segment(media, 10, object_timerange="[0:0_5:0)", ts_offset="10:0"))
    assert get_object(client, media).json()["timerange"] == "[0:0_5:0)"
    other = client.put_flow()
    register(client, other, segment(media, 0, 5))
    register(client, other, segment(media, 20, 5, ts_offset="20:0"))
    assert pointer(register(client, other, segment(media, 100, 6, ts_offset="100:0"), 400)) == "/timerange"
    register(client, other, segment(media, 100, 1), 400)
    register(client, other, segment(media, 100, 1, ts_offset="101:0"), 400)
    register(client, other, segment(media, 104, 1, ts_offset="100:0"))


def test_reuse_may_repeat_but_not_change_properties(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    register(client, flow, segment(media, 0, 10, key_frame_count=4, object_timerange="[0:0_10:0)"))
    other = client.put_flow()
    register(client, other, segment(media, 0, key_frame_count=4, object_timerange="[0:0_10:0)"))
    assert pointer(register(client, other, segment(media, 5, key_frame_count=5), 400)) == "/key_frame_count"
    changed = segment(media, 5, object_timerange="[0:0_11:0)")
    assert pointer(register(client, other, changed, 400)) == "/object_timerange"
    assert get_object(client, media).json()["key_frame_count"] == 4


def test_timeranges_are_normalised_when_compared(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    register(client, flow, segment(media, 0, object_timerange="[0:0_1:0)", ts_offset="-0:0"))
    register(client, client.put_flow(), segment(media, 0, object_timerange="[0:0_1:0)", ts_offset="0:0"))


# Initialisation objects.

def test_init_objects(client, init_flow):
    media, init = client.allocate(init_flow["id"], 2)
    assert client.upload(init, b"init").status_code == 200
    register(client, init_flow, segment(media["object_id"], 0, init_object_id=init["object_id"]))
    shown = client.get(f"/flows/{init_flow['id']}/segments").json()[0]["init_object"]
    assert shown["object_id"] == init["object_id"] and shown["get_urls"]
    media_object = get_object(client, media["object_id"]).json()
    assert media_object["init_object"]["id"] == init["object_id"] and media_object["init_object"]["get_urls"]
    init_object = get_object(client, init["object_id"]).json()
    assert "timerange" not in init_object
    assert init_object["referenced_by_flows"] == [init_flow["id"]]
    for url in init_object["get_urls"]:
        assert client.get(url["url"]).content == b"init"


def test_reuse_recovers_the_init_object(client, init_flow):
    media, init = (item["object_id"] for item in client.allocate(init_flow["id"], 2))
    register(client, init_flow, segment(media, 0, init_object_id=init))
    other = client.put_flow(essence_parameters=init_flow["essence_parameters"])
    register(client, other, segment(media, 0))
    assert client.get(f"/flows/{other['id']}/segments").json()[0]["init_object"]["object_id"] == init
    register(client, client.put_flow(essence_parameters=init_flow["essence_parameters"]),
             segment(media, 0, init_object_id=init))
    another = client.put_flow(essence_parameters=init_flow["essence_parameters"])
    assert pointer(register(client, another, segment(media, 0, init_object_id=new_id()), 400)) == "/init_object_id"
    assert set(get_object(client, init).json()["referenced_by_flows"]) >= {init_flow["id"], other["id"]}


def test_media_and_init_objects_do_not_swap(client, init_flow):
    media, init, more = (item["object_id"] for item in client.allocate(init_flow["id"], 3))
    register(client, init_flow, segment(media, 0, init_object_id=init))
    assert pointer(register(client, init_flow, segment(init, 5, init_object_id=more), 400)) == "/object_id"
    assert pointer(register(client, init_flow, segment(more, 5, init_object_id=media), 400)) == "/init_object_id"
    assert pointer(register(client, init_flow, segment(more, 5, init_object_id=more), 400)) in (
        "/object_id", "/init_object_id")


def test_init_objects_must_exist(client, init_flow):
    media = client.allocate(init_flow["id"])[0]["object_id"]
    assert pointer(register(client, init_flow, segment(media, 0, init_object_id="nothing"), 400)) == "/init_object_id"
    assert client.timeranges(init_flow["id"]) == []


def test_content_type_of_init_objects(client, init_flow):
    init = storage(client, init_flow, {"limit": 1, "content_type": "video/mp4"}).json()["media_objects"][0]
    assert init["put_url"]["content-type"] == "video/mp4"
    client.upload(init, b"init")


# Removal.

def test_bytes_go_with_the_last_use(client, flow):
    media = client.allocate(flow["id"])[0]
    client.upload(media, b"content")
    register(client, flow, segment(media["object_id"], 0, object_timerange="[0:0_10:0)"))
    other = client.put_flow()
    register(client, other, segment(media["object_id"], 5))
    register(client, flow, segment(media["object_id"], 7))
    url = get_object(client, media["object_id"]).json()["get_urls"][0]["url"]
    client.delete(f"/flows/{flow['id']}/segments", params={"timerange": "[0:0_5:0)"})
    assert client.get(url).content == b"content"
    client.delete(f"/flows/{flow['id']}")
    assert get_object(client, media["object_id"]).json()["referenced_by_flows"] == [other["id"]]
    assert client.get(url).content == b"content"
    client.delete(f"/flows/{other['id']}/segments")
    get_object(client, media["object_id"], expect=404)
    client.get(url, expect=404)


def test_init_bytes_go_with_the_last_media_object(client, init_flow):
    one, two, init = client.allocate(init_flow["id"], 3)
    for item in (one, two, init):
        client.upload(item, item["object_id"].encode())
    ids = [item["object_id"] for item in (one, two, init)]
    register(client, init_flow, [segment(ids[0], 0, init_object_id=ids[2]), segment(ids[1], 1, init_object_id=ids[2])])
    url = get_object(client, ids[2]).json()["get_urls"][0]["url"]
    client.delete(f"/flows/{init_flow['id']}/segments", params={"timerange": "[0:0_1:0)"})
    get_object(client, ids[0], expect=404)
    assert client.get(url).content == ids[2].encode()
    client.delete(f"/flows/{init_flow['id']}/segments")
    get_object(client, ids[2], expect=404)
    client.get(url, expect=404)


def test_a_removed_id_can_be_allocated_and_filled_again(client, flow):
    """On the same day both have the same place on disk; the first one's removal must not take the second one's."""
    id_ = new_id()
    for round_ in range(5):
        media = storage(client, flow, {"object_ids": [id_]}).json()["media_objects"][0]
        client.upload(media, f"round {round_}".encode())
        register(client, flow, segment(id_, 0))
        url = get_object(client, id_).json()["get_urls"][0]["url"]
        assert client.get(url).content == f"round {round_}".encode()
        client.delete(f"/flows/{flow['id']}/segments")


# Paging and filters of referenced_by_flows.

def test_referencing_flows_are_paged(client, flow):
    media = client.add_segments(flow["id"], 1)[0]["object_id"]
    flows = {flow["id"]}
    for i in range(11):
        other = client.put_flow(tags={"n": str(i % 2)})
        register(client, other, segment(media, 0))
        flows.add(other["id"])
    pages = client.pages(f"/objects/{segment_path(media)}", limit=5)
    seen = [id_ for page in pages for id_ in page.json()["referenced_by_flows"]]
    assert len(pages) == 3 and len(seen) == 12 and set(seen) == flows
    assert pages[0].headers["X-Paging-Limit"] == "5"
    tagged = client.pages(f"/objects/{segment_path(media)}", **{"flow_tag.n": "1", "limit": 2})
    assert sum(len(page.json()["referenced_by_flows"]) for page in tagged) == 5
    untagged = get_object(client, media, **{"flow_tag_exists.n": "false"}).json()["referenced_by_flows"]
    assert untagged == [flow["id"]]


def test_a_flow_is_named_once_however_often_it_uses_an_object(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    register(client, flow, [segment(media, 0, object_timerange="[0:0_100:0)")] + [segment(media, i) for i in range(1, 20)])
    assert get_object(client, media, limit=1).json()["referenced_by_flows"] == [flow["id"]]


@pytest.mark.parametrize("query", ["page=x", "presigned=1", "verbose_storage=1", "flow_tag_exists.a=1",
                                   "accept_storage_ids=x"])
def test_wrong_object_queries(client, flow, query):
    media = client.add_segments(flow["id"], 1)[0]["object_id"]
    assert pointer(client.get(f"/objects/{media}?{query}", expect=400)) == "?" + query.split("=")[0]

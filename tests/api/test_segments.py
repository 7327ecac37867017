"""Registering and listing segments."""
import pytest
from tams_client import audio_flow, multi_flow, new_id, pointer, segment, video_flow


@pytest.fixture
def flow(client):
    return client.put_flow()


def external(object_id=None, start=0, seconds=1, **members):
    """A segment whose bytes are elsewhere."""
    urls = [{"url": "https://example.com/x", "label": "elsewhere"}]
    return segment(object_id or new_id(), start, seconds, get_urls=urls, **members)


def post(client, flow, body, expect):
    return client.post(f"/flows/{flow['id']}/segments", body, expect=expect)


def test_one_segment(client, flow):
    media = client.allocate(flow["id"])[0]
    body = segment(media["object_id"], 5, ts_offset="-3:500000000", last_duration="0:40000000", sample_offset=0,
                   sample_count=25, key_frame_count=2)
    post(client, flow, body, 201)
    found = client.get(f"/flows/{flow['id']}/segments", params={"accept_get_urls": ""}).json()
    assert len(found) == 1
    shown = {name: found[0].get(name) for name in body}
    assert shown == body
    assert found[0].get("get_urls", []) == []
    assert client.get(f"/flows/{flow['id']}").json()["segments_updated"]


def test_many_segments_come_in_time_order(client, flow, rng):
    starts = list(range(-20, 20))
    objects = client.allocate(flow["id"], len(starts))
    bodies = [segment(item["object_id"], start) for item, start in zip(objects, starts)]
    # -1 to 0 is written "[-1:0_0:0)".
    rng.shuffle(bodies)
    post(client, flow, bodies, 201)
    expected = [f"[{start}:0_{start + 1}:0)" for start in starts]
    assert client.timeranges(flow["id"]) == expected
    assert client.timeranges(flow["id"], reverse_order="true") == expected[::-1]


@pytest.mark.parametrize("taken, asked, free", [
    ("[0:0_1:0)", "[1:0_2:0)", True),
    ("[1:0_2:0)", "[0:0_1:0)", True),
    ("[0:0_1:0]", "[1:0_2:0)", False),
    ("[1:0_2:0)", "[0:0_1:0]", False),
    ("[1:0_2:0)", "[2:0]", True),
    ("[1:0_2:0]", "[2:0]", False),
    ("[1:0]", "[1:0]", False),
    ("[1:0]", "[1:0_2:0)", False),
    ("[1:0]", "[0:0_1:0)", True),
    ("[1:0]", "[1:1_2:0)", True),
    ("[0:0_10:0)", "[4:0_5:0)", False),
    ("[4:0_5:0)", "[0:0_10:0)", False),
    ("[0:0_1:0)", "[0:0_1:0)", False),
    ("[0:0_1:0)", "[0:999999999_2:0)", False),
    ("[-1:0_0:0)", "[0:0_1:0)", True),
    ("[-1:0_0:0]", "[0:0_1:0)", False),
    ("[281474976710654:0_281474976710655:0)", "[281474976710655:0]", True),
    ("[-281474976710655:999999999_-281474976710655:0]", "[-281474976710655:0]", False),
])
def test_overlap_depends_on_the_ends(client, flow, taken, asked, free):
    post(client, flow, external() | {"timerange": taken}, 201)
    response = post(client, flow, external() | {"timerange": asked}, 201 if free else 400)
    if not free:
        assert pointer(response) == "/timerange"
        assert taken in response.json()["message"] or "overlap" in response.json()["message"]
        assert len(client.timeranges(flow["id"])) == 1


@pytest.mark.parametrize("timerange", ["", "()", "_", "[0:0_", "_5:0)", "(0:0_1:0)", "[1:0_0:0)", "[1:0_1:0)", "(1:0)",
                                       "[0:0)", "[0:0_1:0", "x", "[00:0_1:0)", "[0:1000000000_2:0)", "[0:0_01:0)",
                                       "[0:0_281474976710656:0)", "[99999999999999999999:0]", "[]", "[0.5_1]", 5, None])
def test_times_that_no_segment_can_have(client, flow, timerange):
    response = post(client, flow, external() | {"timerange": timerange}, (400, 201))
    if timerange == "[0:0_1:0":
        # A missing marker at the end is legal; what it means is an end that belongs to the range.
        assert response.status_code in (201, 400)
        return
    assert response.status_code == 400 and pointer(response) == "/timerange", response.text


@pytest.mark.parametrize("change, where", [
    ({"object_id": None}, ""), ({"object_id": 5}, "/object_id"), ({"timerange": None}, ""),
    ({"ts_offset": "1"}, "/ts_offset"), ({"ts_offset": "01:0"}, "/ts_offset"),
    ({"object_timerange": "x"}, "/object_timerange"), ({"last_duration": "-1:0"}, "/last_duration"),
    ({"last_duration": 1}, "/last_duration"), ({"sample_offset": "x"}, "/sample_offset"),
    ({"sample_count": 1.5}, "/sample_count"), ({"key_frame_count": "1"}, "/key_frame_count"),
    ({"init_object_id": 5}, "/init_object_id"), ({"get_urls": {}}, "/get_urls"),
    ({"get_urls": [{"url": "http://x"}]}, "/get_urls/0"), ({"get_urls": [{"label": "x"}]}, "/get_urls/0"),
    ({"get_urls": [{"url": "http://x", "label": "a"}, {"url": "http://y", "label": "a"}]}, "/get_urls"),
    ({"get_urls": [{"url": "http://x", "label": "local"}]}, "/get_urls"),
])
def test_a_wrong_member_is_named(client, flow, change, where):
    body = {name: value for name, value in (external() | change).items() if value is not None}
    response = post(client, flow, body, 400)
    assert (pointer(response) or "").startswith(where), response.text
    assert client.timeranges(flow["id"]) == []
    # The same in an array: what is no segment spoils the whole; of what is one but cannot be registered, the answer
    # says so, and the rest is.
    good = external(start=100)
    response = post(client, flow, [good, body], (200, 400))
    if response.status_code == 400:
        assert pointer(response).startswith("/1" + where), response.text
        assert client.timeranges(flow["id"]) == []
    else:
        answer = response.json()["failed_segments"]
        assert len(answer) == 1 and answer[0]["error"]["type"] == "invalid"
        assert client.timeranges(flow["id"]) == ["[100:0_101:0)"]


def test_bodies_that_are_no_segments(client, flow):
    for body in (None, 5, "x", True):
        post(client, flow, body, 400)
    post(client, flow, [], 201)
    post(client, flow, [5, None, "x"], 400)


def test_unknown_flows(client):
    body = external()
    for id_ in (new_id(), "not-a-uuid"):
        client.post(f"/flows/{id_}/segments", body, expect=404)
        client.delete(f"/flows/{id_}/segments", expect=404)
    # A flow that does not exist has no segments; an id that cannot exist is not found.
    assert client.get(f"/flows/{new_id()}/segments").json() == []
    client.get("/flows/not-a-uuid/segments", expect=404)


def test_a_flow_without_container_has_no_segments(client):
    flow = client.put_flow(multi_flow(container=None))
    post(client, flow, external(), 400)
    client.post(f"/flows/{flow['id']}/storage", {"limit": 1}, expect=400)


def test_bulk_goes_on_after_failures(client, flow):
    client.add_segments(flow["id"], 1, start=5)
    objects = client.allocate(flow["id"], 10)
    bodies = [segment(item["object_id"], start) for start, item in enumerate(objects)]
    bodies[2]["object_id"] = "nobody allocated this"
    bodies.append(segment(bodies[0]["object_id"], 20, object_timerange="[7:0_8:0)"))
    failed = post(client, flow, bodies, 200).json()["failed_segments"]
    assert [(item["object_id"], item["timerange"]) for item in failed] == [
        ("nobody allocated this", "[2:0_3:0)"), (bodies[5]["object_id"], "[5:0_6:0)"),
        (bodies[0]["object_id"], "[20:0_21:0)")]
    assert all({"type", "summary", "time"} <= set(item["error"]) for item in failed)
    assert client.timeranges(flow["id"]) == [f"[{i}:0_{i + 1}:0)" for i in range(10) if i != 2]


def test_overlap_within_one_request(client, flow):
    objects = client.allocate(flow["id"], 3)
    bodies = [segment(objects[0]["object_id"], 0, 2), segment(objects[1]["object_id"], 1, 2),
              segment(objects[2]["object_id"], 2, 2)]
    failed = post(client, flow, bodies, 200).json()["failed_segments"]
    assert [item["timerange"] for item in failed] == ["[1:0_3:0)"]
    assert client.timeranges(flow["id"]) == ["[0:0_2:0)", "[2:0_4:0)"]


def test_all_of_a_bulk_may_fail(client, flow):
    bodies = [segment(new_id(), start) for start in range(3)]
    assert len(post(client, flow, bodies, 200).json()["failed_segments"]) == 3
    assert client.timeranges(flow["id"]) == []
    assert "segments_updated" not in client.get(f"/flows/{flow['id']}").json()


def test_a_repeat_is_accepted_and_changes_nothing(client, flow):
    media = client.allocate(flow["id"])[0]
    body = segment(media["object_id"], 0, key_frame_count=1, sample_count=25)
    post(client, flow, body, 201)
    before = client.get(f"/flows/{flow['id']}/segments", params={"presigned": "false"}).json()
    post(client, flow, body, 201)
    post(client, flow, [body], 201)
    assert client.get(f"/flows/{flow['id']}/segments", params={"presigned": "false"}).json() == before
    for change in ({"sample_count": 24}, {"key_frame_count": 2}, {"ts_offset": "1:0"},
                   {"timerange": "[0:0_0:500000000)"}, {"object_id": new_id()}):
        post(client, flow, body | change, 400)
    assert client.get(f"/flows/{flow['id']}/segments", params={"presigned": "false"}).json() == before


def test_a_repeated_bulk_after_a_partial_failure(client, flow):
    objects = client.allocate(flow["id"], 5)
    bodies = [segment(item["object_id"], start) for start, item in enumerate(objects)]
    post(client, flow, bodies[:3], 201)
    post(client, flow, bodies, 201)
    assert len(client.timeranges(flow["id"])) == 5


def test_bulk_size_is_limited(serve):
    from tams_client import Client
    client = Client(serve("--set", "limits.bulk_segments_max=10").url)
    flow = client.put_flow()
    post(client, flow, [external(start=i) for i in range(10)], 201)
    response = post(client, flow, [external(start=100 + i) for i in range(11)], (400, 413))
    assert "10" in response.json()["message"]
    assert len(client.timeranges(flow["id"])) == 10


@pytest.mark.parametrize("timerange, starts", [
    ("_", [0, 1, 2, 5, 6]), ("[1:0_2:0)", [1]), ("[1:0_2:0]", [1, 2]), ("(2:0_5:0)", [2]), ("[3:0_5:0)", []),
    ("[3:0_5:0]", [5]), ("[2:999999999]", [2]), ("[3:0]", []), ("_1:0)", [0]), ("_1:0]", [0, 1]), ("[6:0_", [6]),
    ("[6:999999999_", [6]), ("[7:0_", []), ("()", []), ("5:0", [5]), ("[0:0_100:0)", [0, 1, 2, 5, 6]),
])
def test_listing_by_timerange(client, timerange, starts):
    flow = client.put_flow()
    client.add_segments(flow["id"], 3)
    client.add_segments(flow["id"], 2, start=5)
    expected = [f"[{start}:0_{start + 1}:0)" for start in starts]
    assert client.timeranges(flow["id"], timerange=timerange) == expected
    backwards = client.timeranges(flow["id"], timerange=timerange, reverse_order="true")
    assert backwards == expected[::-1]


def test_listing_by_object(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    client.add_segments(flow["id"], 3)
    post(client, flow, segment(media, 50, object_timerange="[50:0_100:0)"), 201)
    post(client, flow, segment(media, 60), 201)
    assert client.timeranges(flow["id"], object_id=media) == ["[50:0_51:0)", "[60:0_61:0)"]
    assert client.timeranges(flow["id"], object_id=media, timerange="[55:0_") == ["[60:0_61:0)"]
    assert client.timeranges(flow["id"], object_id=media, reverse_order="true")[0] == "[60:0_61:0)"
    assert client.timeranges(flow["id"], object_id="nothing") == []


def test_object_timerange_is_shown_on_demand(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    post(client, flow, segment(media, 5, ts_offset="2:0"), 201)
    path = f"/flows/{flow['id']}/segments"
    assert "object_timerange" not in client.get(path).json()[0]
    # It defaults to the segment's own on the object's time line.
    assert client.get(path, params={"include_object_timerange": "true"}).json()[0]["object_timerange"] == "[3:0_4:0)"


@pytest.mark.parametrize("query", ["timerange=x", "timerange=[0:0)", "limit=x", "page=x", "presigned=1",
                                   "verbose_storage=yes", "reverse_order=", "include_object_timerange=1",
                                   "accept_storage_ids=x", "storage_backend_tag_exists.x=1"])
def test_wrong_queries(client, flow, query):
    response = client.get(f"/flows/{flow['id']}/segments?{query}", expect=400)
    assert pointer(response) == "?" + query.split("=")[0]


def test_paging_headers(client, flow):
    client.add_segments(flow["id"], 25)
    first, second, last = client.pages(f"/flows/{flow['id']}/segments", limit=10)
    assert [len(page.json()) for page in (first, second, last)] == [10, 10, 5]
    assert first.headers["X-Paging-Limit"] == "10"
    assert [page.headers["X-Paging-Count"] for page in (first, second, last)] == ["10", "10", "5"]
    assert first.headers["X-Paging-Reverse-Order"] == "false"
    assert first.headers["X-Paging-Timerange"] == "[0:0_10:0)"
    assert last.headers["X-Paging-Timerange"] == "[20:0_25:0)"
    assert "X-Paging-NextKey" in first.headers and "X-Paging-NextKey" not in last.headers
    again = client.get(f"/flows/{flow['id']}/segments",
                       params={"limit": 10, "page": first.headers["X-Paging-NextKey"]})
    assert again.json() == second.json()
    head = client.head(f"/flows/{flow['id']}/segments", params={"limit": 10})
    for name in ("Link", "X-Paging-Limit", "X-Paging-Count", "X-Paging-NextKey", "X-Paging-Timerange"):
        assert head.headers[name] == first.headers[name]


def test_segments_change_segments_updated_only(client, flow):
    before = client.get(f"/flows/{flow['id']}").json()
    client.add_segments(flow["id"], 1)
    added = client.get(f"/flows/{flow['id']}").json()
    client.delete(f"/flows/{flow['id']}/segments")
    removed = client.get(f"/flows/{flow['id']}").json()
    assert removed["segments_updated"] > added["segments_updated"]
    for name in ("metadata_updated", "metadata_version"):
        assert before[name] == added[name] == removed[name]


# Deleting.

@pytest.mark.parametrize("query, left", [
    ({}, []),
    ({"timerange": "_"}, []),
    ({"timerange": "[2:0_4:0)"}, [0, 1, 4, 5]),
    ({"timerange": "[1:500000000_4:500000000)"}, [0, 1, 4, 5]),
    ({"timerange": "(2:0_4:0)"}, [0, 1, 2, 4, 5]),
    ({"timerange": "[2:0_2:999999999]"}, [0, 1, 3, 4, 5]),
    ({"timerange": "[2:0_2:999999998]"}, [0, 1, 2, 3, 4, 5]),
    ({"timerange": "_3:0)"}, [3, 4, 5]),
    ({"timerange": "[3:0_"}, [0, 1, 2]),
    ({"timerange": "()"}, [0, 1, 2, 3, 4, 5]),
    ({"timerange": "[3:0]"}, [0, 1, 2, 3, 4, 5]),
    ({"object_id": "nothing"}, [0, 1, 2, 3, 4, 5]),
])
def test_only_what_is_completely_covered_is_deleted(client, flow, query, left):
    client.add_segments(flow["id"], 6)
    client.delete(f"/flows/{flow['id']}/segments", params=query, expect=204)
    assert client.timeranges(flow["id"]) == [f"[{start}:0_{start + 1}:0)" for start in left]


def test_delete_by_object_and_time(client, flow):
    media = client.allocate(flow["id"])[0]["object_id"]
    post(client, flow, [segment(media, 0, object_timerange="[0:0_100:0)"), segment(media, 10), segment(media, 20)], 201)
    client.add_segments(flow["id"], 1, start=15)
    client.delete(f"/flows/{flow['id']}/segments", params={"object_id": media, "timerange": "[5:0_"}, expect=204)
    assert client.timeranges(flow["id"]) == ["[0:0_1:0)", "[15:0_16:0)"]


def test_a_deleted_place_is_free_again(client, flow):
    client.add_segments(flow["id"], 3)
    client.delete(f"/flows/{flow['id']}/segments", params={"timerange": "[1:0_2:0)"})
    client.add_segments(flow["id"], 1, start=1)
    assert len(client.timeranges(flow["id"])) == 3


def test_wrong_delete_queries(client, flow):
    client.add_segments(flow["id"], 1)
    for query in ("timerange=x", "timerange=[0:0)", "timerange=(1:0)"):
        assert pointer(client.delete(f"/flows/{flow['id']}/segments?{query}", expect=400)) == "?timerange"
    assert len(client.timeranges(flow["id"])) == 1


def test_segments_of_one_flow_do_not_touch_another(client):
    one, two = client.put_flow(), client.put_flow(audio_flow())
    client.add_segments(one["id"], 3)
    client.add_segments(two["id"], 3)
    client.delete(f"/flows/{one['id']}")
    assert len(client.timeranges(two["id"])) == 3


def test_init_segments_declared_on_the_flow(client):
    essence = video_flow()["essence_parameters"] | {"init_segments": True}
    flow = client.put_flow(essence_parameters=essence)
    media, init = (item["object_id"] for item in client.allocate(flow["id"], 2))
    post(client, flow, segment(media, 0), 400)
    post(client, flow, segment(media, 0, init_object_id=init), 201)
    plain = client.put_flow()
    media, init = (item["object_id"] for item in client.allocate(plain["id"], 2))
    post(client, plain, segment(media, 0, init_object_id=init), 400)

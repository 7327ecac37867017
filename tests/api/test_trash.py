"""Soft deletion: what goes into the trash, and how it comes back."""
from tams_client import VIDEO, Client, audio_flow, multi_flow, new_id, segment, segment_path, video_flow

SOFT = {"soft_delete": "true"}


def throw_away(client, path) -> dict:
    item = client.get(client.delete(path, params=SOFT, expect=204).headers["Location"]).json()
    assert item["deleted"] < item["expires"] and item["deleted_by"]
    return item


def restore(client, item, expect=200):
    return client.post(f"/trash/{item['id']}/restore", expect=expect)


def test_a_flow_comes_back_as_it_was(client):
    flow = client.put_flow(label="keep me", tags={"a": "b", "list": ["x", "y"]})
    client.put(f"/sources/{flow['source_id']}/description", "the source", expect=204)
    objects = object_ids(client.add_segments(flow["id"], 5))
    before = client.get(f"/flows/{flow['id']}", params={"include_timerange": "true"}).json()
    segments = client.get(f"/flows/{flow['id']}/segments").json()
    item = throw_away(client, f"/flows/{flow['id']}")
    assert item["type"] == "flow" and item["flow"]["label"] == "keep me"
    client.get(f"/flows/{flow['id']}", expect=404)
    client.get(f"/sources/{flow['source_id']}", expect=404)
    assert client.get(f"/flows/{flow['id']}/segments").json() == []
    assert client.get(f"/objects/{segment_path(objects[0])}").json()["referenced_by_flows"] == []
    back = restore(client, item).json()
    after = client.get(f"/flows/{flow['id']}", params={"include_timerange": "true"}).json()
    assert back == {name: value for name, value in after.items() if name != "timerange"}
    before.pop("segments_updated")
    assert after == before
    assert without_urls(client.get(f"/flows/{flow['id']}/segments").json()) == without_urls(segments)
    assert client.get(f"/objects/{segment_path(objects[0])}").json()["referenced_by_flows"] == [flow["id"]]
    assert client.get(f"/sources/{flow['source_id']}/description").json() == "the source"
    client.get(f"/trash/{item['id']}", expect=404)
    restore(client, item, 404)


def object_ids(segments):
    return [one["object_id"] for one in segments]


def without_urls(segments):
    return [{name: value for name, value in one.items() if name != "get_urls"} for one in segments]


def test_collections_have_it_again_where_it_was(client):
    members = [client.put_flow() for _ in range(3)]
    items = [{"id": member["id"], "role": f"r{i}"} for i, member in enumerate(members)]
    collection = client.put_flow(multi_flow(flow_collection=items))
    gone = client.put_flow(multi_flow(flow_collection=items))
    item = throw_away(client, f"/flows/{members[1]['id']}")
    assert client.get(f"/flows/{collection['id']}/flow_collection").json() == [items[0], items[2]]
    client.delete(f"/flows/{gone['id']}", expect=204)
    restore(client, item)
    assert client.get(f"/flows/{collection['id']}/flow_collection").json() == items
    assert client.get(f"/flows/{members[1]['id']}").json()["collected_by"] == [collection["id"]]
    assert members[1]["id"] in client.ids("/flows", collected_by_ids=collection["id"])
    # The count of collectors is right: without the collection it is a flow of the top level again.
    client.delete(f"/flows/{collection['id']}", expect=204)
    assert members[1]["id"] in client.ids("/flows", collected_by_ids="")


def test_a_collection_comes_back_with_the_members_that_are_left(client):
    members = [client.put_flow() for _ in range(2)]
    collection = client.put_flow(multi_flow(flow_collection=[{"id": member["id"]} for member in members]))
    item = throw_away(client, f"/flows/{collection['id']}")
    assert "collected_by" not in client.get(f"/flows/{members[0]['id']}").json()
    client.delete(f"/flows/{members[0]['id']}", expect=204)
    assert restore(client, item).json()["flow_collection"] == [{"id": members[1]["id"]}]
    assert client.get(f"/flows/{members[1]['id']}").json()["collected_by"] == [collection["id"]]


def test_it_cannot_come_back_onto_another(client):
    flow = client.put_flow()
    client.add_segments(flow["id"], 2)
    item = throw_away(client, f"/flows/{flow['id']}")
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    assert client.get(f"/flows/{flow['id']}/segments").json() == []
    restore(client, item, 409)
    client.delete(f"/flows/{flow['id']}", expect=204)
    restore(client, item)
    assert len(client.get(f"/flows/{flow['id']}/segments").json()) == 2


def test_purging_frees_what_nothing_else_uses(client):
    flow, other = client.put_flow(), client.put_flow()
    objects = object_ids(client.add_segments(flow["id"], 2))
    client.post(f"/flows/{other['id']}/segments", segment(objects[0], 0), expect=201)
    item = throw_away(client, f"/flows/{flow['id']}")
    client.delete(f"/trash/{item['id']}", expect=204)
    client.get(f"/trash/{item['id']}", expect=404)
    client.delete(f"/trash/{item['id']}", expect=404)
    client.get(f"/objects/{segment_path(objects[1])}", expect=404)
    client.get(f"/objects/{segment_path(objects[0])}", expect=200)


def test_purging_much_is_a_deletion_request(serve):
    client = Client(serve("--set", "limits.delete_segments_max=5").url)
    flow = client.put_flow()
    client.add_segments(flow["id"], 8)
    item = throw_away(client, f"/flows/{flow['id']}")
    response = client.delete(f"/trash/{item['id']}", expect=202)
    assert response.json()["flow_id"] == flow["id"]
    client.get(response.headers["Location"])


def test_a_source(client):
    source = {"id": new_id(), "format": VIDEO, "label": "empty", "tags": {"k": "v"}}
    client.post("/sources", source, expect=201)
    item = throw_away(client, f"/sources/{source['id']}")
    assert item["type"] == "source" and item["source"]["label"] == "empty"
    client.get(f"/sources/{source['id']}", expect=404)
    back = restore(client, item).json()
    assert back == client.get(f"/sources/{source['id']}").json()
    assert {name: back[name] for name in source} == source
    again = throw_away(client, f"/sources/{source['id']}")
    client.post("/sources", source, expect=201)
    restore(client, again, 409)
    client.delete(f"/trash/{again['id']}", expect=204)
    flow = client.put_flow(source_id=source["id"])
    client.delete(f"/sources/{source['id']}", params=SOFT, expect=409)
    assert client.get(f"/flows/{flow['id']}").json()["source_id"] == source["id"]


def test_segments_of_a_range(client):
    flow = client.put_flow()
    objects = object_ids(client.add_segments(flow["id"], 10))
    path = f"/flows/{flow['id']}/segments"
    before = client.get(path).json()
    soft = SOFT | {"timerange": "[2:500000000_6:0)"}
    item = client.get(client.delete(path, params=soft, expect=204).headers["Location"]).json()
    assert item["type"] == "segments"
    assert item["segments"] == {"flow_id": flow["id"], "timerange": "[3:0_6:0)", "count": 3}
    assert len(client.get(path).json()) == 7
    assert client.get(f"/objects/{segment_path(objects[3])}").json()["referenced_by_flows"] == []
    assert restore(client, item).json()["id"] == flow["id"]
    assert without_urls(client.get(path).json()) == without_urls(before)
    assert client.get(f"/objects/{segment_path(objects[3])}").json()["referenced_by_flows"] == [flow["id"]]
    types = [one["type"] for one in client.get("/audit", params={"flow_id": flow["id"]}).json()]
    assert types == ["flows/segments_added", "flows/segments_deleted", "flows/segments_added", "flows/created"]
    assert "Location" not in client.delete(path, params=SOFT | {"timerange": "[99:0_100:0)"}, expect=204).headers


def test_segments_whose_place_is_taken(client):
    flow = client.put_flow()
    objects = object_ids(client.add_segments(flow["id"], 3))
    path = f"/flows/{flow['id']}/segments"
    item = client.get(client.delete(path, params=SOFT, expect=204).headers["Location"]).json()
    extra = object_ids(client.add_segments(flow["id"], 1, start=1))
    assert "1:0" in restore(client, item, 409).json()["message"]
    client.put(f"/flows/{flow['id']}/read_only", True, expect=204)
    restore(client, item, 403)
    client.put(f"/flows/{flow['id']}/read_only", False, expect=204)
    client.delete(f"/trash/{item['id']}", expect=204)
    for object_id in objects:
        client.get(f"/objects/{segment_path(object_id)}", expect=404)
    client.get(f"/objects/{segment_path(extra[0])}", expect=200)
    types = [one["type"] for one in client.get("/audit", params={"flow_id": flow["id"]}).json()]
    assert types.count("flows/segments_deleted") == 1, "told when they went into the trash"


def test_segments_without_their_flow(client):
    flow = client.put_flow()
    client.add_segments(flow["id"], 3)
    item = client.get(client.delete(f"/flows/{flow['id']}/segments", params=SOFT, expect=204).headers["Location"]).json()
    client.delete(f"/flows/{flow['id']}", expect=204)
    restore(client, item, 409)
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    restore(client, item)
    assert len(client.get(f"/flows/{flow['id']}/segments").json()) == 3


def test_too_many_segments_for_the_trash(serve):
    client = Client(serve("--set", "limits.bulk_segments_max=5").url)
    flow = client.put_flow()
    client.add_segments(flow["id"], 4)
    client.add_segments(flow["id"], 4, start=10)
    client.delete(f"/flows/{flow['id']}/segments", params=SOFT, expect=400)
    assert len(client.get(f"/flows/{flow['id']}/segments").json()) == 8
    client.delete(f"/flows/{flow['id']}/segments", params=SOFT | {"timerange": "[0:0_4:0)"}, expect=204)


def test_refusals(client):
    flow = client.put_flow()
    client.put(f"/flows/{flow['id']}/read_only", True, expect=204)
    client.delete(f"/flows/{flow['id']}", params=SOFT, expect=403)
    client.delete(f"/flows/{flow['id']}", params={"soft_delete": "perhaps"}, expect=400)
    client.delete(f"/flows/{new_id()}", params=SOFT, expect=404)
    client.get(f"/trash/{new_id()}", expect=404)
    client.post(f"/trash/{new_id()}/restore", expect=404)


def test_the_listing(fresh_client):
    client = fresh_client
    items = [throw_away(client, f"/flows/{client.put_flow(kind())['id']}")["id"]
             for kind in (video_flow, audio_flow, video_flow)]
    assert client.ids("/trash") == items[::-1]
    assert client.ids("/trash", limit=1) == items[::-1]
    assert client.ids("/trash", reverse_order="true") == items


def test_events_tell_of_it(client):
    flow = client.put_flow()
    client.add_segments(flow["id"], 1)
    item = throw_away(client, f"/flows/{flow['id']}")
    restore(client, item)
    types = [one["type"] for one in client.get("/audit", params={"flow_id": flow["id"]}).json()]
    assert types == ["flows/created", "flows/deleted", "flows/segments_added", "flows/created"]

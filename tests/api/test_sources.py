"""Sources come and go with their flows, and collections are seen from both sides."""
import pytest
from tams_client import AUDIO, VIDEO, audio_flow, multi_flow, new_id, pointer, video_flow


def test_a_source_appears_with_its_first_flow(client):
    flow = video_flow(label="l", description="d", tags={"a": "b"})
    client.get(f"/sources/{flow['source_id']}", expect=404)
    client.put_flow(flow)
    source = client.get(f"/sources/{flow['source_id']}").json()
    assert (source["id"], source["format"]) == (flow["source_id"], VIDEO)
    assert (source["label"], source["description"], source["tags"]) == ("l", "d", {"a": "b"})


def test_a_source_goes_with_its_last_flow(client):
    first = client.put_flow()
    second = client.put_flow(source_id=first["source_id"])
    client.delete(f"/flows/{first['id']}")
    client.get(f"/sources/{first['source_id']}")
    client.delete(f"/flows/{second['id']}")
    client.get(f"/sources/{first['source_id']}", expect=404)
    assert first["source_id"] not in client.ids("/sources")


def test_a_source_keeps_what_it_was_told(client):
    flow = client.put_flow(label="from flow")
    client.put(f"/sources/{flow['source_id']}/label", "own", expect=204)
    client.put(f"/flows/{flow['id']}", flow | {"label": "another"}, expect=204)
    assert client.get(f"/sources/{flow['source_id']}/label").json() == "own"


def test_a_flow_may_move_to_another_source(client):
    flow = client.put_flow()
    target = new_id()
    client.put(f"/flows/{flow['id']}", flow | {"source_id": target}, expect=204)
    client.get(f"/sources/{flow['source_id']}", expect=404)
    client.get(f"/sources/{target}")
    assert client.ids("/flows", source_id=target) == [flow["id"]]


def test_what_a_source_does_not_offer(client):
    flow = client.put_flow()
    response = client.request("POST", f"/sources/{flow['source_id']}", expect=405)
    assert "GET" in response.headers["Allow"] and "HEAD" in response.headers["Allow"]
    client.get("/sources/not-a-uuid", expect=404)


@pytest.fixture(scope="module")
def collection(server):
    from tams_client import Client
    client = Client(server.url)
    video, audio = video_flow(label="v", tags={"t": "1"}), audio_flow(label="a")
    both = multi_flow(label="m")
    for flow in (video, audio, both):
        client.put_flow(flow)
    client.put(f"/flows/{both['id']}/flow_collection",
               [{"id": audio["id"], "role": "sound"}, {"id": video["id"]}], expect=204)
    return video, audio, both


def test_collections_are_seen_from_both_sides(client, collection):
    video, audio, both = collection
    assert client.get(f"/flows/{both['id']}/flow_collection").json() == [
        {"id": audio["id"], "role": "sound"}, {"id": video["id"]}]
    assert client.get(f"/flows/{video['id']}").json()["collected_by"] == [both["id"]]
    assert "collected_by" not in client.get(f"/flows/{both['id']}").json()
    source = client.get(f"/sources/{both['source_id']}").json()
    assert source["source_collection"] == [{"id": audio["source_id"], "role": "sound"}, {"id": video["source_id"]}]
    assert client.get(f"/sources/{video['source_id']}").json()["collected_by"] == [both["source_id"]]


@pytest.mark.parametrize("query, names", [
    ({"format": VIDEO}, {"v"}), ({"format": AUDIO}, {"a"}), ({"label": "m"}, {"m"}), ({"label": "x"}, set()),
    ({"tag.t": "1"}, {"v"}), ({"tag_exists.t": "false"}, {"a", "m"}), ({"collected_by_ids": ""}, {"m"}),
])
def test_source_filters(client, collection, query, names):
    found = set(client.ids("/sources", **query))
    assert {flow["label"] for flow in collection if flow["source_id"] in found} == names


def test_sources_by_collector(client, collection):
    video, audio, both = collection
    found = client.ids("/sources", collected_by_ids=both["source_id"])
    assert set(found) == {video["source_id"], audio["source_id"]}
    assert client.ids("/sources", collected_by_ids=new_id()) == []


@pytest.mark.parametrize("query", ["format=x", "sort_by=metadata_updated", "limit=x", "collected_by_ids=x",
                                   "tag_exists.a=maybe", "reverse_order=1"])
def test_wrong_source_queries(client, query):
    assert pointer(client.get(f"/sources?{query}", expect=400)) == "?" + query.split("=")[0]


def test_members_of_a_collection_must_exist(client):
    both, missing = client.put_flow(multi_flow()), new_id()
    response = client.put(f"/flows/{both['id']}/flow_collection", [{"id": missing}], expect=400)
    assert missing in response.json()["message"]
    lost = multi_flow(flow_collection=[{"id": missing}])
    client.put(f"/flows/{lost['id']}", lost, expect=400)
    client.get(f"/flows/{lost['id']}", expect=404)


def test_a_deleted_member_leaves_its_collections(client):
    video, audio = client.put_flow(), client.put_flow(audio_flow())
    first = client.put_flow(multi_flow(flow_collection=[{"id": video["id"]}, {"id": audio["id"], "role": "x"}]))
    second = client.put_flow(multi_flow(flow_collection=[{"id": video["id"]}]))
    client.delete(f"/flows/{video['id']}")
    assert client.get(f"/flows/{first['id']}/flow_collection").json() == [{"id": audio["id"], "role": "x"}]
    assert client.get(f"/flows/{second['id']}").json().get("flow_collection", []) == []
    client.delete(f"/flows/{audio['id']}")
    assert client.get(f"/flows/{first['id']}").json().get("flow_collection", []) == []


def test_a_deleted_collection_lets_go_of_its_members(client):
    video = client.put_flow()
    both = client.put_flow(multi_flow(flow_collection=[{"id": video["id"]}]))
    client.delete(f"/flows/{both['id']}")
    assert "collected_by" not in client.get(f"/flows/{video['id']}").json()
    assert "collected_by" not in client.get(f"/sources/{video['source_id']}").json()
    assert video["id"] in client.ids("/flows", collected_by_ids="", source_id=video["source_id"])


def test_collections_are_replaced_as_a_whole(client):
    one, two = client.put_flow(), client.put_flow()
    both = client.put_flow(multi_flow(flow_collection=[{"id": one["id"]}]))
    client.put(f"/flows/{both['id']}/flow_collection", [{"id": two["id"]}], expect=204)
    assert "collected_by" not in client.get(f"/flows/{one['id']}").json()
    assert client.get(f"/flows/{two['id']}").json()["collected_by"] == [both["id"]]
    client.delete(f"/flows/{both['id']}/flow_collection", expect=204)
    client.get(f"/flows/{both['id']}/flow_collection", expect=404)
    assert "collected_by" not in client.get(f"/flows/{two['id']}").json()


def test_a_flow_in_two_collections(client):
    video = client.put_flow()
    collectors = [client.put_flow(multi_flow(flow_collection=[{"id": video["id"]}]))["id"] for _ in range(3)]
    assert sorted(client.get(f"/flows/{video['id']}").json()["collected_by"]) == sorted(collectors)


@pytest.mark.parametrize("collection", [{"id": "x"}, [5], [{}], [{"id": "x"}], "x", None, [{"id": None}]])
def test_malformed_collections(client, collection):
    both = client.put_flow(multi_flow())
    client.put(f"/flows/{both['id']}/flow_collection", collection, expect=400)


def test_circles_do_no_harm(client):
    one = client.put_flow(multi_flow())
    two = client.put_flow(multi_flow(flow_collection=[{"id": one["id"]}]))
    response = client.put(f"/flows/{one['id']}/flow_collection", [{"id": two["id"]}], expect=(204, 400))
    itself = client.put(f"/flows/{one['id']}/flow_collection", [{"id": one["id"]}], expect=(204, 400))
    for flow in (one, two):
        client.get(f"/flows/{flow['id']}")
        client.get(f"/sources/{flow['source_id']}")
        client.delete(f"/flows/{flow['id']}")
    assert response.status_code and itself.status_code

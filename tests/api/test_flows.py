"""PUT, GET, DELETE and listing of flows."""
import pytest
from tams_client import (AUDIO, DATA, IMAGE, MULTI, VIDEO, audio_flow, data_flow, image_flow, multi_flow, new_id,
                         pointer, video_flow)

MANAGED = {"created", "created_by", "updated_by", "metadata_updated", "metadata_version"}


@pytest.mark.parametrize("make", [video_flow, audio_flow, data_flow, image_flow, multi_flow])
def test_every_format_is_created_and_read_back(client, make):
    flow = make(label="x", description="y", tags={"a": "b", "list": ["c", "d"]}, generation=0,
                max_bit_rate=8000, avg_bit_rate=6000, segment_duration={"numerator": 2, "denominator": 1})
    created = client.put(f"/flows/{flow['id']}", flow, expect=201)
    assert created.headers["Location"] == f"{client.url}/flows/{flow['id']}"
    read = client.get(f"/flows/{flow['id']}").json()
    assert read == created.json()
    assert {name: value for name, value in read.items() if name not in MANAGED} == flow
    assert MANAGED <= set(read)


def test_put_replaces_everything(client):
    flow = client.put_flow(label="old", description="old", tags={"a": "b"}, max_bit_rate=1)
    before = client.get(f"/flows/{flow['id']}").json()
    fresh = {name: value for name, value in flow.items()
             if name not in ("label", "description", "tags", "max_bit_rate")}
    fresh["essence_parameters"] = flow["essence_parameters"] | {"bit_depth": 10}
    replaced = client.put(f"/flows/{flow['id']}", fresh, expect=204)
    assert not replaced.content
    after = client.get(f"/flows/{flow['id']}").json()
    for name in ("label", "description", "max_bit_rate"):
        assert name not in after
    assert client.get(f"/flows/{flow['id']}/tags").json() == {}
    assert after["essence_parameters"]["bit_depth"] == 10
    assert after["created"] == before["created"]
    assert after["metadata_version"] != before["metadata_version"]
    assert after["metadata_updated"] >= before["metadata_updated"]


def test_a_client_may_choose_version_and_authors(client):
    flow = client.put_flow(metadata_version="v1", created_by="ann", updated_by="bob")
    read = client.get(f"/flows/{flow['id']}").json()
    assert (read["metadata_version"], read["created_by"], read["updated_by"]) == ("v1", "ann", "bob")
    # The same version again means that the client did not choose a new one.
    client.put(f"/flows/{flow['id']}", flow | {"label": "x"}, expect=204)
    assert client.get(f"/flows/{flow['id']}").json()["metadata_version"] != "v1"
    client.put(f"/flows/{flow['id']}", flow | {"metadata_version": "v3"}, expect=204)
    assert client.get(f"/flows/{flow['id']}").json()["metadata_version"] == "v3"


def test_members_of_the_service_are_ignored(client):
    flow = video_flow(timerange="[0:0_9:0)", created="2001-01-01T00:00:00Z", collected_by=[new_id()],
                      metadata_updated="2001-01-01T00:00:00Z", segments_updated="2001-01-01T00:00:00Z")
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    read = client.get(f"/flows/{flow['id']}?include_timerange=true").json()
    assert read["timerange"] == "()"
    assert not read["created"].startswith("2001") and not read["metadata_updated"].startswith("2001")
    assert "collected_by" not in read and "segments_updated" not in read


def test_unknown_top_level_members_are_kept(client):
    flow = client.put_flow(**{"x-vendor": {"a": [1, None, "ü"]}})
    assert client.get(f"/flows/{flow['id']}").json()["x-vendor"] == {"a": [1, None, "ü"]}


@pytest.mark.parametrize("change, where", [
    ({"id": "not-a-uuid"}, "/id"),
    ({"source_id": "0a1b2c3d-0000-6000-8000-000000000000"}, "/source_id"),
    ({"source_id": "0A1B2C3D-0000-4000-8000-000000000000"}, "/source_id"),
    ({"source_id": None}, ""),
    ({"format": "urn:x-nmos:format:image"}, "/format"),
    ({"format": None}, ""),
    ({"codec": None}, ""),
    ({"codec": "h264"}, "/codec"),
    ({"codec": "video/h 264"}, "/codec"),
    ({"container": 5}, "/container"),
    ({"label": 5}, "/label"),
    ({"tags": {"a": 5}}, "/tags/a"),
    ({"tags": {"a/b": ["x", 5]}}, "/tags/a~1b/1"),
    ({"tags": []}, "/tags"),
    ({"generation": -1}, "/generation"),
    ({"generation": 1.5}, "/generation"),
    ({"max_bit_rate": -1}, "/max_bit_rate"),
    ({"avg_bit_rate": "1"}, "/avg_bit_rate"),
    ({"read_only": "true"}, "/read_only"),
    ({"status": "done"}, "/status"),
    ({"segment_duration": {"denominator": 1}}, "/segment_duration"),
    ({"segment_duration": {"numerator": 0}}, "/segment_duration/numerator"),
    ({"flow_collection": [{"role": "x"}]}, "/flow_collection/0"),
    ({"flow_collection": [{"id": "x"}]}, "/flow_collection/0/id"),
    ({"container_mapping": {"track_index": -1}}, "/container_mapping/track_index"),
    ({"essence_parameters": None}, ""),
    ({"essence_parameters": []}, "/essence_parameters"),
])
def test_a_wrong_member_is_named(client, change, where):
    flow = video_flow(**change)
    path = flow["id"] if change.get("id") is None else new_id()
    response = client.put(f"/flows/{path}", flow, expect=400)
    assert (pointer(response) or "") == where, response.text
    client.get(f"/flows/{path}", expect=404)


@pytest.mark.parametrize("essence, where", [
    ({"frame_width": 0}, "/essence_parameters/frame_width"),
    ({"frame_height": None}, "/essence_parameters"),
    ({"frame_rate": None}, "/essence_parameters"),
    ({"frame_rate": {"numerator": 25, "denominator": 0}}, "/essence_parameters/frame_rate/denominator"),
    ({"frame_rate": {}}, "/essence_parameters/frame_rate"),
    ({"vfr": True}, "/essence_parameters"),
    ({"vfr": "no"}, "/essence_parameters/vfr"),
    ({"interlace_mode": "both"}, "/essence_parameters/interlace_mode"),
    ({"colorspace": "sRGB"}, "/essence_parameters/colorspace"),
    ({"unknown": 1}, "/essence_parameters/unknown"),
    ({"init_segments": 1}, "/essence_parameters/init_segments"),
    ({"avc_parameters": {"profile": 1, "level": 1}}, "/essence_parameters/avc_parameters"),
])
def test_a_wrong_essence_parameter_is_named(client, essence, where):
    flow = video_flow()
    merged = flow["essence_parameters"] | essence
    flow["essence_parameters"] = {name: value for name, value in merged.items() if value is not None}
    response = client.put(f"/flows/{flow['id']}", flow, expect=400)
    assert pointer(response) is not None and pointer(response).startswith(where), response.text


def test_variable_frame_rate_excludes_a_frame_rate(client):
    flow = video_flow()
    size = {"frame_width": 640, "frame_height": 360}
    client.put(f"/flows/{flow['id']}", flow | {"essence_parameters": size | {"vfr": True}}, expect=201)
    client.put(f"/flows/{flow['id']}", flow | {"essence_parameters": size | {"vfr": False}}, expect=400)
    fixed = size | {"vfr": False, "frame_rate": {"numerator": 30000, "denominator": 1001}}
    client.put(f"/flows/{flow['id']}", flow | {"essence_parameters": fixed}, expect=204)


@pytest.mark.parametrize("make, essence", [
    (audio_flow, {"sample_rate": 48000, "channels": 2, "unknown": 1}),
    (audio_flow, {"sample_rate": 48000}),
    (data_flow, {"data_type": 1}),
    (data_flow, {"unknown": 1}),
    (image_flow, {"frame_width": 1, "frame_height": 1, "init_segments": True}),
    (multi_flow, {"unknown": 1}),
])
def test_essence_parameters_of_other_formats(client, make, essence):
    flow = make(essence_parameters=essence)
    client.put(f"/flows/{flow['id']}", flow, expect=400)


def test_ids_of_path_and_body(client):
    flow = video_flow()
    client.put(f"/flows/{new_id()}", flow, expect=404)
    for bad in ("x", flow["id"].upper(), "00000000-0000-7000-8000-000000000000", flow["id"] + "%20"):
        client.put(f"/flows/{bad}", flow, expect=404)
        client.get(f"/flows/{bad}", expect=404)
        client.delete(f"/flows/{bad}", expect=404)
    client.put(f"/flows/{flow['id']}", {name: value for name, value in flow.items() if name != "id"}, expect=400)


def test_a_source_has_one_format(client):
    flow = client.put_flow()
    other = audio_flow(source_id=flow["source_id"])
    response = client.put(f"/flows/{other['id']}", other, expect=400)
    assert pointer(response) in ("/format", "/source_id")
    same = audio_flow(id=flow["id"], source_id=flow["source_id"])
    client.put(f"/flows/{flow['id']}", same, expect=400)
    client.get(f"/flows/{other['id']}", expect=404)


def test_deleted_flows_are_gone(client):
    flow = client.put_flow()
    client.delete(f"/flows/{flow['id']}", expect=204)
    client.get(f"/flows/{flow['id']}", expect=404)
    client.delete(f"/flows/{flow['id']}", expect=404)
    assert flow["id"] not in client.ids("/flows", source_id=flow["source_id"])


def test_a_deleted_flow_can_be_created_again_and_is_empty(client):
    flow = client.put_flow()
    client.add_segments(flow["id"], 3)
    client.delete(f"/flows/{flow['id']}")
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    assert client.timeranges(flow["id"]) == []
    assert client.get(f"/flows/{flow['id']}?include_timerange=true").json()["timerange"] == "()"


# What a read-only flow refuses.

READ_ONLY_REFUSES = [
    ("PUT", "", "FLOW"), ("DELETE", "", None),
    ("PUT", "/tags/a", "x"), ("DELETE", "/tags/a", None),
    ("PUT", "/label", "x"), ("DELETE", "/label", None),
    ("PUT", "/description", "x"), ("DELETE", "/description", None),
    ("PUT", "/flow_collection", []), ("DELETE", "/flow_collection", None),
    ("PUT", "/max_bit_rate", 1), ("DELETE", "/max_bit_rate", None),
    ("PUT", "/avg_bit_rate", 1), ("DELETE", "/avg_bit_rate", None),
    ("POST", "/storage", {"limit": 1}),
    ("POST", "/segments", {"object_id": "x", "timerange": "[0:0_1:0)", "get_urls": [{"url": "http://x", "label": "y"}]}),
    ("DELETE", "/segments", None),
]


@pytest.mark.parametrize("method, path, body", READ_ONLY_REFUSES)
def test_read_only_flows_refuse_changes(client, method, path, body):
    members = {"label": "l", "description": "d", "tags": {"a": "b"}, "flow_collection": [], "max_bit_rate": 1,
               "avg_bit_rate": 1}
    flow = client.put_flow(read_only=True, **members)
    before = client.get(f"/flows/{flow['id']}").json()
    assert before["read_only"] is True
    if body == "FLOW":
        body = flow | {"read_only": False}
    if method == "DELETE":
        client.delete(f"/flows/{flow['id']}{path}", expect=403)
    else:
        getattr(client, method.lower())(f"/flows/{flow['id']}{path}", body, expect=403)
    assert client.get(f"/flows/{flow['id']}").json() == before


def test_read_only_can_be_lifted(client):
    flow = client.put_flow(read_only=True)
    assert client.get(f"/flows/{flow['id']}/read_only").json() is True
    client.put(f"/flows/{flow['id']}/read_only", False, expect=204)
    assert client.get(f"/flows/{flow['id']}/read_only").json() is False
    client.put(f"/flows/{flow['id']}/label", "x", expect=204)
    client.put(f"/flows/{flow['id']}/read_only", True, expect=204)
    client.put(f"/flows/{flow['id']}/label", "y", expect=403)
    client.delete(f"/flows/{flow['id']}/read_only", expect=405)
    assert pointer(client.put(f"/flows/{flow['id']}/read_only", "yes", expect=400)) is None


# Listing.

@pytest.fixture(scope="module")
def listed(server):
    """Flows for the filters, under one source label so that other tests' flows do not disturb."""
    from tams_client import Client
    client = Client(server.url)
    flows = {
        "hd": video_flow(label="cam", tags={"genre": "news", "set": ["a", "b"], "odd,name": "v"}, status="ingesting"),
        "sd": video_flow(essence_parameters={"frame_width": 720, "frame_height": 576, "vfr": True,
                                             "init_segments": True}, codec="video/mpeg2", tags={"genre": "sport"}),
        "sound": audio_flow(label="mic", tags={"genre": "news", "a.b.c": "dots"}),
        "data": data_flow(),
        "still": image_flow(label="cam"),
        "all": multi_flow(),
    }
    for flow in flows.values():
        client.put_flow(flow)
    client.add_segments(flows["hd"]["id"], 3, start=100)
    client.put(f"/flows/{flows['all']['id']}/flow_collection",
               [{"id": flows["hd"]["id"], "role": "video"}, {"id": flows["sound"]["id"]}], expect=204)
    return flows


@pytest.mark.parametrize("query, names", [
    ({"format": VIDEO}, {"hd", "sd"}),
    ({"format": AUDIO}, {"sound"}),
    ({"format": DATA}, {"data"}),
    ({"format": IMAGE}, {"still"}),
    ({"format": MULTI}, {"all"}),
    ({"codec": "video/mpeg2"}, {"sd"}),
    ({"label": "cam"}, {"hd", "still"}),
    ({"label": "ca"}, set()),
    ({"label": "cam", "format": IMAGE}, {"still"}),
    ({"status": "ingesting"}, {"hd"}),
    ({"status": "closed_complete"}, set()),
    ({"frame_width": 720}, {"sd"}),
    ({"frame_height": 1080}, {"hd"}),
    ({"init_segments": "true"}, {"sd"}),
    ({"tag.genre": "news"}, {"hd", "sound"}),
    ({"tag.genre": "news,sport"}, {"hd", "sd", "sound"}),
    ({"tag.genre": "new"}, set()),
    ({"tag.set": "b"}, {"hd"}),
    ({"tag.set": "z,a"}, {"hd"}),
    ({"tag.genre": "news", "tag.set": "a"}, {"hd"}),
    ({"tag.a.b.c": "dots"}, {"sound"}),
    ({"tag.odd,name": "v"}, {"hd"}),
    ({"tag_exists.genre": "true"}, {"hd", "sd", "sound"}),
    ({"tag_exists.set": "false", "tag_exists.genre": "true"}, {"sd", "sound"}),
    ({"timerange": "[101:0_102:0)"}, {"hd"}),
    ({"timerange": "[0:0_100:0)"}, set()),
    ({"timerange": "[0:0_100:0]"}, {"hd"}),
    ({"timerange": "[103:0_"}, set()),
    ({"timerange": "()"}, {"sd", "sound", "data", "still", "all"}),
    ({"collected_by_ids": ""}, {"sd", "data", "still", "all"}),
    ({"profile_id": "0a1b2c3d-0000-4000-8000-000000000000"}, set()),
])
def test_filters(client, listed, query, names):
    found = set(client.ids("/flows", **query))
    ours = {name for name, flow in listed.items() if flow["id"] in found}
    assert ours == names


def test_filter_by_source_and_collector(client, listed):
    assert client.ids("/flows", source_id=listed["hd"]["source_id"]) == [listed["hd"]["id"]]
    both = f"{new_id()},{listed['all']['id']}"
    assert set(client.ids("/flows", collected_by_ids=both)) == {listed["hd"]["id"], listed["sound"]["id"]}
    assert client.ids("/flows", collected_by_ids=new_id()) == []


@pytest.mark.parametrize("query", [
    "source_id=x", "format=video", "codec=x", "profile_id=1", "timerange=x", "timerange=(0:0)", "timerange=[01:0_2:0)",
    "frame_width=wide", "frame_height=1.5", "init_segments=1", "status=x", "sort_by=name", "reverse_order=yes",
    "limit=x", "limit=", "page=x", "tag_exists.a=1", "tag_exists.a=", "collected_by_ids=x",
    "collected_by_ids=0a1b2c3d-0000-4000-8000-000000000000,",
])
def test_wrong_queries_are_400_and_named(client, query):
    response = client.get(f"/flows?{query}", expect=400)
    assert pointer(response) == "?" + query.split("=")[0], response.text
    client.head(f"/flows?{query}", expect=400)


def test_include_timerange(client, listed):
    path = f"/flows/{listed['hd']['id']}"
    assert "timerange" not in client.get(path).json()
    assert "timerange" not in client.get(path, params={"include_timerange": "false"}).json()

    def extent(**query):
        return client.get(path, params={"include_timerange": "true"} | query).json()["timerange"]

    assert extent() == "[100:0_103:0)"
    # Segments count as a whole, so the extent may stick out of the filter.
    assert extent(timerange="[101:500000000_101:600000000)") == "[101:0_102:0)"
    assert extent(timerange="[200:0_300:0)") == "()"
    client.get(path, params={"include_timerange": "perhaps"}, expect=400)
    client.get(path, params={"timerange": "x"}, expect=400)

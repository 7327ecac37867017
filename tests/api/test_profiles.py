"""Profiles: technical metadata that flows share (TAMS 8.2, tams.md §2.8)."""
import pytest
from tams_client import AUDIO, VIDEO, audio_flow, data_flow, image_flow, multi_flow, new_id, pointer, video_flow

COMMON = ("id", "source_id", "label", "description", "tags")
TECHNICAL = ("format", "codec", "container", "essence_parameters", "avg_bit_rate", "segment_duration",
             "container_mapping")


def technical(flow: dict) -> dict:
    return {name: value for name, value in flow.items() if name in TECHNICAL}


def make_profile(client, flow=None, expect=201, **members):
    profile = {"id": new_id(), "flow_metadata": technical(flow or video_flow(avg_bit_rate=5000))} | members
    return client.post(f"/service/profiles/{profile['id']}", profile, expect=expect).json() | {"id": profile["id"]}


@pytest.mark.parametrize("make", [video_flow, audio_flow, data_flow, image_flow])
def test_profiles_of_every_format(client, make):
    flow = make(avg_bit_rate=5, segment_duration={"numerator": 1})
    profile = make_profile(client, flow, label="l", description="d", tags={"a": ["b"]})
    read = client.get(f"/service/profiles/{profile['id']}").json()
    assert read == profile
    assert read["flow_metadata"] == technical(flow)
    assert (read["label"], read["description"], read["tags"]) == ("l", "d", {"a": ["b"]})


def test_profiles_never_change(client):
    profile = make_profile(client)
    body = {name: profile[name] for name in ("id", "flow_metadata")}
    client.post(f"/service/profiles/{profile['id']}", body, expect=400)
    client.post(f"/service/profiles/{profile['id']}", body | {"label": "x"}, expect=400)
    for method in ("PUT", "DELETE"):
        client.request(method, f"/service/profiles/{profile['id']}", expect=405)
    assert client.get(f"/service/profiles/{profile['id']}").json() == profile


def test_wrong_profiles(client):
    good = {"id": new_id(), "flow_metadata": technical(video_flow())}
    path = f"/service/profiles/{good['id']}"
    for change in ({"flow_metadata": technical(multi_flow())}, {"flow_metadata": {}}, {"flow_metadata": None},
                   {"label": 5}, {"tags": []}, {"id": "x"},
                   {"flow_metadata": {"format": VIDEO, "codec": "video/h264"}}):
        client.post(path, good | change, expect=400)
    client.post(path, {"id": good["id"]}, expect=400)
    client.post(f"/service/profiles/{new_id()}", good, expect=(400, 404))
    client.post("/service/profiles/x", good | {"id": "x"}, expect=(400, 404))
    client.get(path, expect=404)
    client.get("/service/profiles/x", expect=404)


def test_profiles_are_listed(client):
    video, audio = make_profile(client, label="listed"), make_profile(client, audio_flow(), label="listed")
    assert set(client.ids("/service/profiles", label="listed")) == {video["id"], audio["id"]}
    assert client.ids("/service/profiles", label="listed", format=AUDIO) == [audio["id"]]
    assert client.ids("/service/profiles", label="listed", codec="video/h264") == [video["id"]]
    pages = client.pages("/service/profiles", label="listed", limit=1)
    assert [len(page.json()) for page in pages] == [1, 1]
    for query in ("format=x", "codec=x", "page=x"):
        assert pointer(client.get(f"/service/profiles?{query}", expect=400)) == "?" + query.split("=")[0]


def test_a_flow_from_a_profile_shows_both(client):
    profile = make_profile(client)
    flow = {"id": new_id(), "source_id": new_id(), "profile_id": profile["id"], "label": "x", "max_bit_rate": 9000}
    created = client.put(f"/flows/{flow['id']}", flow, expect=201).json()
    read = client.get(f"/flows/{flow['id']}").json()
    assert read == created
    assert technical(read) == profile["flow_metadata"]
    assert {name: read[name] for name in flow} == flow
    assert client.ids("/flows", profile_id=profile["id"]) == [flow["id"]]
    assert client.get(f"/flows/{flow['id']}/avg_bit_rate").json() == 5000
    client.add_segments(flow["id"], 1)
    assert client.get(f"/sources/{flow['source_id']}").json()["format"] == VIDEO


@pytest.mark.parametrize("extra", [{"format": VIDEO}, {"codec": "video/h264"}, {"container": "video/mp2t"},
                                   {"avg_bit_rate": 5}, {"essence_parameters": {}},
                                   {"segment_duration": {"numerator": 1}}, {"container_mapping": {}},
                                   {"format": VIDEO, "avg_bit_rate": 5}, "all"])
def test_profile_and_technical_metadata_exclude_each_other(client, extra):
    profile = make_profile(client)
    flow = {"id": new_id(), "source_id": new_id(), "profile_id": profile["id"]}
    client.put(f"/flows/{flow['id']}", flow | (technical(video_flow()) if extra == "all" else extra), expect=400)
    client.get(f"/flows/{flow['id']}", expect=404)


def test_profiles_that_do_not_exist(client):
    flow = {"id": new_id(), "source_id": new_id(), "profile_id": new_id()}
    assert pointer(client.put(f"/flows/{flow['id']}", flow, expect=400)) == "/profile_id"
    client.put(f"/flows/{flow['id']}", flow | {"profile_id": "x"}, expect=400)
    client.get(f"/flows/{flow['id']}", expect=404)


def test_what_a_profile_fixes_is_not_edited(client):
    profile = make_profile(client)
    flow = {"id": new_id(), "source_id": new_id(), "profile_id": profile["id"]}
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    client.put(f"/flows/{flow['id']}/avg_bit_rate", 1, expect=400)
    client.delete(f"/flows/{flow['id']}/avg_bit_rate", expect=(400, 403))
    for member, value in (("label", "x"), ("description", "x"), ("max_bit_rate", 1), ("tags/a", "x")):
        client.put(f"/flows/{flow['id']}/{member}", value, expect=204)
    read = client.get(f"/flows/{flow['id']}").json()
    assert technical(read) == profile["flow_metadata"] and read["profile_id"] == profile["id"]


def test_unlinking(client):
    profile = make_profile(client)
    flow = {"id": new_id(), "source_id": new_id(), "profile_id": profile["id"]}
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    client.put(f"/flows/{flow['id']}", flow | {"profile_id": ""}, expect=400)
    free = technical(video_flow(avg_bit_rate=1))
    client.put(f"/flows/{flow['id']}", flow | free | {"profile_id": ""}, expect=204)
    read = client.get(f"/flows/{flow['id']}").json()
    assert "profile_id" not in read and technical(read) == free
    assert client.ids("/flows", profile_id=profile["id"]) == []


def test_an_empty_profile_id_is_never_shown(client):
    flow = video_flow(profile_id="")
    client.put(f"/flows/{flow['id']}", flow, expect=201)
    assert "profile_id" not in client.get(f"/flows/{flow['id']}").json()


def test_the_format_of_a_profile_must_fit_the_source(client):
    flow = client.put_flow(audio_flow())
    profile = make_profile(client)
    linked = {"id": new_id(), "source_id": flow["source_id"], "profile_id": profile["id"]}
    client.put(f"/flows/{linked['id']}", linked, expect=400)

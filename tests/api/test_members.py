"""Property endpoints of flows and sources: description, label, bit rates, tags."""
import pytest
from tams_client import new_id, pointer, segment_path, video_flow

TEXTS = ["", "plain", "with \"quotes\" and \\", "ünï ☃ 😀", "a\nb\tc", "x" * 10_000]
NAMES = ["plain", "with space", "a/b", "a%2Fb", "a%b", "dots.in.name", "ünï", "☃", "?", "#", "a&b=c", "+", "..",
         "{name}", "'\"\\", "x" * 200]


@pytest.fixture
def owners(client):
    """The paths of a flow and of its source."""
    flow = client.put_flow()
    return [f"/flows/{flow['id']}", f"/sources/{flow['source_id']}"]


@pytest.mark.parametrize("member", ["label", "description"])
def test_texts(client, owners, member):
    for path in owners:
        client.get(f"{path}/{member}", expect=404)
        client.delete(f"{path}/{member}", expect=(204, 404))
        for text in TEXTS:
            client.put(f"{path}/{member}", text, expect=204)
            assert client.get(f"{path}/{member}").json() == text
            assert client.get(path).json()[member] == text
        client.head(f"{path}/{member}")
        for wrong in (None, 5, ["x"], {"value": "x"}):
            client.put(f"{path}/{member}", wrong, expect=400)
        client.delete(f"{path}/{member}", expect=204)
        client.get(f"{path}/{member}", expect=404)
        assert member not in client.get(path).json()


@pytest.mark.parametrize("member", ["max_bit_rate", "avg_bit_rate"])
def test_bit_rates(client, owners, member):
    path = owners[0]
    client.get(f"{path}/{member}", expect=404)
    for rate in (0, 1, 2**53):
        client.put(f"{path}/{member}", rate, expect=204)
        assert client.get(f"{path}/{member}").json() == rate
        assert client.get(path).json()[member] == rate
    for wrong in (-1, 1.5, "1", None, [1], 2**63):
        client.put(f"{path}/{member}", wrong, expect=400)
    client.delete(f"{path}/{member}", expect=204)
    client.get(f"{path}/{member}", expect=404)


@pytest.mark.parametrize("name", NAMES)
def test_tags_have_any_name(client, owners, name):
    if name == "..":
        pytest.skip("clients resolve '..' in a path before they send it")
    for path in owners:
        tag = f"{path}/tags/{segment_path(name)}"
        client.get(tag, expect=404)
        client.put(tag, "one", expect=204)
        assert client.get(tag).json() == "one"
        assert client.get(f"{path}/tags").json() == {name: "one"}
        client.put(tag, ["two", "three"], expect=204)
        assert client.get(tag).json() == ["two", "three"]
        client.head(tag)
        client.delete(tag, expect=204)
        client.get(tag, expect=404)
        assert client.get(f"{path}/tags").json() == {}


def test_tag_values_are_strings_or_lists_of_strings(client, owners):
    for path in owners:
        for value in ("", "x", [], ["x"], ["x", "x"]):
            client.put(f"{path}/tags/t", value, expect=204)
            assert client.get(f"{path}/tags/t").json() == value
        for wrong in (None, 5, {"value": "x"}, [5], ["x", None], True):
            response = client.put(f"{path}/tags/t", wrong, expect=400)
            assert pointer(response) in (None, "/0", "/1")
        assert client.get(f"{path}/tags/t").json() == ["x", "x"]


def test_tags_of_one_owner_do_not_mix(client, owners):
    for path in owners:
        for name in ("b", "a", "c"):
            client.put(f"{path}/tags/{name}", name, expect=204)
        client.delete(f"{path}/tags/b", expect=204)
        assert client.get(f"{path}/tags").json() == {"a": "a", "c": "c"}
        assert client.get(path).json()["tags"] == {"a": "a", "c": "c"}


def test_a_tag_that_is_not_there_cannot_be_deleted(client, owners):
    for path in owners:
        client.delete(f"{path}/tags/none", expect=404)


@pytest.mark.parametrize("owner", ["flows", "sources"])
@pytest.mark.parametrize("member, value", [("label", "x"), ("description", "x"), ("tags/a", "x")])
def test_members_of_what_does_not_exist(client, owner, member, value):
    for id_ in (new_id(), "not-a-uuid"):
        path = f"/{owner}/{id_}/{member}"
        client.get(path, expect=404)
        client.put(path, value, expect=404)
        client.delete(path, expect=404)
    client.get(f"/{owner}/{new_id()}/tags", expect=404)


def test_changes_of_members_change_the_version(client, owners):
    path = owners[0]
    versions = [client.get(path).json()["metadata_version"]]
    for member, value in (("label", "x"), ("description", "x"), ("tags/a", "x"), ("max_bit_rate", 5),
                          ("flow_collection", [])):
        client.put(f"{path}/{member}", value, expect=204)
        versions.append(client.get(path).json()["metadata_version"])
        client.delete(f"{path}/{member}", expect=204)
        versions.append(client.get(path).json()["metadata_version"])
    assert len(set(versions)) == len(versions)


def test_sources_note_their_changes(client, owners):
    path = owners[1]
    before = client.get(path).json()
    client.put(f"{path}/label", "x", expect=204)
    after = client.get(path).json()
    assert after["updated"] > before["updated"] and after["created"] == before["created"]


def test_put_flow_replaces_tags_wholesale(client):
    flow = client.put_flow(tags={"a": "1", "b": "2"})
    client.put(f"/flows/{flow['id']}", flow | {"tags": {"b": "3"}}, expect=204)
    assert client.get(f"/flows/{flow['id']}/tags").json() == {"b": "3"}
    without = {name: value for name, value in flow.items() if name != "tags"}
    client.put(f"/flows/{flow['id']}", without, expect=204)
    assert client.get(f"/flows/{flow['id']}/tags").json() == {}


def test_flow_members_are_not_created_by_a_property_put(client):
    flow = video_flow()
    client.put(f"/flows/{flow['id']}/label", "x", expect=404)
    client.get(f"/flows/{flow['id']}", expect=404)

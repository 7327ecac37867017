"""GET /search: words, their beginnings, and words with a mistake."""
import pytest
from tams_client import VIDEO, data_flow, pointer


@pytest.fixture
def found(fresh_client):
    """Labels of what is found, best first."""
    def search(text: str, **query) -> list[str]:
        hits = fresh_client.get("/search", params={"q": text} | query).json()
        for hit in hits:
            assert hit[hit["type"]]["id"] == hit["id"]
            assert hit[hit["type"]] == fresh_client.get(f"/{hit['type']}s/{hit['id']}").json()
        assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
        assert all(0 < hit["score"] <= 1 for hit in hits)
        return [hit[hit["type"]].get("label") for hit in hits]
    return search


def make_source(client, label: str, **members) -> dict:
    return client.post("/sources", {"format": VIDEO, "label": label} | members, expect=201).json()


def test_words_then_beginnings_then_mistakes(fresh_client, found):
    for label in ("camera", "cameraman", "camara", "tripod"):
        make_source(fresh_client, label)
    assert found("camera") == ["camera", "cameraman", "camara"]
    assert found("CAMERA") == found("camera")
    assert found("c") == found("ca")[:3] and set(found("cam")) == {"camera", "cameraman", "camara"}
    assert found("tripdo") == ["tripod"]
    assert found("xylophone") == []
    assert found("") == found(" -- ") == []


def test_everything_that_describes_is_searched(fresh_client, found):
    make_source(fresh_client, "one", description="Evening bulletin")
    make_source(fresh_client, "two", tags={"presenter": ["Zoë Łukasz", "someone"]})
    fresh_client.put_flow(data_flow(label="three", codec="application/subtitles"))
    assert found("bulletin") == ["one"]
    assert found("presenter") == ["two"] and found("ŁUKASZ") == ["two"] and found("zoë") == ["two"]
    assert found("subtitles", type="flow") == ["three"]
    # The label counts more than the rest.
    make_source(fresh_client, "bulletin")
    assert found("bulletin") == ["bulletin", "one"]


def test_more_words_narrow(fresh_client, found):
    for label in ("news at one", "news at ten", "sport at ten"):
        make_source(fresh_client, label)
    assert found("news ten")[0] == "news at ten"
    assert found("ten sport")[0] == "sport at ten"


def test_sources_and_flows_can_be_told_apart(fresh_client, found):
    flow = fresh_client.put_flow(label="both")
    assert found("both") == ["both", "both"]
    for type_, id_ in (("flow", flow["id"]), ("source", flow["source_id"])):
        hits = fresh_client.get("/search", params={"q": "both", "type": type_}).json()
        assert [(hit["type"], hit["id"]) for hit in hits] == [(type_, id_)]


def test_changes_are_found_at_once_and_what_is_gone_is_not(fresh_server, fresh_client, found):
    flow = fresh_client.put_flow(label="before")
    path = f"/flows/{flow['id']}"
    fresh_client.put(f"{path}/label", "after")
    assert found("before", type="flow") == [] and found("after", type="flow") == ["after"]
    fresh_client.put(f"{path}/tags/colour", ["vermilion"])
    assert found("vermilion") == ["after"]
    fresh_client.put(f"/sources/{flow['source_id']}/description", "hidden treasure")
    assert found("treasure") == ["before"]
    fresh_client.put(path, flow | {"label": "replaced"}, expect=204)
    assert found("vermilion") == [] and found("replaced") == ["replaced"]
    fresh_client.delete(path)
    assert found("replaced") == found("treasure") == []


def test_it_survives_a_restart(fresh_server, fresh_client):
    make_source(fresh_client, "lasting")
    fresh_server.restart()
    client = type(fresh_client)(fresh_server.url)
    assert client.get("/search", params={"q": "lasting"}).json()[0]["source"]["label"] == "lasting"


def test_the_number_is_bounded(fresh_client, found):
    for i in range(30):
        make_source(fresh_client, f"same {i}")
    assert len(found("same")) == 20
    assert len(found("same", limit=3)) == 3
    assert len(found("same", limit=100)) == 30
    for limit in ("0", "101", "x"):
        assert pointer(fresh_client.get("/search", expect=400, params={"q": "a", "limit": limit})) == "?limit"


@pytest.mark.parametrize("text", ['"', "' OR 1=1", "a AND", "NEAR(", "*", "^", "label:x", "-", "\\", "%", "日",
                                  "a" * 64, "a" * 65, "é" * 256, "日" * 256, " ".join("abcdefghijklmnopqrstuvwxyz")])
def test_the_query_is_words_and_no_language(client, text):
    client.get("/search", params={"q": text})


def test_what_is_wrong_is_refused(client):
    assert pointer(client.get("/search", expect=400)) == "?q"
    assert pointer(client.get("/search", expect=400, params={"q": "é" * 257})) == "?q"
    assert pointer(client.get("/search", expect=400, params={"q": "a", "type": "segment"})) == "?type"

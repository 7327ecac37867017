"""Columns that users add to the product's tables are members of its documents."""
from tams_client import video_flow


def migrate(client, *operations, expect=200):
    return client.post("/tables/flows/migrations", {"operations": list(operations)}, expect=expect)


def add(name, type_, **more):
    return {"op": "add_column", "name": name, "type": type_, **more}


def test_a_column_is_a_member_of_flows(fresh_client):
    client = fresh_client
    old = client.put_flow(vendor_note="kept")
    migrate(client, add("analytics_enabled", "bool"), add("runs", "list<timestamp>"),
            add("priority", "int8", nullable=False, default=3))
    assert client.get(f"/flows/{old['id']}").json()["priority"] == 3
    flow = client.put_flow(analytics_enabled=True, runs=["2026-11-21T10:00:00Z"], vendor_note="x")
    shown = client.get(f"/flows/{flow['id']}").json()
    assert shown["analytics_enabled"] is True and shown["runs"] == ["2026-11-21T10:00:00.000000Z"]
    assert shown["priority"] == 3 and shown["vendor_note"] == "x"
    client.put(f"/flows/{flow['id']}/label", "edited", expect=204)
    assert client.get(f"/flows/{flow['id']}").json()["analytics_enabled"] is True
    # A PUT is the whole document: what it lacks is gone, or the default.
    client.put(f"/flows/{flow['id']}", video_flow(id=flow["id"], source_id=flow["source_id"], priority=7), expect=204)
    shown = client.get(f"/flows/{flow['id']}").json()
    assert "runs" not in shown and shown["priority"] == 7
    assert client.get("/flows").json()[0].get("priority") in (3, 7)


def test_what_a_column_cannot_hold_is_refused_with_its_place(fresh_client):
    client = fresh_client
    migrate(client, add("priority", "int8", nullable=False, default=3), add("runs", "list<timestamp>"))
    for members, place in [({"priority": 1000}, "/priority"), ({"priority": None}, "/priority"),
                           ({"priority": "high"}, "/priority"), ({"runs": ["soon"]}, "/runs/0")]:
        body = video_flow(**members)
        assert client.put(f"/flows/{body['id']}", body, expect=400).json()["pointer"] == place, members


def test_renaming_a_column_of_the_product_changes_nothing_here(fresh_client):
    client = fresh_client
    flow = client.put_flow(label="mine")
    migrate(client, {"op": "rename_column", "column": "label", "name": "title"},
            {"op": "rename_column", "column": "frame_width", "name": "width"}, add("label", "int64"))
    shown = client.get(f"/flows/{flow['id']}").json()
    assert shown["label"] == "mine"
    assert client.ids("/flows", label="mine") == [flow["id"]]
    assert client.ids("/flows", frame_width=flow["essence_parameters"]["frame_width"]) == [flow["id"]]
    client.put(f"/flows/{flow['id']}/label", "yours", expect=204)
    assert client.get(f"/flows/{flow['id']}/label").json() == "yours"


def test_a_member_moves_into_its_column_and_out_of_a_dropped_one(fresh_client):
    client = fresh_client
    flow = client.put_flow(stars=5)
    migrate(client, add("stars", "int64"))
    assert client.get(f"/flows/{flow['id']}").json()["stars"] == 5
    client.put(f"/flows/{flow['id']}/label", "moved", expect=204)
    migrate(client, {"op": "rename_column", "column": "stars", "name": "rating"})
    shown = client.get(f"/flows/{flow['id']}").json()
    assert shown["rating"] == 5 and "stars" not in shown
    migrate(client, {"op": "drop_column", "column": "rating"})
    assert "rating" not in client.get(f"/flows/{flow['id']}").json()
    migrate(client, {"op": "drop_column", "column": "label"}, expect=400)


def test_the_trash_keeps_them(fresh_client):
    client = fresh_client
    migrate(client, add("stars", "int64"))
    flow = client.put_flow(stars=4)
    item = client.delete(f"/flows/{flow['id']}", params={"soft_delete": "true"}, expect=204).headers["Location"]
    client.post(f"{item}/restore", expect=200)
    assert client.get(f"/flows/{flow['id']}").json()["stars"] == 4

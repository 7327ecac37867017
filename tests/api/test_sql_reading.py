"""What SQL reads of the product's tables: by media time, and under earlier versions of their columns."""
from tams_client import Client, segment_path


def rows(client, text: str, *parameters) -> list:
    return client.post("/sql", {"sql": text, "parameters": list(parameters)}, expect=200).json()["rows"]


def test_segments_of_a_time_are_those_that_the_api_lists(client):
    flow = client.put_flow()
    client.add_segments(flow["id"], 30)
    for wanted in ("[5:0_9:0)", "(4:0_9:0]", "_3:0)", "[28:500000000_", "[7:0]", "_", "()", "[100:0_200:0)"):
        listed = [segment["timerange"] for segment in client.items(f"/flows/{flow['id']}/segments", timerange=wanted)]
        found = rows(client, "SELECT timerange(start_time, end_time) FROM segments WHERE timeline_id = "
                             "(SELECT coalesce(timeline_id, id) FROM flows WHERE id = ?::UUID) "
                             "AND tr_overlaps(start_time, end_time, ?) ORDER BY start_time", flow["id"], wanted)
        assert [row[0] for row in found] == listed, wanted


def test_the_products_tables_have_earlier_versions(server):
    client = Client(server.url)
    flow = client.put_flow(label="of then")
    version = client.get("/tables/flows").json()["version"]
    client.post("/tables/flows/migrations", {"operations": [
        {"op": "rename_column", "column": "label", "name": "title"}, {"op": "add_column", "name": "note", "type": "string"}]})
    try:
        query = "SELECT {} FROM flows AT (VERSION => {}) WHERE id = ?::UUID"
        assert rows(client, query.format("label", version), flow["id"]) == [["of then"]]
        assert rows(client, query.format("title, note", version + 1), flow["id"]) == [["of then", None]]
        client.post("/sql", {"sql": f"SELECT note FROM flows AT (VERSION => {version})"}, expect=400)
    finally:
        client.post("/tables/flows/migrations", {"operations": [
            {"op": "rename_column", "column": "title", "name": "label"}, {"op": "drop_column", "column": "note"}]})


def explained(client, query: str) -> str:
    return rows(client, f"EXPLAIN ANALYZE {query}")[0][1]


def test_explain_shows_what_is_read(client):
    flow = client.put_flow()
    client.add_segments(flow["id"], 20)
    timeline = rows(client, "SELECT coalesce(timeline_id, id) FROM flows WHERE id = ?::UUID", flow["id"])[0][0]
    shown = explained(client, f"SELECT count(*) FROM segments WHERE timeline_id = '{timeline}'::UUID "
                              "AND tr_overlaps(start_time, end_time, '[3:0_7:0)')")
    assert "partition: start_time" in shown and "To: 7.000000000" in shown and "Rows Read: 7" in shown, shown
    shown = explained(client, f"SELECT label FROM flows WHERE id = '{flow['id']}'::UUID")
    assert "Access: partition" in shown and "Rows Read: 1" in shown, shown
    shown = explained(client, "SELECT count(*) FROM flows WHERE created > '2100-01-01'::TIMESTAMPTZ")
    assert "by_created" in shown and "Rows Read: 0" in shown, shown
    assert "segments" in rows(client, "EXPLAIN SELECT * FROM segments")[0][1]

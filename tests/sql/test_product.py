"""Tables of the product in SQL: what the API wrote, joined, filtered and counted, beside tables of users."""
import pytest
from tams_client import Client, audio_flow, video_flow


def rows(client, sql: str, *parameters) -> list:
    return client.post("/sql", {"sql": sql, "parameters": list(parameters)}, expect=200).json()["rows"]


@pytest.fixture(scope="module")
def house(server):
    """A client, and flows of two sources with segments: five, three and none."""
    client = Client(server.url)
    flows = [client.put_flow(video_flow()), client.put_flow(audio_flow()), client.put_flow(video_flow())]
    client.add_segments(flows[0]["id"], 5)
    client.add_segments(flows[1]["id"], 3)
    rows(client, "CREATE TABLE notes (flow UUID, n INT, text VARCHAR, PRIMARY KEY (flow, n))")
    for number, flow in enumerate(flows[:2]):
        rows(client, "INSERT INTO notes VALUES (?::UUID, 1, ?), (?::UUID, 2, NULL)", flow["id"], f"note {number}", flow["id"])
    return client, flows


def count(client, table: str, condition: str, *parameters) -> int:
    [[found]] = rows(client, f"SELECT count(*) FROM {table} WHERE {condition}", *parameters)
    return found


def test_the_rows_are_those_of_the_api(house):
    client, flows = house
    assert {flow for [flow] in rows(client, "SELECT id FROM flows")} == {flow["id"] for flow in flows}
    assert {source for [source] in rows(client, "SELECT id FROM sources")} == \
        {source["id"] for source in client.get("/sources").json()}
    for flow in flows:
        wanted = client.get(f"/flows/{flow['id']}/segments").json()
        got = rows(client, "SELECT object_id, timerange FROM flows f JOIN segments s USING (timeline_id) JOIN objects o "
                           "ON o.id = s.object_id WHERE f.id = ?::UUID ORDER BY start_time", flow["id"])
        assert got == [[segment["object_id"], segment["timerange"]] for segment in wanted]


def test_they_are_joined_and_grouped(house):
    client, flows = house
    assert rows(client, "SELECT flow_count, count(*) FROM sources s JOIN flows f ON f.source_id = s.id GROUP BY s.id, 1") == \
        [[1, 1]] * 3
    assert sorted(rows(client, "SELECT f.id, count(s.object_id), sum(end_time - start_time) FROM flows f "
                               "LEFT JOIN segments s USING (timeline_id) GROUP BY f.id")) == sorted(
        [[flows[0]["id"], 5, "5.000000000"], [flows[1]["id"], 3, "3.000000000"], [flows[2]["id"], 0, None]])
    assert rows(client, "SELECT count(*) FROM object_uses u JOIN segments s USING (timeline_id, start_time, object_id)") == \
        [[8]]
    assert rows(client, "SELECT count(*) FROM segments a JOIN segments b ON a.timeline_id = b.timeline_id "
                        "AND a.end_time = b.start_time") == [[6]]
    assert rows(client, "SELECT count(*) FROM flows WHERE timeline_id NOT IN (SELECT timeline_id FROM segments)") == [[1]]
    assert rows(client, "SELECT max(n) FROM (SELECT row_number() OVER (PARTITION BY timeline_id ORDER BY start_time) AS n "
                        "FROM segments)") == [[5]]


def test_they_are_joined_with_tables_of_users(house):
    client, flows = house
    assert rows(client, "SELECT text, format LIKE '%video' FROM notes n JOIN flows f ON f.id = n.flow WHERE n.n = 1 "
                        "ORDER BY text") == [["note 0", True], ["note 1", False]]
    assert rows(client, "SELECT count(*) FROM flows f ANTI JOIN notes n ON n.flow = f.id") == [[1]]
    rows(client, "CREATE TABLE totals AS SELECT f.id, count(*) AS segments FROM flows f JOIN segments USING (timeline_id) "
                 "GROUP BY f.id")
    assert rows(client, "SELECT segments FROM totals ORDER BY 1") == [[3], [5]]
    rows(client, "INSERT INTO totals SELECT id, 0 FROM flows ON CONFLICT DO NOTHING")
    assert rows(client, "UPDATE totals SET segments = 7 FROM flows f WHERE f.id = totals.id AND f.format LIKE '%audio' "
                        "RETURNING totals.id") == [[flows[1]["id"]]]
    assert rows(client, "SELECT segments FROM totals ORDER BY 1") == [[0], [5], [7]]


@pytest.mark.parametrize("table, column, value", [
    ("flows", "id", "{flow}"), ("flows", "source_id", "{source}"), ("segments", "timeline_id", "{timeline}"),
    ("object_uses", "timeline_id", "{timeline}")])
def test_a_pushed_filter_reads_the_same(house, table, column, value):
    client, flows = house
    [[timeline]] = rows(client, "SELECT timeline_id FROM flows WHERE id = ?::UUID", flows[0]["id"])
    value = value.format(flow=flows[0]["id"], source=flows[0]["source_id"], timeline=timeline)
    found = set()
    for operator in ("=", "<>", "<", "<=", ">", ">="):
        pushed = count(client, table, f"{column} {operator} ?::UUID", value)
        assert pushed == count(client, table, f"CASE WHEN random() < 2 THEN {column} END {operator} ?::UUID", value)
        found.add(pushed)
    assert len(found) > 1
    assert count(client, table, f"{column} IN (?::UUID, ?::UUID)", value, flows[1]["id"]) == \
        count(client, table, f"CASE WHEN random() < 2 THEN {column} END IN (?::UUID, ?::UUID)", value, flows[1]["id"])


@pytest.mark.parametrize("condition", [
    "start_time = 2", "start_time >= 2", "start_time < 2.5", "start_time BETWEEN 1 AND 2", "start_time > 1 AND end_time < 4",
    "end_time = 3", "end_time IS NULL", "tags IS NULL", "ts_offset IS NOT NULL"])
@pytest.mark.parametrize("flow", [0, 1, 2])
def test_a_range_of_a_timeline_reads_the_same(house, flow, condition):
    client, flows = house
    [[timeline]] = rows(client, "SELECT timeline_id FROM flows WHERE id = ?::UUID", flows[flow]["id"])
    assert count(client, "segments", f"timeline_id = ?::UUID AND {condition}", timeline) == \
        count(client, "segments", f"timeline_id::VARCHAR = ? AND ({condition}) IS true", timeline)

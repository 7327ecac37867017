"""SQL that writes to tables of the product leaves what the API's calls leave: rows, documents and changes."""
import json
import os
import random

import pytest
from reelhouse_server import rows
from tams_client import VIDEO, Client, new_id, segment, video_flow

# What differs between two servers that did the same, because it is the time or chosen at random.
VOLATILE = {"created", "metadata_updated", "metadata_version", "updated", "segments_updated"}
FLOW_JSON = ("tags", "essence_parameters", "flow_collection")
FLOW_TEXT = ("label", "description", "codec", "container", "format")


def sql(client: Client, text: str, *parameters, expect=200) -> dict:
    return client.post("/sql", {"sql": text, "parameters": list(parameters)}, expect=expect).json()


def steady(value):
    """The value without what is volatile in it."""
    if isinstance(value, dict):
        return {name: steady(member) for name, member in value.items() if name not in VOLATILE}
    return [steady(item) for item in value] if isinstance(value, list) else value


def timeline(flow_id: str) -> str:
    return f"(SELECT timeline_id FROM flows WHERE id = '{flow_id}')"


def insert_flow(client: Client, flow: dict, **options) -> dict:
    names = [name for name in flow if name not in FLOW_JSON]
    documents = [name for name in flow if name in FLOW_JSON]
    values = [flow[name] for name in names] + [json.dumps(flow[name]) for name in documents]
    columns = names + documents
    return sql(client, f"INSERT INTO flows ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})",
               *values, **options)


def update_flow(client: Client, flow_id: str, changes: dict, **options) -> dict:
    values = [json.dumps(value) if name in FLOW_JSON and value is not None else value
              for name, value in changes.items()]
    assignments = ", ".join(f"{name} = ?" for name in changes)
    return sql(client, f"UPDATE flows SET {assignments} WHERE id = '{flow_id}'", *values, **options)


def insert_segments(client: Client, flow_id: str, segments: list[dict], **options) -> dict:
    lines = []
    for item in segments:
        start, end = (text.split(":")[0] for text in item["timerange"][1:-1].split("_"))
        tags = f"'{json.dumps(item['tags'])}'" if item.get("tags") else "NULL"
        lines.append(f"({timeline(flow_id)}, {start}, {end}, '{item['object_id']}', {tags})")
    return sql(client, f"INSERT INTO segments (timeline_id, start_time, end_time, object_id, tags) "
                       f"VALUES {', '.join(lines)}", **options)


def check_same_words(by_api, by_sql: dict) -> None:
    """SQL's message is the API's, with the row in front."""
    assert by_api.json()["message"][1:] in by_sql["message"]


FIGURES = ("analytics_state", "flow_summaries", "flow_summary_nodes", "object_usage", "object_groups",
           "timeline_object_groups")


class Pair:
    """Does everything twice: by the API on one server, in SQL on the other."""

    def __init__(self, by_api: Client, by_sql: Client):
        self.by_api, self.by_sql = by_api, by_sql
        self.seen = 0

    def both(self, method: str, path: str, body=None, expect=None) -> None:
        for client in (self.by_api, self.by_sql):
            client.request(method, path, expect, json=body)

    def changes(self, client: Client) -> list[dict]:
        return [change for change in client.items("/audit", reverse_order="true", limit=100)
                if change["sequence"] > self.seen]

    def check_changes(self) -> list[str]:
        """The same changes were told since the last call; their types."""
        told = [self.changes(client) for client in (self.by_api, self.by_sql)]
        for one, other in zip(*told):
            for change in (one, other):
                for name in ("at", "event_timestamp"):
                    change.pop(name, None)
                change.get("event", {}).pop("event_timestamp", None)
            assert steady(one) == steady(other)
        assert len(told[0]) == len(told[1])
        if told[0]:
            self.seen = told[0][-1]["sequence"]
        return [change["type"] for change in told[0]]

    def check_documents(self) -> None:
        def all_of(client: Client) -> dict:
            flows = sorted(client.items("/flows", limit=100), key=lambda flow: flow["id"])
            return {"flows": flows, "sources": sorted(client.items("/sources"), key=lambda source: source["id"]),
                    "segments": [client.items(f"/flows/{flow['id']}/segments", accept_get_urls="") for flow in flows]}
        assert steady(all_of(self.by_api)) == steady(all_of(self.by_sql))


@pytest.fixture
def pair(serve):
    servers = [serve(), serve()]
    yield Pair(*(Client(server.url) for server in servers))
    for server in servers:
        server.stop()
    # After a check of the ledger and every reference. Figures are computed later, so either may lack some.
    counts = [{table: count for table, count in rows(server.data_dir).items() if table not in FIGURES} for server in servers]
    assert counts[0] == counts[1]


class History:
    """Random writes of both kinds."""

    def __init__(self, pair: Pair, seed: int):
        self.pair = pair
        self.random = random.Random(seed)
        self.flows: dict[str, dict] = {}
        self.segments: dict[str, dict[int, dict]] = {}
        self.refusals = 0

    def step(self) -> None:
        wanted = self.random.choice([self.create, self.change, self.change, self.retag, self.lock, self.delete,
                                     self.register, self.register, self.register, self.clash, self.tag, self.cut,
                                     self.source])
        if self.flows or wanted == self.create:
            wanted()
        else:
            self.create()

    def some_flow(self) -> str:
        return self.random.choice(sorted(self.flows))

    def text(self) -> str:
        return self.random.choice(["one", "it's", "ÄÖ ü", "", '"quoted"', "-- no comment"])

    def create(self) -> None:
        if len(self.flows) > 6:
            return
        sources = [flow["source_id"] for flow in self.flows.values()] + [new_id()]
        flow = video_flow(label=self.text(), source_id=self.random.choice(sources))
        if self.random.random() < 0.4:
            flow["tags"] = {"place": self.text(), "many": ["a", "b"]}
        if self.flows and self.random.random() < 0.5:
            flow["flow_collection"] = [{"id": self.some_flow(), "role": "video"}]
        self.pair.by_api.put(f"/flows/{flow['id']}", flow, expect=201)
        insert_flow(self.pair.by_sql, flow)
        self.flows[flow["id"]] = flow
        self.segments[flow["id"]] = {}

    def put(self, flow_id: str, changes: dict) -> None:
        flow = self.flows[flow_id]
        changed = {name: value for name, value in (flow | changes).items() if value is not None}
        if flow.get("read_only"):
            self.refusals += 1
            told = self.pair.by_api.put(f"/flows/{flow_id}", changed, expect=403)
            check_same_words(told, update_flow(self.pair.by_sql, flow_id, changes, expect=403))
            return
        self.pair.by_api.put(f"/flows/{flow_id}", changed, expect=204)
        update_flow(self.pair.by_sql, flow_id, changes)
        self.flows[flow_id] = changed

    def change(self) -> None:
        members = {"label": self.text() + str(self.random.random()),
                   "description": self.random.choice([None, self.text()]),
                   "generation": self.random.randrange(1, 9), "source_id": new_id()}
        names = self.random.sample(sorted(members), self.random.choice([1, 1, 2]))
        self.put(self.some_flow(), {"label": members["label"]} | {name: members[name] for name in names})

    def retag(self) -> None:
        self.put(self.some_flow(), {"tags": {"x": self.text() + str(self.random.random())}})

    def lock(self) -> None:
        flow_id = self.some_flow()
        value = not self.flows[flow_id].get("read_only", False)
        self.pair.by_api.put(f"/flows/{flow_id}/read_only", value, expect=204)
        update_flow(self.pair.by_sql, flow_id, {"read_only": value})
        self.flows[flow_id]["read_only"] = value

    def delete(self) -> None:
        if self.random.random() < 0.6:
            return
        flow_id = self.some_flow()
        if self.flows[flow_id].get("read_only"):
            self.pair.by_api.delete(f"/flows/{flow_id}", expect=403)
            sql(self.pair.by_sql, f"DELETE FROM flows WHERE id = '{flow_id}'", expect=403)
            return
        self.pair.by_api.delete(f"/flows/{flow_id}", expect=204)
        sql(self.pair.by_sql, f"DELETE FROM flows WHERE id = '{flow_id}'")
        del self.flows[flow_id], self.segments[flow_id]
        for flow in self.flows.values():
            members = [item for item in flow.get("flow_collection", []) if item["id"] != flow_id]
            if "flow_collection" in flow:
                flow["flow_collection"] = members

    def new_segments(self, flow_id: str, starts: list[int]) -> list[dict]:
        ids = [new_id() for _ in starts]
        self.pair.both("POST", f"/flows/{flow_id}/storage", {"object_ids": ids}, expect=201)
        made = []
        for object_id, start in zip(ids, starts):
            tags = {"tags": {"take": str(start)}} if self.random.random() < 0.3 else {}
            made.append(segment(object_id, start, **tags))
        return made

    def register(self) -> None:
        flow_id = self.some_flow()
        if self.flows[flow_id].get("read_only"):
            return
        free = [start for start in range(20) if start not in self.segments[flow_id]]
        if not free:
            return
        starts = sorted(self.random.sample(free, min(len(free), self.random.randrange(1, 5))))
        segments = self.new_segments(flow_id, starts)
        self.pair.by_api.post(f"/flows/{flow_id}/segments", segments, expect=201)
        insert_segments(self.pair.by_sql, flow_id, segments)
        self.segments[flow_id] |= dict(zip(starts, segments))

    def clash(self) -> None:
        """One segment that overlaps, or whose object is nowhere: refused with the same words."""
        flow_id = self.some_flow()
        taken = self.segments[flow_id]
        if not taken or self.flows[flow_id].get("read_only"):
            return
        start = self.random.choice(sorted(taken))
        if self.random.random() < 0.5:
            wrong = segment("nowhere", 100)
        elif start - 1 in taken:
            return
        else:
            wrong = segment(self.new_segments(flow_id, [200])[0]["object_id"], start - 1, 2)
        self.refusals += 1
        told = self.pair.by_api.post(f"/flows/{flow_id}/segments", wrong, expect=400)
        check_same_words(told, insert_segments(self.pair.by_sql, flow_id, [wrong], expect=400))

    def tag(self) -> None:
        flow_id = self.some_flow()
        taken = self.segments[flow_id]
        if not taken or self.flows[flow_id].get("read_only"):
            return
        start = self.random.choice(sorted(taken))
        tags = {"take": str(self.random.random())}
        self.pair.by_api.put(f"/flows/{flow_id}/segments/{start}:0/tags", tags, expect=204)
        sql(self.pair.by_sql, f"UPDATE segments SET tags = ? WHERE timeline_id = {timeline(flow_id)} "
                              f"AND start_time = {start}", json.dumps(tags))

    def cut(self) -> None:
        flow_id = self.some_flow()
        begin = self.random.randrange(20)
        end = begin + self.random.randrange(1, 8)
        doomed = [start for start in self.segments[flow_id] if begin <= start < end]
        if self.flows[flow_id].get("read_only"):
            return
        self.pair.by_api.delete(f"/flows/{flow_id}/segments", expect=204, params={"timerange": f"[{begin}:0_{end}:0)"})
        sql(self.pair.by_sql, f"DELETE FROM segments WHERE timeline_id = {timeline(flow_id)} "
                              f"AND start_time >= {begin} AND end_time <= {end}")
        for start in doomed:
            del self.segments[flow_id][start]

    def source(self) -> None:
        if self.random.random() < 0.3:
            source = {"id": new_id(), "format": VIDEO, "label": self.text(), "tags": {"a": "b"}}
            self.pair.by_api.post("/sources", source, expect=201)
            sql(self.pair.by_sql, "INSERT INTO sources (id, format, label, tags) VALUES (?, ?, ?, ?)",
                source["id"], VIDEO, source["label"], json.dumps(source["tags"]))
            if self.random.random() < 0.5:
                self.pair.by_api.delete(f"/sources/{source['id']}", expect=204)
                sql(self.pair.by_sql, f"DELETE FROM sources WHERE id = '{source['id']}'")
            return
        source_id = self.flows[self.some_flow()]["source_id"]
        label = self.text() + str(self.random.random())
        self.pair.by_api.put(f"/sources/{source_id}/label", label, expect=204)
        sql(self.pair.by_sql, f"UPDATE sources SET label = ? WHERE id = '{source_id}'", label)


def test_random_histories_leave_the_same(pair):
    seed = int(os.environ.get("REELHOUSE_SEED", "0")) or random.randrange(2**32)
    print(f"REELHOUSE_SEED={seed}")
    history = History(pair, seed)
    types: set[str] = set()
    for step in range(120):
        history.step()
        if step % 10 == 9:
            types.update(pair.check_changes())
    types.update(pair.check_changes())
    pair.check_documents()
    assert {"flows/created", "flows/updated", "flows/segments_added", "sources/updated"} <= types
    assert history.refusals > 0


def test_a_transaction_is_one_write(fresh_client):
    """A flow, its segments and their removal in one transaction; the later statements see the earlier ones."""
    client = fresh_client
    flow = video_flow(label="of one piece")
    holder = client.put_flow()
    media = [item["object_id"] for item in client.post(f"/flows/{holder['id']}/storage", {"limit": 4}, expect=201)
             .json()["media_objects"]]
    urls = [{"object_id": name, "timerange": f"[{i}:0_{i + 1}:0)"} for i, name in enumerate(media)]
    client.post(f"/flows/{holder['id']}/segments", urls, expect=201)
    begin = (f"BEGIN; INSERT INTO flows (id, source_id, format, codec, container, essence_parameters, label) VALUES "
             f"('{flow['id']}', '{flow['source_id']}', '{VIDEO}', 'video/h264', 'video/mp2t', "
             f"'{json.dumps(flow['essence_parameters'])}', 'of one piece'); "
             f"INSERT INTO segments (timeline_id, start_time, end_time, object_id) SELECT "
             f"(SELECT timeline_id FROM flows WHERE label = 'of one piece'), start_time, end_time, object_id "
             f"FROM segments WHERE object_id IN ({', '.join(repr(name) for name in media)}); "
             f"DELETE FROM segments WHERE start_time = 1 AND timeline_id = {timeline(flow['id'])}; ")
    overlapping = (f"INSERT INTO segments (timeline_id, start_time, end_time, object_id) VALUES "
                   f"({timeline(flow['id'])}, 2.5, 2.75, '{media[0]}'); ")
    before = len(client.items("/audit"))
    told = sql(client, begin + overlapping + "COMMIT", expect=400)["message"]
    assert "overlaps the segment" in told
    client.get(f"/flows/{flow['id']}", expect=404)
    assert len(client.items("/audit")) == before
    again = (f"INSERT INTO segments (timeline_id, start_time, end_time, object_id, ts_offset) VALUES "
             f"({timeline(flow['id'])}, 1.25, 1.75, '{media[1]}', 0); ")
    sql(client, begin + again + "COMMIT")
    assert client.timeranges(flow["id"]) == ["[0:0_1:0)", "[1:250000000_1:750000000)", "[2:0_3:0)", "[3:0_4:0)"]
    types = [change["type"] for change in client.items("/audit", reverse_order="true")][before:]
    assert types == ["sources/created", "flows/created", "flows/segments_added", "flows/segments_deleted",
                     "flows/segments_added"]


def test_rows_are_returned_as_they_became(fresh_client):
    client = fresh_client
    flow = video_flow()
    [[created, version, revision]] = sql(
        client, "INSERT INTO flows (id, source_id, format, codec, container, essence_parameters) VALUES (?, ?, ?, ?, ?, ?) "
        "RETURNING created, metadata_version, revision", flow["id"], flow["source_id"], VIDEO, "video/h264",
        "video/mp2t", json.dumps(flow["essence_parameters"]))["rows"]
    shown = client.get(f"/flows/{flow['id']}").json()
    assert version == shown["metadata_version"] and revision == 0 and created[:19] == shown["created"][:19]
    assert sql(client, "UPDATE flows SET label = 'x' RETURNING label, revision")["rows"] == [["x", 1]]
    assert sql(client, "UPDATE flows SET label = 'x'")["rows"] == [[1]]
    assert client.get(f"/flows/{flow['id']}").json()["metadata_version"] != version
    assert sql(client, "SELECT revision FROM flows")["rows"] == [[1]], "nothing changed, nothing is told"
    assert sql(client, "DELETE FROM flows RETURNING label")["rows"] == [["x"]]


def test_columns_of_users_in_every_table(fresh_client):
    client = fresh_client
    flow = client.put_flow()
    client.add_segments(flow["id"], 3)
    for table, column in (("flows", "rating INTEGER"), ("segments", "grade DOUBLE"), ("objects", "vendor VARCHAR"),
                          ("sources", "desk VARCHAR")):
        sql(client, f"ALTER TABLE {table} ADD COLUMN {column}")
    before = len(client.items("/audit"))
    sql(client, "UPDATE segments SET grade = start_time / 2")
    sql(client, "UPDATE objects SET vendor = 'us'")
    sql(client, "UPDATE sources SET desk = 'news'")
    assert len(client.items("/audit")) == before, "documents have no such members"
    assert sql(client, "SELECT grade FROM segments ORDER BY start_time")["rows"] == [[0], [0.5], [1]]
    assert sql(client, "SELECT DISTINCT vendor FROM objects")["rows"] == [["us"]]
    sql(client, "UPDATE flows SET rating = 5")
    assert client.get(f"/flows/{flow['id']}").json()["rating"] == 5
    assert client.items("/audit", limit=1)[0]["type"] == "flows/updated"
    sql(client, "MERGE INTO sources USING (SELECT source_id AS id FROM flows) f ON sources.id = f.id "
                "WHEN MATCHED THEN UPDATE SET desk = 'sports', label = 'merged'")
    assert sql(client, "SELECT desk, label FROM sources")["rows"] == [["sports", "merged"]]


@pytest.mark.parametrize(("statement", "status", "said"), [
    ("UPDATE flows SET created = now()", 403, "column 'created' of table flows is filled by the product"),
    ("UPDATE flows SET timeline_id = uuid()", 403, "filled by the product"),
    ("UPDATE flows SET id = uuid()", 403, "is the key of table flows"),
    ("UPDATE flows SET tags = 'no json'", 400, "column 'tags' is not JSON"),
    ("UPDATE flows SET tags = '[]'", 400, "column 'tags' is not a JSON object"),
    ("UPDATE flows SET extra = '7'", 400, "not a JSON object"),
    ("UPDATE flows SET flow_collection = '{}'", 400, "not a JSON array"),
    ("UPDATE flows SET format = NULL", 400, "format"),
    ("UPDATE flows SET format = 'urn:x-nmos:format:data', essence_parameters = "
     "'{\"data_type\": \"urn:x\"}'", 400, "format"),
    ("UPDATE flows SET codec = 'h264'", 400, "codec"),
    ("UPDATE segments SET end_time = end_time + 1", 403, "column 'end_time' of table segments"),
    ("UPDATE segments SET start_time = start_time + 1", 403, "is the key of table segments"),
    ("UPDATE segments SET tags = '{\"a\": 1}'", 400, "a"),
    ("INSERT INTO segments (timeline_id, start_time, end_time, object_id) VALUES (uuid(), 0, 1, 'x')", 404, "timeline"),
    ("INSERT INTO segments (timeline_id, start_time, end_time, object_id) SELECT timeline_id, 0, 1, object_id "
     "FROM segments LIMIT 1", 409, "there is such a row already"),
    ("INSERT INTO segments (timeline_id, start_time, object_id) SELECT timeline_id, 50, 'x' FROM flows", 400, "end_time"),
    ("INSERT INTO segments (timeline_id, start_time, end_time, object_id) SELECT timeline_id, 500000000000000, "
     "600000000000000, 'x' FROM flows", 400, "start_time"),
    ("INSERT INTO flows (id) VALUES (uuid())", 400, "source_id"),
    ("INSERT INTO flows (source_id) VALUES (uuid())", 400, "id"),
    ("UPDATE sources SET format = 'urn:x-nmos:format:audio'", 409, "cannot change"),
    ("DELETE FROM sources", 409, "delete them first"),
    ("DELETE FROM objects", 403, "come and go with the API"),
    ("UPDATE objects SET size_bytes = 5", 403, "filled by the product"),
    ("INSERT INTO webhooks (id) VALUES (uuid())", 403, "come and go with the API"),
    ("DELETE FROM changes", 403, "come and go with the API"),
])
def test_what_the_product_forbids(client, forbidding, statement, status, said):
    answer = sql(client, statement, expect=status)
    assert said in answer["message"]
    assert forbidding(), "nothing has changed"


@pytest.fixture(scope="module")
def forbidding(server):
    """A flow with segments, and whether everything is still as it was."""
    client = Client(server.url)
    flow = client.put_flow()
    client.add_segments(flow["id"], 2)

    def state() -> list:
        return [client.get("/flows").json(), client.get("/sources").json(),
                client.get(f"/flows/{flow['id']}/segments", params={"accept_get_urls": ""}).json()]
    before = state()
    return lambda: state() == before


def test_a_writer_that_comes_second_gets_a_conflict(fresh_client):
    """Many transactions on one flow at once: every acknowledged one is there, the others are not."""
    from concurrent.futures import ThreadPoolExecutor
    client = fresh_client
    flow = client.put_flow(tags={"count": "0"})

    def add(_) -> bool:
        answer = Client(client.url).post("/sql", {"sql": f"UPDATE flows SET tags = '{{\"count\": \"' || "
                                                         f"(json_extract_string(tags, '$.count')::INT + 1) || '\"}}'"},
                                         expect=(200, 409))
        return answer.status_code == 200

    with ThreadPoolExecutor(8) as threads:
        done = sum(threads.map(add, range(60)))
    assert 0 < done
    assert client.get(f"/flows/{flow['id']}").json()["tags"]["count"] == str(done)

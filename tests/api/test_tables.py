"""Columns and tables that change while they serve."""
import json
import threading
import time
from datetime import datetime, timedelta, timezone
from itertools import count

import pytest
from reelhouse_server import run
from tams_client import Client, segment_path

numbers = count(1)


@pytest.fixture
def table(client) -> str:
    """A table of the test's own."""
    return create(client, f"cameras_{next(numbers)}")


def create(client, name: str, expect=201, **members) -> str:
    columns = [{"name": "serial", "type": "string"}, {"name": "lens", "type": "string", "doc": "as engraved"},
               {"name": "age", "type": "int32", "nullable": False, "default": 0}]
    body = {"name": name, "columns": columns, "primary_key": ["serial"]} | members
    made = client.post("/tables", body, expect=expect)
    if made.status_code == 201:
        assert made.headers["Location"] == f"{client.url}/tables/{name}"
        assert client.get(made.headers["Location"]).json() == made.json()
    return name


def migrate(client, table: str, *operations: dict, expect=200, **members) -> dict:
    return client.post(f"/tables/{table}/migrations", {"operations": list(operations)} | members, expect=expect).json()


def names(client, table: str, **query) -> list[str]:
    schema = client.get(f"/tables/{table}", params=query).json()
    return [column["name"] for column in schema["columns"]]


def rename(column: str, name: str) -> dict:
    return {"op": "rename_column", "column": column, "name": name}


def drop(column: str) -> dict:
    return {"op": "drop_column", "column": column}


def add(name: str, type_: str = "string", **members) -> dict:
    return {"op": "add_column", "name": name, "type": type_} | members


def test_one_migration_adds_renames_and_drops(client, table):
    done = migrate(client, table, add("version"), add("encrypted", "bool", nullable=False, default=False),
                   rename("lens", "optics"), drop("age"), comment="to the second version", expected_version=1)
    assert done["schema"]["version"] == 2 and not done["dry_run"] and done["rows_to_read"] == 0
    assert names(client, table) == ["inserted_at", "serial", "optics", "version", "encrypted"]
    assert names(client, table, version=1) == ["inserted_at", "serial", "lens", "age"]
    first, second = client.get(f"/tables/{table}/history").json()
    assert first["operations"] == [{"op": "create_table"}] and first["version"] == 1
    assert second["comment"] == "to the second version" and second["by"] == "anonymous"
    assert [operation["op"] for operation in second["operations"]] == \
        ["add_column", "add_column", "rename_column", "drop_column"]
    assert first["at"] <= second["at"]


def test_names_are_swapped_and_passed_on(client, table):
    ids = {column["name"]: column["id"] for column in client.get(f"/tables/{table}/columns").json()}
    migrate(client, table, rename("lens", "age"), rename("age", "lens"))
    migrate(client, table, rename("serial", "number"), rename("lens", "serial"), rename("age", "lens"))
    now = {column["name"]: column["id"] for column in client.get(f"/tables/{table}/columns").json()}
    assert now == {"inserted_at": ids["inserted_at"], "number": ids["serial"], "serial": ids["age"],
                   "lens": ids["lens"]}


def test_all_reasons_are_told_at_once_and_nothing_happens(client, table):
    problem = migrate(client, table, add("fine"), drop("lense"), drop("serial"), add("AGE", "int8"),
                      rename("inserted_at", "when"), {"op": "alter_type", "column": "age", "type": "string"},
                      {"op": "undrop_column", "id": 99}, expect=400)
    for reason in ("nearest is 'lens'", "belongs to the key", "exists already", "is the store's own",
                   "does not hold every int32", "no dropped column has the id 99"):
        assert reason in problem["summary"] + problem["message"]
    assert client.get(f"/tables/{table}").json()["version"] == 1


@pytest.mark.parametrize("operations, pointer", [
    ([], "/operations"), ([{"op": "explode"}], "/operations/0/op"), ([add("x", "number")], "/operations/0/type"),
    ([add("ok"), add("x", "int8", default=300)], "/operations/1/default"),
    ([add("x", "int8", default="five")], "/operations/0/default"), ([add("x", 5)], "/operations/0/type"),
    ([{"op": "set_default", "column": "age", "default": "x"}], "/operations/0/default"),
    ([add("x", "string", more=1)], "/operations/0/more"), ("drop", "/operations"),
    ([{"op": "set_nullable", "column": "age"}], "/operations/0")])
def test_bad_operations_are_named(client, table, operations, pointer):
    problem = client.post(f"/tables/{table}/migrations", {"operations": operations}, expect=400).json()
    assert problem["pointer"].startswith(pointer), problem
    assert client.get(f"/tables/{table}").json()["version"] == 1


@pytest.mark.parametrize("name", ['with "quotes" and \'these\'', "a.b", "größe 温度", "select", "x" * 128, "a/b?c=d&e%20"])
def test_columns_may_have_any_name(client, table, name):
    migrate(client, table, add(name, "float64"))
    info = client.get(f"/tables/{table}/columns/{segment_path(name)}").json()
    assert info["name"] == name and info["since_version"] == 2 and info["created_by"] == "anonymous"
    migrate(client, table, rename(name, "plain"))
    client.get(f"/tables/{table}/columns/{segment_path(name)}", expect=404)


@pytest.mark.parametrize("name", ["", "x" * 300, "a\nb", "#12", "ü" * 65])
def test_some_names_are_no_names(client, table, name):
    migrate(client, table, add(name), expect=400)
    migrate(client, table, rename("lens", name), expect=400)


def test_a_migration_of_very_many_columns(client, table):
    wide = migrate(client, table, *[add(f"c{i}", "int8") for i in range(1500)], expect=(200, 400))
    assert wide.get("dry_run") is False or "at most" in wide["message"] + wide["summary"]
    problem = migrate(client, table, *[add(f"d{i}", "int8") for i in range(10_000)], expect=400)
    assert "at most" in problem["message"] + problem["summary"]
    assert client.get("/livez").status_code == 200


def test_nothing_that_is_not_there(client, table):
    assert f"nearest is '{table}'" in str(client.get(f"/tables/{table}x", expect=404).json())
    assert "nearest is 'lens'" in str(client.get(f"/tables/{table}/columns/lense", expect=404).json())
    for path in ("", "/columns", "/columns/a", "/history", "/stats"):
        client.get(f"/tables/nowhere{path}", expect=404)
    client.delete("/tables/nowhere", expect=404)
    migrate(client, "nowhere", drop("a"), expect=404)
    client.post("/tables/nowhere/rollback", {"version": 1}, expect=404)
    client.post(f"/tables/{table}/rollback", {"version": 5}, expect=404)
    client.post("/dropped-tables/999999/restore", {}, expect=404)
    client.post("/dropped-tables/x/restore", {}, expect=404)
    client.get(f"/tables/{table}", 404, params={"version": 2})
    client.get(f"/tables/{table}", 400, params={"version": "x"})
    client.get(f"/tables/{table}", 400, params={"as_of": "yesterday"})
    client.get(f"/tables/{table}", 400, params={"version": 1, "as_of": "2026-01-01T00:00:00Z"})


def test_schemas_as_of_a_moment(client, table):
    created = client.get(f"/tables/{table}/history").json()[0]["at"]
    migrate(client, table, drop("lens"))
    dropped = client.get(f"/tables/{table}/history").json()[1]["at"]
    assert "lens" in names(client, table, as_of=created)
    assert "lens" not in names(client, table, as_of=dropped)
    before = datetime.fromisoformat(created) - timedelta(microseconds=1)
    client.get(f"/tables/{table}", 404, params={"as_of": before.isoformat()})
    later = datetime.now(timezone(timedelta(hours=5))) + timedelta(days=1)
    assert names(client, table, as_of=later.isoformat()) == names(client, table)


def test_a_dry_run_changes_nothing(client, table):
    plan = migrate(client, table, drop("lens"), {"op": "rename_table", "name": "other"}, dry_run=True)
    assert plan["dry_run"] and plan["schema"]["version"] == 2 and plan["schema"]["name"] == "other"
    assert [column["name"] for column in plan["schema"]["dropped_columns"]] == ["lens"]
    assert client.get(f"/tables/{table}").json()["version"] == 1
    migrate(client, table, {"op": "rename_table", "name": "flows"}, dry_run=True, expect=409)


def test_what_was_expected_must_be_so(client, table):
    migrate(client, table, drop("age"), expected_version=2, expect=409)
    migrate(client, table, drop("age"), expected_version=1)
    client.post(f"/tables/{table}/rollback", {"version": 1, "expected_version": 1}, expect=409)


def test_a_rollback_brings_back_what_is_there(client, table):
    migrate(client, table, drop("lens"), rename("age", "years"), {"op": "alter_type", "column": "years", "type": "int64"},
            add("note"), {"op": "reorder", "columns": ["note", "years"]})
    path = f"/tables/{table}/rollback"
    plan = client.post(path, {"version": 1, "dry_run": True}).json()
    done = client.post(path, {"version": 1, "comment": "sorry"}).json()
    assert done["operations"] == plan["operations"] and len(done["not_restored"]) == 1
    assert "int64" in done["not_restored"][0]
    assert names(client, table) == names(client, table, version=1)
    assert client.get(f"/tables/{table}/history").json()[2]["comment"] == "sorry"
    again = client.post(path, {"version": 1}).json()
    assert again["operations"] == [] and again["schema"]["version"] == 3


def test_a_type_is_converted_row_by_row(client, table):
    values = ["1", "2.5", "none", None]
    client.post("/sql", {"sql": f"INSERT INTO {table} (serial, lens) VALUES (?, ?), (?, ?), (?, ?), (?, ?)",
                         "parameters": [part for i, value in enumerate(values) for part in (f"c{i}", value)]})
    before = client.get(f"/tables/{table}/columns/lens").json()["id"]
    convert = {"op": "convert_type", "column": "lens", "type": "decimal(5,1)"}
    refused = migrate(client, table, convert, expect=400)["message"]
    assert "row ('c2'): none cannot become decimal(5,1)" in refused
    assert client.get(f"/tables/{table}").json()["version"] == 1
    assert migrate(client, table, {**convert, "or_null": True}, dry_run=True)["rows_to_read"] == 4

    def lenses() -> list:
        return [row[0] for row in client.post("/sql", {"sql": f"SELECT lens FROM {table} ORDER BY serial"}).json()["rows"]]
    migrate(client, table, {**convert, "or_null": True})
    assert lenses() == ["1.0", "2.5", None, None]
    assert names(client, table) == names(client, table, version=1), "it stands where it stood"
    assert client.get(f"/tables/{table}/columns/lens").json()["id"] > before
    client.post(f"/tables/{table}/rollback", {"version": 1})
    assert lenses() == values, "the old column came back with its values"


def test_large_tables_are_converted_only_when_writers_may_wait(serve_in, tmp_path):
    server = serve_in(tmp_path, "--set", "limits.convert_rows_max=2")
    client = Client(server.url)
    table = create(client, "cameras")
    client.post("/sql", {"sql": f"INSERT INTO {table} (serial, lens) VALUES ('a', '1'), ('b', '2')"})
    convert = [{"op": "convert_type", "column": "lens", "type": "int32"}]
    back = [{"op": "convert_type", "column": "lens", "type": "string"}]
    migrate(client, table, *convert)
    client.post("/sql", {"sql": f"INSERT INTO {table} (serial, lens) VALUES ('c', 3)"})
    for dry_run in (True, False):
        assert '"wait": true' in migrate(client, table, *back, dry_run=dry_run, expect=400)["message"]
    answer = client.post("/sql", {"sql": f"ALTER TABLE {table} ALTER lens TYPE VARCHAR"}, expect=400)
    assert "rewrites all of its 3 rows" in answer.json()["message"]
    migrate(client, table, {"op": "alter_type", "column": "lens", "type": "int64"})
    words = ("table", "alter-type", table, "lens", "string", "--convert", "--to", server.url)
    assert "--wait" in run(*words).stderr
    assert run(*words, "--wait").returncode == 0
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_back.json").write_text(json.dumps({"table": table, "operations": convert}))
    words = ("table", "migrate", str(tmp_path / "migrations"), "--to", server.url)
    assert "--wait" in run(*words).stderr
    assert run(*words, "--wait").returncode == 0
    assert client.post("/sql", {"sql": f"SELECT sum(lens) FROM {table}"}).json()["rows"] == [["6"]]


def test_dropped_columns_come_back_by_their_id(client, table):
    schema = migrate(client, table, drop("lens"))["schema"]
    (gone,) = schema["dropped_columns"]
    migrate(client, table, add("lens", "int8"))
    migrate(client, table, {"op": "undrop_column", "id": gone["id"]}, expect=400)
    migrate(client, table, {"op": "undrop_column", "id": gone["id"], "name": "old_lens"})
    columns = {column["name"]: column for column in client.get(f"/tables/{table}/columns").json()}
    assert columns["old_lens"]["id"] == gone["id"] and columns["old_lens"]["type"] == "string"
    assert columns["lens"]["id"] > gone["id"]


def test_dropped_tables_come_back(client, table):
    dropped = client.delete(f"/tables/{table}", expect=200).json()
    assert dropped["name"] == table and dropped["dropped"] < dropped["expires"]
    assert dropped in client.get("/dropped-tables").json()
    client.get(f"/tables/{table}", expect=404)
    create(client, table)
    path = f"/dropped-tables/{dropped['id']}/restore"
    client.post(path, {}, expect=409)
    client.post(path, {"name": "BAD NAME"}, expect=400)
    back = client.post(path, {"name": f"{table}_old"}).json()
    assert back["id"] == dropped["id"] and back["name"] == f"{table}_old"
    assert dropped["id"] not in [one["id"] for one in client.get("/dropped-tables").json()]
    client.post(path, expect=404, data=b"")
    history = client.get(f"/tables/{table}_old/history").json()
    assert [version["operations"][0]["op"] for version in history] == ["create_table", "drop_table", "undrop_table"]


def test_tables_lie_in_schemas(client):
    schema = f"lab_{next(numbers)}"
    assert client.post("/schemas", {"name": schema}, expect=201).json() == {"name": schema, "product": False, "tables": 0}
    client.post("/schemas", {"name": schema}, expect=409)
    client.post("/schemas", {"name": "a.b"}, expect=400)
    client.post("/schemas", {"name": "temp"}, expect=400)
    table = create(client, f"{schema}.cameras")
    assert names(client, table) == ["inserted_at", "serial", "lens", "age"]
    [listed] = [one for one in client.get("/tables").json() if one["schema"] == schema]
    assert listed["name"] == table
    schemas = {one["name"]: one for one in client.get("/schemas").json()}
    assert schemas[schema]["tables"] == 1 and schemas["main"]["product"]
    migrate(client, table, rename("lens", "optics"), {"op": "rename_table", "name": f"{schema}.scopes"})
    assert names(client, f"{schema}.scopes") == ["inserted_at", "serial", "optics", "age"]
    assert client.get(f"/tables/{schema}.scopes/history").json()[0]["name"] == table
    assert client.get(f"/tables/{schema}.scopes/stats").json()["rows"] == 0
    assert "nearest" in client.get("/tables/scopes", expect=404).json()["message"]
    assert "main" in client.get("/tables/main.flows", expect=404).json()["message"]
    create(client, "nowhere.cameras", expect=404)
    migrate(client, f"{schema}.scopes", {"op": "rename_table", "name": "nowhere.x"}, expect=404)
    assert "CASCADE" in client.delete(f"/schemas/{schema}", expect=409).json()["message"]
    [dropped] = client.delete(f"/schemas/{schema}?cascade=true", expect=200).json()
    assert dropped["name"] == f"{schema}.scopes"
    client.delete(f"/schemas/{schema}", expect=404)
    client.get(f"/tables/{schema}.scopes", expect=404)
    back = client.post(f"/dropped-tables/{dropped['id']}/restore", {}).json()
    assert back["name"] == f"{schema}.scopes"
    assert schema in [one["name"] for one in client.get("/schemas").json()], "a table brings its schema back"
    assert "'main' cannot be dropped" in client.delete("/schemas/main?cascade=true", expect=400).json()["message"]


def test_schemas_on_the_command_line(server):
    schema, url = f"lab_{next(numbers)}", ("--to", server.url)
    assert run("table", "create-schema", schema, *url).returncode == 0
    assert run("table", "create", f"{schema}.takes", "id int64", "--key", "id", *url).returncode == 0
    assert run("table", "add-column", f"{schema}.takes", "note", "string", *url).returncode == 0
    assert f"{schema}.takes" in run("table", "list", *url).stdout
    assert schema in run("table", "schemas", *url).stdout
    refused = run("table", "drop-schema", schema, *url)
    assert refused.returncode == 1 and f"{schema}.takes" in refused.stderr
    dropped = run("table", "drop-schema", schema, "--cascade", *url)
    assert dropped.returncode == 0 and "brings it back" in dropped.stdout
    assert schema not in run("table", "schemas", *url).stdout


@pytest.mark.parametrize("change", [
    {"name": "Bad Name"}, {"name": ""}, {"name": "x" * 300}, {"primary_key": []}, {"primary_key": ["nothing"]},
    {"columns": []}, {"columns": [{"name": "a"}]}, {"more": 1}, {"primary_key": ["serial", "serial"]},
    {"columns": [{"name": "serial", "type": "string"}, {"name": "Serial", "type": "string"}]},
    {"columns": [{"name": "serial", "type": "list<string>"}]}, {"comment": "x" * 5000},
    {"columns": [{"name": "serial", "type": "string"}, {"name": "inserted_at", "type": "string"}]}])
def test_bad_definitions_are_refused(client, change):
    create(client, change.pop("name", "never"), expect=400, **change)
    client.get("/tables/never", expect=404)


def test_a_table_is_created_once(client, table):
    create(client, table, expect=409)
    create(client, "flows", expect=409)


def test_tables_of_the_product(client):
    flow = client.put_flow(label="one")
    listed = {one["name"]: one for one in client.get("/tables").json()}
    assert listed["flows"]["product"] and listed["flows"]["rows"] >= 1 and listed["flows"]["schema"] == "main"
    client.delete("/tables/flows", expect=400)
    for operation in (drop("label"), {"op": "rename_table", "name": "streams"},
                      {"op": "alter_type", "column": "frame_width", "type": "string"}):
        migrate(client, "flows", operation, expect=400)
    before = client.get(f"/flows/{flow['id']}").json()
    migrate(client, "flows", rename("label", "title"), add("label", "int64"), add("reviewed", "bool"))
    try:
        assert client.get(f"/flows/{flow['id']}").json() == before
        client.put(f"/flows/{flow['id']}/label", "two", expect=204)
        assert client.ids("/flows", label="two") == [flow["id"]]
        info = client.get("/tables/flows/columns/title").json()
        assert info["product"] and not client.get("/tables/flows/columns/reviewed").json()["product"]
    finally:
        client.post("/tables/flows/rollback", {"version": 1})
    assert client.get(f"/flows/{flow['id']}").json()["label"] == "two"


def test_the_figures_of_a_table(client):
    before = client.get("/tables/flows/stats").json()
    for _ in range(3):
        client.put_flow()
    after = client.get("/tables/flows/stats").json()
    assert after["rows"] == before["rows"] + 3 == sum(hour["rows"] for hour in after["hours"])
    assert [hour["hour"] for hour in after["hours"]] == sorted(hour["hour"] for hour in after["hours"])


def test_changes_at_the_same_time_all_happen(client, table):
    failures = []

    def change(thread: int) -> None:
        try:
            own = Client(client.url)
            for i in range(5):
                migrate(own, table, add(f"c{thread}_{i}", "int8"))
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    schema = client.get(f"/tables/{table}").json()
    assert schema["version"] == 21 and len(schema["columns"]) == 24


def test_schemas_survive_a_restart(fresh_server):
    client = Client(fresh_server.url)
    create(client, "cameras")
    migrate(client, "cameras", drop("lens"), add("note", default="none"))
    before = [client.get(f"/tables/cameras{path}").json() for path in ("", "/history", "/stats")]
    fresh_server.kill()
    fresh_server.start()
    client = Client(fresh_server.url)
    assert [client.get(f"/tables/cameras{path}").json() for path in ("", "/history", "/stats")] == before


def test_what_was_dropped_is_purged(serve):
    server = serve("--set", "limits.undrop_days=0")
    client = Client(server.url)
    create(client, "kept")
    create(client, "gone")
    client.delete("/tables/gone", expect=200)
    migrate(client, "kept", drop("lens"))
    server.restart()  # the janitor begins at once
    client = Client(server.url)
    deadline = time.monotonic() + 60
    while client.get("/dropped-tables").json() or client.get("/tables/kept").json()["dropped_columns"]:
        assert time.monotonic() < deadline, "nothing was purged"
        time.sleep(0.02)
    assert "was dropped since, and purged" in client.post("/sql", {"sql": "FROM kept AT (VERSION => 1)"}, expect=400).text
    back = client.post("/tables/kept/rollback", {"version": 1}).json()
    assert len(back["not_restored"]) == 1 and "purged" in back["not_restored"][0]


def test_admins_change_and_viewers_look(serve_in, tmp_path):
    """The history names the caller. What each role may is tested for every operation in test_auth.py."""
    keys = {role: run("keys", "create", f"the {role}", "--role", role, "--data-dir", tmp_path / "data").stdout.strip()
            for role in ("viewer", "editor", "admin")}
    server = serve_in(tmp_path, "--set", "auth.modes=api_key")
    clients = {}
    for role, key in keys.items():
        clients[role] = Client(server.url)
        clients[role].session.headers["X-Api-Key"] = key
    create(clients["admin"], "cameras")
    assert clients["viewer"].get("/tables/cameras/history").json()[0]["by"] == "the admin"
    for role in ("viewer", "editor"):
        migrate(clients[role], "cameras", drop("lens"), expect=403)
        clients[role].delete("/tables/cameras", expect=403)

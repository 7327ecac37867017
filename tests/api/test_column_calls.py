"""The calls that users of column management know, on every surface: HTTP, command line, SQL (C++: src/server/tables_test.cc).

The table in docs/guide/tables.md says which call is which.
"""
import json
from itertools import count

import pytest
from reelhouse_server import run
from tams_client import Client

SQL_TYPES = {"string": "VARCHAR", "int32": "INTEGER", "bool": "BOOLEAN", "timestamp": "TIMESTAMP WITH TIME ZONE"}
numbers = count(1)


class Refused(Exception):
    pass


class Http:
    def __init__(self, url: str):
        self.client = Client(url)

    def migrate(self, table: str, *operations: dict) -> None:
        answer = self.client.post(f"/tables/{table}/migrations", {"operations": list(operations)}, expect=(200, 400, 404))
        if answer.status_code != 200:
            raise Refused(answer.json()["message"])

    def create(self, table: str) -> None:
        self.client.post("/tables", {"name": table, "columns": [{"name": "id", "type": "string"}],
                                     "primary_key": ["id"]}, expect=201)

    def add_columns(self, table: str, columns: dict[str, str]) -> None:
        self.migrate(table, *({"op": "add_column", "name": name, "type": kind} for name, kind in columns.items()))

    def rename_column(self, table: str, column: str, name: str) -> None:
        self.migrate(table, {"op": "rename_column", "column": column, "name": name})

    def drop_column(self, table: str, column: str) -> None:
        self.migrate(table, {"op": "drop_column", "column": column})

    def column_exists(self, table: str, column: str) -> bool:
        return self.client.get(f"/tables/{table}/columns/{column}", expect=(200, 404)).status_code == 200

    def get_table_columns(self, table: str) -> dict[str, str]:
        columns = self.client.get(f"/tables/{table}").json()["columns"]
        return {column["name"]: column["type"] for column in columns if column["name"] != "inserted_at"}

    def list_table_columns(self, table: str) -> list[str]:
        names = [column["name"] for column in self.client.get(f"/tables/{table}/columns").json()]
        return [name for name in names if name != "inserted_at"]

    def get_column_info(self, table: str, column: str) -> tuple[str, bool]:
        info = self.client.get(f"/tables/{table}/columns/{column}").json()
        return info["type"], info["nullable"]


class CommandLine:
    def __init__(self, url: str):
        self.url = url

    def run(self, *words: str) -> str:
        done = run("table", *words, "--to", self.url)
        if done.returncode:
            raise Refused(done.stderr)
        return done.stdout

    def create(self, table: str) -> None:
        self.run("create", table, "id string", "--key", "id")

    def add_columns(self, table: str, columns: dict[str, str]) -> None:
        for name, kind in columns.items():
            self.run("add-column", table, name, kind)

    def rename_column(self, table: str, column: str, name: str) -> None:
        self.run("rename-column", table, column, name)

    def drop_column(self, table: str, column: str) -> None:
        self.run("drop-column", table, column)

    def columns(self, table: str) -> list[dict]:
        columns = json.loads(self.run("columns", table, "--json"))
        return [column for column in columns if column["name"] != "inserted_at"]

    def column_exists(self, table: str, column: str) -> bool:
        return column in self.list_table_columns(table)

    def get_table_columns(self, table: str) -> dict[str, str]:
        return {column["name"]: column["type"] for column in self.columns(table)}

    def list_table_columns(self, table: str) -> list[str]:
        return [column["name"] for column in self.columns(table)]

    def get_column_info(self, table: str, column: str) -> tuple[str, bool]:
        [info] = [each for each in self.columns(table) if each["name"] == column]
        return info["type"], info["nullable"]


class Sql:
    def __init__(self, url: str):
        self.client = Client(url)

    def rows(self, sql: str, *parameters) -> list:
        answer = self.client.post("/sql", {"sql": sql, "parameters": list(parameters)}, expect=(200, 400, 404))
        if answer.status_code != 200:
            raise Refused(answer.json()["message"])
        return answer.json()["rows"]

    def create(self, table: str) -> None:
        self.rows(f"CREATE TABLE {table} (id VARCHAR PRIMARY KEY)")

    def add_columns(self, table: str, columns: dict[str, str]) -> None:
        for name, kind in columns.items():
            self.rows(f"ALTER TABLE {table} ADD COLUMN {name} {SQL_TYPES[kind]}")

    def rename_column(self, table: str, column: str, name: str) -> None:
        self.rows(f"ALTER TABLE {table} RENAME COLUMN {column} TO {name}")

    def drop_column(self, table: str, column: str) -> None:
        self.rows(f"ALTER TABLE {table} DROP COLUMN {column}")

    def column_exists(self, table: str, column: str) -> bool:
        return self.rows("SELECT count(*) FROM information_schema.columns WHERE table_name = ? AND column_name = ?",
                         table, column) == [[1]]

    def get_table_columns(self, table: str) -> dict[str, str]:
        ours = {sql: name for name, sql in SQL_TYPES.items()}
        return {name: ours[kind] for name, kind in self.rows(f"SELECT column_name, column_type FROM (DESCRIBE {table})")}

    def list_table_columns(self, table: str) -> list[str]:
        return [name for [name] in self.rows("SELECT column_name FROM information_schema.columns WHERE table_name = ? "
                                             "ORDER BY ordinal_position", table)]

    def get_column_info(self, table: str, column: str) -> tuple[str, bool]:
        [[kind, nullable]] = self.rows("SELECT data_type, is_nullable = 'YES' FROM information_schema.columns "
                                       "WHERE table_name = ? AND column_name = ?", table, column)
        return {sql: name for name, sql in SQL_TYPES.items()}[kind], nullable


SURFACES = {"http": Http, "cli": CommandLine, "sql": Sql}


@pytest.fixture(params=SURFACES)
def surface(request, server):
    return SURFACES[request.param](server.url)


@pytest.fixture
def users(surface) -> str:
    name = f"users_{next(numbers)}"
    surface.create(name)
    return name


def test_the_calls_one_by_one(surface, users):
    surface.add_columns(users, {"email": "string", "age": "int32", "is_active": "bool", "seen": "timestamp"})
    assert surface.get_table_columns(users) == {"id": "string", "email": "string", "age": "int32", "is_active": "bool",
                                                "seen": "timestamp"}
    surface.rename_column(users, "age", "user_age")
    assert surface.column_exists(users, "user_age") and not surface.column_exists(users, "age")
    surface.drop_column(users, "email")
    assert not surface.column_exists(users, "email")
    assert surface.list_table_columns(users) == ["id", "user_age", "is_active", "seen"]
    assert surface.get_column_info(users, "user_age") == ("int32", True)
    assert surface.get_column_info(users, "id") == ("string", False)


def test_a_call_that_cannot_be_done_says_why_and_changes_nothing(surface, users):
    surface.add_columns(users, {"email": "string"})
    before = surface.get_table_columns(users)
    for call, said in [(lambda: surface.add_columns(users, {"email": "int32"}), "email"),
                       (lambda: surface.rename_column(users, "emial", "mail"), "emial"),
                       (lambda: surface.rename_column(users, "email", "id"), "id"),
                       (lambda: surface.drop_column(users, "mail"), "mail"),
                       (lambda: surface.drop_column(users, "id"), "key"),
                       (lambda: surface.add_columns("nowhere", {"a": "string"}), "nowhere")]:
        with pytest.raises(Refused, match=said):
            call()
    assert surface.get_table_columns(users) == before


def test_what_one_surface_changes_the_others_see(server, users):
    http, cli, sql = (make(server.url) for make in SURFACES.values())
    http.add_columns(users, {"a": "string"})
    cli.rename_column(users, "a", "b")
    sql.add_columns(users, {"c": "bool"})
    for each in (http, cli, sql):
        assert each.get_table_columns(users) == {"id": "string", "b": "string", "c": "bool"}


# From the first version of a schema to the second: columns are added, one is renamed, one is dropped, at once.
SECOND = [{"op": "add_column", "name": "version", "type": "string"},
          {"op": "add_column", "name": "encryption_enabled", "type": "bool"},
          {"op": "add_column", "name": "replication_factor", "type": "int32"},
          {"op": "rename_column", "column": "old_name", "name": "new_name"},
          {"op": "drop_column", "column": "unused_column"}]


SECOND_IN_SQL = ["ALTER TABLE flows ADD COLUMN version VARCHAR", "ALTER TABLE flows ADD COLUMN encryption_enabled BOOLEAN",
                 "ALTER TABLE flows ADD COLUMN replication_factor INTEGER",
                 "ALTER TABLE flows RENAME COLUMN old_name TO new_name", "ALTER TABLE flows DROP COLUMN unused_column"]


def in_one_transaction(statements: list[str]) -> str:
    return "; ".join(["BEGIN", *statements, "COMMIT"])


@pytest.mark.parametrize("way", ["http", "cli", "sql"])
def test_a_migration_of_flows_is_one_change(fresh_server, tmp_path, way):
    http = Http(fresh_server.url)
    http.add_columns("flows", {"old_name": "string", "unused_column": "string"})
    before = http.client.get("/tables/flows").json()["version"]
    if way == "http":
        http.migrate("flows", *SECOND)
    elif way == "sql":
        Sql(fresh_server.url).rows(in_one_transaction(SECOND_IN_SQL))
    else:
        (tmp_path / "0001_second.json").write_text(json.dumps({"table": "flows", "operations": SECOND}))
        CommandLine(fresh_server.url).run("migrate", str(tmp_path))
    names = http.list_table_columns("flows")
    assert {"version", "encryption_enabled", "replication_factor", "new_name"} <= set(names)
    assert not {"old_name", "unused_column"} & set(names)
    assert http.client.get("/tables/flows").json()["version"] == before + 1
    assert [operation["op"] for operation in http.client.get("/tables/flows/history").json()[-1]["operations"]] == \
        [operation["op"] for operation in SECOND]


def test_of_a_migration_that_cannot_be_done_nothing_is_done(fresh_server):
    http = Http(fresh_server.url)
    before = http.client.get("/tables/flows").json()
    with pytest.raises(Refused, match="old_name"):
        http.migrate("flows", *SECOND)
    with pytest.raises(Refused, match="old_name"):
        Sql(fresh_server.url).rows(in_one_transaction(SECOND_IN_SQL))
    with pytest.raises(Refused, match="unused_column"):
        Sql(fresh_server.url).rows(in_one_transaction(SECOND_IN_SQL[:3] + SECOND_IN_SQL[4:]))
    assert http.client.get("/tables/flows").json() == before


def test_two_migrations_at_the_same_time_do_not_mix(server, users):
    """The second commit of two transactions that altered one table is a conflict, and changes nothing."""
    http, sql = Http(server.url), Sql(server.url)
    http.client.post("/sql", {"sql": f"BEGIN; ALTER TABLE {users} ADD COLUMN a INT; ALTER TABLE {users} ADD COLUMN b INT"})
    assert http.list_table_columns(users) == ["id"], "what is not committed is nobody's"
    sql.rows(in_one_transaction([f"ALTER TABLE {users} ADD COLUMN c INT", f"ALTER TABLE {users} ADD COLUMN d INT"]))
    assert http.client.get(f"/tables/{users}").json()["version"] == 2

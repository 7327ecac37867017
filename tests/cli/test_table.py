"""`reelhouse table`: looking at tables and changing them from the command line."""
import json
import threading

import pytest
from reelhouse_server import run


class Tables:
    """The verbs below `table`, against one server."""

    def __init__(self, cli):
        self.cli = cli

    def run(self, *words, code: int = 0) -> str:
        return self.cli.run("table", *words, code=code).stdout.decode()

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))

    def refused(self, *words, code: int = 1) -> str:
        return self.cli.run("table", *words, code=code).stderr.decode()

    def columns(self, table: str) -> list[str]:
        return [column["name"] for column in self.json("columns", table)]


@pytest.fixture
def table(cli) -> Tables:
    return Tables(cli)


def test_a_table_from_its_creation_to_its_end(table):
    assert "table lenses is at version 1" in table.run(
        "create", "lenses", "serial string", "mount string", "weight int32", "--key", "serial", "--comment", "for a test")
    table.run("add-column", "lenses", "focal length", "decimal(6,2)", "--doc", "in mm", "--comment", "asked for")
    table.run("add-column", "lenses", "count", "int64", "--not-null", "--default", "1")
    table.run("rename-column", "lenses", "mount", "bayonet")
    table.run("alter-type", "lenses", "weight", "int64")
    table.run("drop-column", "lenses", "bayonet", "count")
    assert table.columns("lenses") == ["inserted_at", "serial", "weight", "focal length"]
    shown = table.run("show", "lenses")
    assert "table lenses, version 6, key: serial" in shown and "dropped: bayonet string (id 3)" in shown
    assert "mount" in table.run("show", "lenses", "--version", "1")
    table.run("undrop-column", "lenses", "3", "--name", "mount")
    history = table.run("history", "lenses")
    for text in ("create_table", "for a test", "add_column focal length decimal(6,2)", "asked for",
                 "rename_column mount bayonet", "undrop_column mount 3", "anonymous"):
        assert text in history, history
    plan = table.run("rollback", "lenses", "1", "--dry-run")
    assert "would be at version 8" in plan and "not brought back: column 'weight' stays int64" in plan
    assert "table lenses is at version 8" in table.run("rollback", "lenses", "1")
    assert table.columns("lenses") == ["inserted_at", "serial", "mount", "weight"]
    assert table.run("stats", "lenses").startswith("0 rows, 4 columns, 2 dropped columns, version 8")
    dropped = table.json("drop", "lenses")
    assert "lenses" in table.run("list", "--dropped") and "lenses" not in table.run("list")
    assert "lenses2 is at version 10" in table.run("undrop", dropped["id"], "--name", "lenses2")
    assert "lenses2" in table.run("list")
    assert f"`reelhouse table undrop {dropped['id']}` brings it back" in table.run("drop", "lenses2")


def test_a_conversion_is_asked_for(table):
    table.run("create", "films", "id string", "length int32", "--key", "id")
    assert "convert_type" in table.refused("alter-type", "films", "length", "string")
    table.run("alter-type", "films", "length", "string", "--convert", "--or-null")
    table.run("alter-type", "films", "length", "int64", "--convert")
    assert "convert_type length string" in table.run("history", "films")


def test_what_is_wrong_is_told_in_one_line(table):
    assert "nearest is 'flows'" in table.refused("show", "flow")
    assert "there is nothing" not in table.refused("columns", "a/b ?c")
    assert "'boolean' is not a type" in table.refused("add-column", "flows", "x", "boolean")
    assert "is no JSON" in table.refused("add-column", "flows", "x", "string", "--default", "text")
    assert "not a name and a type" in table.refused("create", "x", "name", "--key", "name")
    assert "belongs to the product" in table.refused("drop", "flows")
    table.refused("add-column", "flows", code=2)
    table.refused("undrop", "x", code=2)
    table.refused("list", "--to", "http://127.0.0.1:1", code=2)
    assert all(line.startswith("reelhouse") for line in table.refused("show", "nowhere").splitlines())


def test_it_is_in_the_help_and_in_the_completion():
    assert "migrate" in run("table", "--help").stdout
    assert "--dry-run" in run("table", "migrate", "--help").stdout
    assert " table " in run("completion", "bash").stdout and "'table:" in run("completion", "zsh").stdout
    assert run("table").returncode == 2


# Migrations as files.

def write(folder, name: str, document) -> None:
    (folder / name).write_text(json.dumps(document))


@pytest.fixture
def migrations(tmp_path, request):
    """Two files about a table of the test's own, whose name is in the file `name`."""
    name = "m_" + request.node.name.removeprefix("test_")[:40]
    folder = tmp_path / "migrations"
    folder.mkdir()
    write(folder, "0001_begin.json", {"create_table": {
        "name": name, "primary_key": ["id"],
        "columns": [{"name": "id", "type": "uuid"}, {"name": "a", "type": "string"}, {"name": "b", "type": "string"}]}})
    write(folder, "0002_swap.json", {"table": name, "operations": [
        {"op": "rename_column", "column": "a", "name": "b"}, {"op": "rename_column", "column": "b", "name": "a"}]})
    (folder / "name").write_text(name)
    return folder


def comments(table, name: str) -> list[str]:
    return [version["comment"].partition(" sha256:")[0] for version in table.json("history", name)]


def test_files_are_applied_once_and_in_order(table, migrations):
    name = (migrations / "name").read_text()
    assert "2 of 2 migrations are not applied, 0001_begin is the first" in table.refused("migrate", migrations, "--check")
    plan = table.run("migrate", migrations, "--dry-run")
    assert f"would create table {name}" in plan and "0002_swap" in plan
    assert name not in table.run("list")
    assert table.run("migrate", migrations) == "0001_begin: applied\n0002_swap: applied\n"
    assert table.run("migrate", migrations) == "all 2 migrations are applied\n"
    table.run("migrate", migrations, "--check")
    assert comments(table, name) == ["migration 0001_begin", "migration 0002_swap"]
    write(migrations, "0003_more.json", {"table": name, "operations": [{"op": "add_column", "name": "c", "type": "date"}]})
    assert "1 of 3" in table.refused("migrate", migrations, "--check")
    assert "add_column c date" in table.run("migrate", migrations, "--dry-run")
    assert table.json("migrate", migrations) == {"applied_before": 2, "applied": ["0003_more"]}
    assert table.columns(name) == ["inserted_at", "id", "b", "a", "c"]


def test_a_table_that_is_renamed_keeps_its_migrations(table, migrations):
    name = (migrations / "name").read_text()
    write(migrations, "0003_name.json", {"table": name, "operations": [{"op": "rename_table", "name": name + "x"}]})
    write(migrations, "0004_doc.json",
          {"table": name + "x", "operations": [{"op": "set_doc", "column": "a", "doc": "changed"}]})
    table.run("migrate", migrations)
    assert table.run("migrate", migrations) == "all 4 migrations are applied\n"


def test_changed_missing_and_wrong_files_are_refused(table, migrations):
    name = (migrations / "name").read_text()
    table.run("migrate", migrations)
    text = (migrations / "0002_swap.json").read_text()
    (migrations / "0002_swap.json").write_text(text + " ")
    for flags in ((), ("--check",), ("--dry-run",)):
        assert "0002_swap was changed since it was applied" in table.refused("migrate", migrations, *flags)
    (migrations / "0002_swap.json").write_text(text)
    write(migrations, "0004_late.json", {"table": name, "operations": [{"op": "drop_column", "column": "a"}]})
    assert "number 3 is missing" in table.refused("migrate", migrations)
    (migrations / "0004_late.json").rename(migrations / "0003_late.json")
    (migrations / "0003_late.json").write_text("{")
    assert "0003_late.json" in table.refused("migrate", migrations)
    assert "No such file" in table.refused("migrate", migrations / "nowhere")
    assert len(comments(table, name)) == 2


def test_a_file_that_is_refused_stops_those_behind_it(table, migrations):
    name = (migrations / "name").read_text()
    write(migrations, "0003_wrong.json", {"table": name, "operations": [{"op": "drop_column", "column": "aa"}]})
    write(migrations, "0004_fine.json", {"table": name, "operations": [{"op": "drop_column", "column": "a"}]})
    done = table.refused("migrate", migrations)
    assert "0003_wrong: " in done and "nearest is 'a'" in done
    assert comments(table, name) == ["migration 0001_begin", "migration 0002_swap"]
    write(migrations, "0003_wrong.json", {"table": name, "operations": [{"op": "drop_column", "column": "b"}]})
    table.run("migrate", migrations)
    assert table.columns(name) == ["inserted_at", "id"]


def test_many_may_apply_the_same_files_at_once(table, migrations):
    name = (migrations / "name").read_text()
    for i in range(3, 9):
        write(migrations, f"{i:04}_c{i}.json", {"table": name, "operations": [{"op": "add_column", "name": f"c{i}", "type": "int8"}]})
    codes = []
    runs = [threading.Thread(target=lambda: codes.append(run("table", "migrate", migrations, "--to", table.cli.url).returncode))
            for _ in range(3)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert codes == [0, 0, 0]
    assert len(comments(table, name)) == 8

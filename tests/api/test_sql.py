"""POST /sql: results in each form, parameters, limits, who may do what, what is refused."""
import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from reelhouse_server import run
from tams_client import Client, pointer, video_flow


def sql(client, text: str, *parameters, expect: int = 200) -> dict:
    return client.post("/sql", {"sql": text, "parameters": list(parameters)}, expect=expect).json()


def rows(client, text: str, *parameters) -> list:
    return sql(client, text, *parameters)["rows"]


@pytest.fixture(scope="module")
def table(server) -> str:
    client = Client(server.url)
    sql(client, "CREATE TABLE notes (k BIGINT PRIMARY KEY, text VARCHAR, moment DECIMAL(24,9))")
    sql(client, "INSERT INTO notes VALUES (1, 'one', 0.5), (2, NULL, 281474976710655.999999999), (3, '', -1)")
    return "notes"


def test_a_result_has_columns_and_rows(client, table):
    assert sql(client, f"FROM {table} ORDER BY k") == {
        "columns": [{"name": "k", "type": "BIGINT"}, {"name": "text", "type": "VARCHAR"},
                    {"name": "moment", "type": "DECIMAL(24,9)"}],
        "rows": [[1, "one", "0.500000000"], [2, None, "281474976710655.999999999"], [3, "", "-1.000000000"]],
        "row_count": 3}


def test_other_forms_by_accept(client, table):
    def ask(accept: str):
        answer = requests.post(f"{client.url}/sql", json={"sql": f"SELECT k, text FROM {table} ORDER BY k"},
                               headers={"Accept": accept})
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(accept)
        return answer.text

    assert list(csv.reader(io.StringIO(ask("text/csv")))) == [["k", "text"], ["1", "one"], ["2", ""], ["3", ""]]
    assert ask("text/csv").splitlines()[2:] == ["2,", '3,""']
    assert [json.loads(line) for line in ask("application/x-ndjson").splitlines()] == [
        {"k": 1, "text": "one"}, {"k": 2, "text": None}, {"k": 3, "text": ""}]


def test_parameters_are_values(client, table):
    assert rows(client, f"SELECT text FROM {table} WHERE k = ?", 1) == [["one"]]
    assert rows(client, "SELECT $2, $1, $3, $4", "it's", 2.5, None, True) == [[2.5, "it's", None, True]]
    answer = client.post("/sql", {"sql": "SELECT ?", "parameters": [{}]}, expect=400)
    assert pointer(answer) == "/parameters/0"
    sql(client, "SELECT ?", expect=400)


def test_the_answer_is_the_last_statements(client):
    assert rows(client, "SELECT 1; CREATE TEMP TABLE t AS SELECT 7 AS x; FROM t") == [[7]]
    assert sql(client, "CREATE TEMP TABLE t (x INT)")["rows"] == []


def test_a_schema_is_chosen_for_a_request(client):
    sql(client, "CREATE SCHEMA IF NOT EXISTS studio; CREATE TABLE IF NOT EXISTS studio.notes (k INT PRIMARY KEY, of VARCHAR)")
    sql(client, "INSERT INTO studio.notes VALUES (1, 'studio') ON CONFLICT DO NOTHING")
    assert rows(client, "USE studio; SELECT of FROM notes") == [["studio"]]
    assert rows(client, "SELECT name FROM (SHOW ALL TABLES) WHERE schema = 'studio'") == [["notes"]]
    assert client.get("/tables/studio.notes").json()["name"] == "studio.notes"


def test_a_mistake_at_the_end_keeps_a_request_from_running(client):
    """Over HTTP all statements are read before the first is executed; on a data directory a file runs up to its mistake."""
    sql(client, "CREATE TABLE unmade (k INT PRIMARY KEY); SELEC 1", expect=400)
    assert rows(client, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'unmade'") == [[0]]


def test_a_file_is_executed_up_to_its_first_mistake(tmp_path):
    script = tmp_path / "script.sql"
    script.write_text("CREATE TABLE made (k INT PRIMARY KEY);\n\nINSERT INTO made\nVALUES (1); SELECT 'a;b';\n"
                      "SELEC 2;\nINSERT INTO made VALUES (3);\n")

    def on_directory(*words: str):
        return run("sql", "--data-dir", str(tmp_path / "data"), *words)

    done = on_directory("-f", str(script), "--format", "csv")
    assert done.returncode == 1 and "a;b" in done.stdout
    assert done.stderr.startswith("reelhouse sql: line 5: ") and "SELEC" in done.stderr
    assert on_directory("-c", "SELECT k FROM made", "--format", "csv").stdout.splitlines() == ["k", "1"]
    done = on_directory("-c", "SELECT 1", "-c", "INSERT INTO made VALUES (4)", "-c", "FROM nowhere", "--format", "csv")
    assert done.returncode == 1 and done.stderr.startswith("reelhouse sql: line 3: ")
    assert not on_directory("-c", "SELEC 2").stderr.startswith("reelhouse sql: line")
    assert on_directory("-c", "INSERT INTO made VALUES (5); SELEC", "--format", "arrow", "-o",
                        str(tmp_path / "x")).returncode == 1
    assert on_directory("-c", "SELECT count(*) AS n FROM made", "--format", "csv").stdout.splitlines() == ["n", "3"]
    assert on_directory("-c", "BEGIN", "-c", "INSERT INTO made VALUES (6)", "-c", "SELEC").returncode == 1
    assert on_directory("-c", "SELECT count(*) AS n FROM made", "--format", "csv").stdout.splitlines() == ["n", "3"]


def test_product_tables_are_read(client):
    flow = client.put_flow(video_flow())
    client.add_segments(flow["id"], 3)
    assert rows(client, "SELECT count(*) FROM flows WHERE id = ?::UUID", flow["id"]) == [[1]]


def test_errors_say_what_and_where(client, table):
    for text, status in [("SELEC 1", 400), ("FROM nothing", 400), (f"INSERT INTO {table} (k) VALUES (1)", 409),
                         (f"INSERT INTO {table} (k) VALUES (NULL)", 400), ("ATTACH 'x.db'", 403),
                         ("FROM read_text('/etc/passwd')", 403), ("CREATE TABLE x (k INT)", 400),
                         ("CREATE VIEW v AS SELECT 1", 400), ("SET memory_limit = '64GB'", 400)]:
        answer = client.post("/sql", {"sql": text}, expect=status)
        assert pointer(answer) == "/sql", text
    client.post("/sql", {"sql": ""}, expect=400)
    client.post("/sql", {"query": "SELECT 1"}, expect=400)


def test_limits(serve):
    client = Client(serve("--set", "sql.rows_max=10", "--set", "sql.seconds_max=1", "--set", "sql.memory_mb=64").url)
    assert len(rows(client, "FROM range(10)")) == 10
    sql(client, "FROM range(11)", expect=413)
    sql(client, "SELECT list(a) FROM range(100000000) r(a)", expect=413)
    sql(client, "SELECT sum(a) FROM range(10000000000000) r(a)", expect=503)
    assert rows(client, "SELECT 1") == [[1]]


@pytest.fixture(scope="module")
def roles(serve_in, tmp_path_factory):
    folder = tmp_path_factory.mktemp("roles")
    keys = {role: run("keys", "create", role, "--role", role, "--data-dir", folder / "data").stdout.strip()
            for role in ("viewer", "editor", "admin")}
    server = serve_in(folder, "--set", "auth.modes=api_key")
    clients = {}
    for role, key in keys.items():
        clients[role] = Client(server.url)
        clients[role].session.headers["X-Api-Key"] = key
    sql(clients["admin"], "CREATE TABLE t (k BIGINT PRIMARY KEY)")
    return clients


@pytest.mark.parametrize("text, least", [
    ("SELECT count(*) FROM t", "viewer"), ("EXPLAIN DELETE FROM t", "editor"), ("DELETE FROM t", "editor"),
    ("SELECT 1; DELETE FROM t", "editor"), ("WITH q AS (SELECT 5 AS k) INSERT INTO t FROM q ON CONFLICT DO NOTHING", "editor"),
    ("PREPARE p AS DELETE FROM t; EXECUTE p", "editor"), ("EXPLAIN ANALYZE DELETE FROM t", "editor"),
    ("FROM table_history('t')", "viewer"), ("FROM dropped_tables()", "viewer"),
    ("CALL rollback_table('t', 1)", "admin"), ("EXPLAIN CALL undrop_table('t')", "admin"),
    ("CREATE SCHEMA IF NOT EXISTS lab", "admin"), ("DROP SCHEMA IF EXISTS nowhere", "admin"),
    ("FROM table_history('api_keys')", "admin"), ("CREATE TABLE IF NOT EXISTS t (k BIGINT PRIMARY KEY)", "admin"),
    ("SELECT count(*) FROM api_keys", "admin"),
    ("SELECT count(*) FROM webhooks", "admin"), ("SELECT count(*) FROM idempotency_keys", "admin")])
def test_roles(roles, text, least):
    order = ["viewer", "editor", "admin"]
    for role in order:
        allowed = order.index(role) >= order.index(least)
        answer = roles[role].session.post(f"{roles[role].url}/sql", json={"sql": text})
        assert (answer.status_code == 200) == allowed, (role, answer.text)
        assert answer.status_code in (200, 400, 403)


def test_the_history_of_a_table_names_who_altered_it(roles):
    sql(roles["admin"], "ALTER TABLE t ADD COLUMN x INT; BEGIN; ALTER TABLE t DROP COLUMN x; COMMIT")
    sql(roles["admin"], "CALL undrop_column('t', 'x', name := 'y')")
    assert rows(roles["viewer"], "SELECT DISTINCT changed_by FROM table_history('t')") == [["admin"]]


def test_hidden_tables_are_not_listed(roles):
    names = "SELECT table_name FROM information_schema.tables"
    assert ["api_keys"] in rows(roles["admin"], names)
    shown = rows(roles["viewer"], names)
    assert ["flows"] in shown and ["t"] in shown and ["api_keys"] not in shown
    assert rows(roles["viewer"], "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'webhooks'") == [[0]]


def test_writers_at_the_same_time_lose_nothing(client):
    sql(client, "CREATE TABLE counters (k INT PRIMARY KEY, n BIGINT)")
    sql(client, "INSERT INTO counters VALUES (1, 0)")

    def count(_) -> int:
        answer = requests.post(f"{client.url}/sql", json={"sql": "UPDATE counters SET n = n + 1 WHERE k = 1"})
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 200

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(count, range(80)))
    assert rows(client, "SELECT n FROM counters") == [[done]]


def test_the_command_line_asks_a_server(server, table):
    def ask(*words: str):
        return run("sql", "--to", server.url, *words)

    assert ask("--format", "csv", "-c", f"SELECT k, text FROM {table} ORDER BY k").stdout == "k,text\n1,one\n2,\n3,\"\"\n"
    assert ask("--format", "markdown", "-c", "SELECT 1 AS a, 'x|y' AS b").stdout == "| a | b |\n|---:|---|\n| 1 | x\\|y |\n"
    failed = ask("-c", "SELECT nothing")
    assert failed.returncode == 1 and "nothing" in failed.stderr and failed.stdout == ""


def test_a_data_directory_belongs_to_its_server(server):
    refused = run("sql", "--data-dir", server.data_dir, "-c", "SELECT 1")
    assert refused.returncode == 2 and "belongs to" in refused.stderr

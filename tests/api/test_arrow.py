"""Arrow: results of POST /sql and schemas of tables, read by pyarrow and held against the JSON; Parquet."""
import datetime
import subprocess
import uuid
from decimal import Decimal

import pytest
import requests
from arrow import STREAM, pyarrow
from reelhouse_server import environment, has_terminals, program, run
from tams_client import Client

COLUMNS = {
    "k": ("BIGINT", pyarrow.int64()),
    "flag": ("BOOLEAN", pyarrow.bool_()),
    "tiny": ("TINYINT", pyarrow.int8()),
    "small": ("SMALLINT", pyarrow.int16()),
    "whole": ("INTEGER", pyarrow.int32()),
    "utiny": ("UTINYINT", pyarrow.uint8()),
    "usmall": ("USMALLINT", pyarrow.uint16()),
    "uwhole": ("UINTEGER", pyarrow.uint32()),
    "ubig": ("UBIGINT", pyarrow.uint64()),
    "single": ("FLOAT", pyarrow.float32()),
    "fraction": ("DOUBLE", pyarrow.float64()),
    "moment": ("DECIMAL(24,9)", pyarrow.decimal128(24, 9)),
    "price": ("DECIMAL(6,2)", pyarrow.decimal128(6, 2)),
    "text": ("VARCHAR", pyarrow.string()),
    "bytes": ("BLOB", pyarrow.binary()),
    "id": ("UUID", pyarrow.uuid()),
    "at": ("TIMESTAMP WITH TIME ZONE", pyarrow.timestamp("us", "UTC")),
    "day": ("DATE", pyarrow.date32()),
    "flags": ("BOOLEAN[]", pyarrow.list_(pyarrow.bool_())),
    "tags": ("VARCHAR[]", pyarrow.list_(pyarrow.string())),
    "lists": ("DECIMAL(24,9)[][]", pyarrow.list_(pyarrow.list_(pyarrow.decimal128(24, 9)))),
    "embedding": ("FLOAT[3]", pyarrow.list_(pyarrow.float32(), 3)),
    "map": ("MAP(VARCHAR, BIGINT)", pyarrow.map_(pyarrow.string(), pyarrow.int64())),
    "struct": ("STRUCT(a INTEGER, b UUID)", pyarrow.struct([("a", pyarrow.int32()), ("b", pyarrow.uuid())])),
}
ID = uuid.UUID("8e6f3c1a-0000-4000-8000-0123456789ab")
ROW = (f"(1, true, -128, -32768, -2147483648, 255, 65535, 4294967295, 18446744073709551615, 0.5, 0.1, "
       f"281474976710655.999999999, -9999.99, 'ä''x', '\\x00\\xFF'::BLOB, '{ID}', '2026-01-02 03:04:05.678901+00', "
       f"'1969-12-31', [true, NULL, false], ['a', NULL, ''], [[1.5], [], NULL], [0.5, -1, 2], MAP {{'a': 1, 'b': NULL}}, "
       f"{{'a': 7, 'b': '{ID}'}})")


@pytest.fixture(scope="module")
def table(server) -> str:
    client = Client(server.url)
    columns = ", ".join(f'"{name}" {sql}' for name, (sql, _) in COLUMNS.items())
    for text in (f"CREATE TABLE kinds ({columns}, PRIMARY KEY (k))", f"INSERT INTO kinds VALUES {ROW}",
                 "INSERT INTO kinds (k) VALUES (2)"):
        client.post("/sql", {"sql": text}, expect=200)
    return "kinds"


def ask(client, sql: str) -> "pyarrow.Table":
    answer = requests.post(f"{client.url}/sql", json={"sql": sql}, headers={"Accept": STREAM}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == STREAM
    table = pyarrow.ipc.open_stream(answer.content).read_all()
    table.validate(full=True)
    return table


def schema(client, path: str) -> "pyarrow.Schema":
    answer = requests.get(client.url + path, headers={"Accept": STREAM}, timeout=60)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == STREAM and "Accept" in answer.headers["Vary"]
    reader = pyarrow.ipc.open_stream(answer.content)
    assert reader.read_all().num_rows == 0
    return reader.schema


def as_json(value, kind):
    """A cell as POST /sql shows it."""
    if value is None:
        return None
    if pyarrow.types.is_map(kind):
        return {key: as_json(one, kind.item_type) for key, one in value}
    if pyarrow.types.is_list(kind) or pyarrow.types.is_fixed_size_list(kind):
        return [as_json(one, kind.value_type) for one in value]
    if pyarrow.types.is_struct(kind):
        return {field.name: as_json(value[field.name], field.type) for field in kind}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, (Decimal, uuid.UUID, datetime.date)):
        return str(value)
    return value


def test_types_are_exact(client, table):
    result = ask(client, f"FROM {table} ORDER BY k")
    assert {field.name: field.type for field in result.schema} == {name: kind for name, (_, kind) in COLUMNS.items()}


def test_cells_are_those_of_the_json_answer(client, table):
    result = ask(client, f"FROM {table} ORDER BY k")
    shown = client.post("/sql", {"sql": f"FROM {table} ORDER BY k"}, expect=200).json()
    assert [column["name"] for column in shown["columns"]] == result.column_names
    rows = [[as_json(row[field.name], field.type) for field in result.schema] for row in result.to_pylist()]
    assert rows == shown["rows"]
    assert result["id"][0].as_py() == ID and result["moment"][0].as_py() == Decimal("281474976710655.999999999")
    assert result.slice(1).to_pylist()[0] == {name: 2 if name == "k" else None for name in COLUMNS}


def test_the_schema_of_a_table_has_the_types_of_its_rows(client, table):
    rows = ask(client, f"FROM {table} LIMIT 0").schema
    for path in (f"/tables/{table}", f"/tables/{table}/columns"):
        told = schema(client, path)
        shown = [field for field in told if field.name != "inserted_at"]
        assert [(field.name, field.type) for field in shown] == [(field.name, field.type) for field in rows]


def test_the_schema_of_a_table_has_its_ids_and_more(client, table):
    client.post(f"/tables/{table}/migrations", {"operations": [
        {"op": "set_doc", "column": "moment", "doc": "When it was, in seconds"}]}, expect=200)
    told = schema(client, f"/tables/{table}")
    columns = {column["name"]: column for column in client.get(f"/tables/{table}").json()["columns"]}
    assert told.names == list(columns)
    for field in told:
        column = columns[field.name]
        assert field.nullable == column["nullable"], field
        assert int(field.metadata[b"PARQUET:field_id"]) == int(field.metadata[b"reelhouse.id"]) == column["id"]
        assert field.metadata.get(b"reelhouse.doc", b"").decode() == column["doc"]
    assert not told.field("k").nullable and columns["moment"]["doc"]
    ids = [int(field.metadata[b"PARQUET:field_id"]) for field in told]
    nested = [told.field("tags").type.value_field, told.field("map").type.key_field, told.field("map").type.item_field,
              *told.field("struct").type]
    ids += [int(field.metadata[b"PARQUET:field_id"]) for field in nested]
    assert len(set(ids)) == len(ids)
    assert told.metadata == {b"reelhouse.table": table.encode(), b"reelhouse.version": b"2", b"reelhouse.primary_key": b"k"}


def test_the_schema_as_it_was(client, table):
    before = schema(client, f"/tables/{table}?version=1")
    assert before.metadata[b"reelhouse.version"] == b"1"
    answer = requests.get(f"{client.url}/tables/{table}?version=99", headers={"Accept": STREAM}, timeout=60)
    assert answer.status_code == 404 and answer.json()["type"] == "not_found"


def test_tables_of_the_product(client):
    for name in ("flows", "sources", "segments", "objects"):
        told = schema(client, f"/tables/{name}")
        rows = ask(client, f"FROM {name}").schema
        assert {field.name: field.type for field in told if field.name != "inserted_at"} == {
            field.name: field.type for field in rows}


@pytest.mark.parametrize("sql, kind, values", [
    ("SELECT 'b'::ENUM('a', 'b') AS v", pyarrow.string(), ["b"]),
    ("SELECT ['b'::ENUM('a', 'b')] AS v", pyarrow.list_(pyarrow.string()), [["b"]]),
    ("SELECT sum(a) AS v FROM range(10) r(a)", pyarrow.decimal128(38, 0), [Decimal(45)]),
    ("SELECT (-170141183460469231731687303715884105)::HUGEINT AS v", pyarrow.decimal128(38, 0),
     [Decimal("-170141183460469231731687303715884105")]),
    ("SELECT a % 3 = 0 AS v FROM range(20) r(a)", pyarrow.bool_(), [a % 3 == 0 for a in range(20)]),
    ("SELECT {'a': true, 'b': NULL::BOOLEAN} AS v", pyarrow.struct([("a", pyarrow.bool_()), ("b", pyarrow.bool_())]),
     [{"a": True, "b": None}]),
    ("SELECT NULL AS v", pyarrow.int32(), [None]),
    ("SELECT TIME '01:02:03' AS v", pyarrow.time64("us"), [datetime.time(1, 2, 3)]),
    ("SELECT 1 AS v WHERE false", pyarrow.int32(), []),
    ("CREATE TEMP TABLE t (v INT); INSERT INTO t VALUES (1), (2); FROM t", pyarrow.int32(), [1, 2])])
def test_other_results(client, sql, kind, values):
    result = ask(client, sql)
    assert result.schema.field("v").type == kind and result["v"].to_pylist() == values


def test_two_columns_of_one_name(client):
    result = ask(client, "SELECT 1 AS a, 'x' AS a")
    assert result.column_names == ["a", "a"] and result.column(1).to_pylist() == ["x"]


def test_a_large_result_is_many_batches(client):
    answer = requests.post(f"{client.url}/sql", json={"sql": "SELECT a, repeat('x', 100) AS text FROM range(100000) r(a)"},
                           headers={"Accept": STREAM}, timeout=60)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    batches = list(pyarrow.ipc.open_stream(answer.content))
    assert len(batches) > 1
    assert pyarrow.Table.from_batches(batches)["a"].to_pylist() == list(range(100_000))


def test_errors(client):
    def post(sql: str):
        return requests.post(f"{client.url}/sql", json={"sql": sql}, headers={"Accept": STREAM}, timeout=60)

    assert post("FROM nothing").status_code == 400 and post("SELECT error('x')").json()["type"] == "invalid"
    with pytest.raises(requests.exceptions.ChunkedEncodingError):  # sql.rows_max is 100 000
        post("SELECT a, repeat('x', 100) AS text FROM range(200000) r(a)")


def test_the_document_names_the_forms(client):
    document = client.get("/openapi.json").json()
    for path, method in (("/sql", "post"), ("/tables/{table}", "get"), ("/tables/{table}/columns", "get")):
        content = document["paths"][path][method]["responses"]["200"]["content"]
        assert STREAM in content and "application/json" in content


@pytest.fixture(params=["server", "data directory"])
def place(request, server, table, tmp_path):
    """Flags of `reelhouse sql`, and a table there."""
    if request.param == "server":
        return ["--to", server.url]
    columns = ", ".join(f'"{name}" {sql}' for name, (sql, _) in COLUMNS.items())
    made = run("sql", "--data-dir", tmp_path / "data", "-c", f"CREATE TABLE kinds ({columns}, PRIMARY KEY (k))",
               "-c", f"INSERT INTO kinds VALUES {ROW}", "-c", "INSERT INTO kinds (k) VALUES (2)")
    assert made.returncode == 0, made.stderr
    return ["--data-dir", tmp_path / "data"]


def test_the_command_line_writes_arrow(place, tmp_path, client, table):
    expected = ask(client, f"FROM {table} ORDER BY k").to_pylist()
    file = tmp_path / "result.arrow"
    made = run("sql", *place, "--format", "arrow", "-o", file, "-c", "FROM kinds ORDER BY k")
    assert made.returncode == 0, made.stderr
    assert pyarrow.ipc.open_stream(file.read_bytes()).read_all().to_pylist() == expected
    piped = subprocess.run([program(), "sql", *map(str, place), "--format", "arrow", "-c", "FROM kinds ORDER BY k"],
                           env=environment(), capture_output=True, timeout=120, check=True)
    assert piped.stdout == file.read_bytes()


def test_the_command_line_writes_parquet(place, tmp_path, client, table):
    expected = ask(client, f"FROM {table} ORDER BY k")
    file = tmp_path / "result.parquet"
    made = run("sql", *place, "--format", "parquet", "-o", file, "-c", "FROM kinds ORDER BY k")
    assert made.returncode == 0, made.stderr
    written = pyarrow.parquet.read_table(file)
    assert written.column_names == expected.column_names
    for name, kind in (("moment", pyarrow.decimal128(24, 9)), ("at", pyarrow.timestamp("us", "UTC")), ("id", pyarrow.uuid())):
        assert written.schema.field(name).type == kind
    assert written["k"].to_pylist() == [1, 2] and written["moment"].to_pylist() == expected["moment"].to_pylist()
    with (tmp_path / "redirected").open("wb") as out:
        subprocess.run([program(), "sql", *map(str, place), "--format", "parquet", "-c", "FROM kinds ORDER BY k"],
                       env=environment(), stdout=out, timeout=120, check=True)
    assert pyarrow.parquet.read_table(tmp_path / "redirected").to_pylist() == written.to_pylist()


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_the_command_line_writes_many_batches(place, tmp_path, name):
    file = tmp_path / name
    made = run("sql", *place, "--format", name, "-o", file, "-c",
               "SELECT a, repeat('x', 100) AS text, a % 7 = 0 AS flag FROM range(90000) r(a)")
    assert made.returncode == 0, made.stderr
    table = (pyarrow.parquet.read_table(file) if name == "parquet"
             else pyarrow.ipc.open_stream(file.read_bytes()).read_all())
    assert table["a"].to_pylist() == list(range(90_000))
    assert table["flag"].to_pylist() == [a % 7 == 0 for a in range(90_000)]


def test_files_that_cannot_be(place, tmp_path):
    failed = run("sql", *place, "--format", "parquet", "-o", tmp_path / "x", "-c", "SELECT nothing")
    assert failed.returncode == 1 and "nothing" in failed.stderr and not (tmp_path / "x").exists()
    failed = run("sql", *place, "--format", "arrow", "-o", tmp_path / "none" / "x", "-c", "SELECT 1")
    assert failed.returncode == 1 and "none" in failed.stderr
    assert run("sql", *place, "--format", "csv", "-o", tmp_path / "x", "-c", "SELECT 1").returncode == 2
    assert run("sql", *place, "--format", "excel", "-c", "SELECT 1").returncode == 2


@pytest.mark.skipif(not has_terminals(), reason="no terminals here (/dev/pts)")
@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_a_terminal_is_no_file(tmp_path, name):
    command = f"{program()} sql --data-dir {tmp_path}/data --format {name} -c 'SELECT 1'"
    shown = subprocess.run(["script", "--quiet", "--return", "--command", command, "/dev/null"], env=environment(),
                           capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 1 and "terminal" in shown.stdout

"""What statements of strangers must not reach: files, the network, other databases, the configuration, all the memory."""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import reelhouse_server

BINARY = os.environ["REELHOUSE_BIN"]

FORBIDDEN = [
    "ATTACH ':memory:' AS other", "ATTACH '{secret}' AS other", "ATTACH 'x' AS other (TYPE sqlite)", "DETACH reel",
    "INSTALL httpfs", "LOAD httpfs", "LOAD '{secret}'", "FORCE INSTALL spatial FROM community",
    "SELECT * FROM read_csv('{secret}')", "SELECT * FROM read_text('{secret}')", "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_json('{secret}')", "SELECT * FROM read_parquet('{secret}')", "SELECT * FROM '{secret}'",
    "SELECT * FROM sniff_csv('{secret}')", "SELECT * FROM parquet_metadata('{secret}')", "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_csv('{folder}/../../../../../../etc/passwd')", "SELECT * FROM read_text('file:{secret}')",
    "SELECT * FROM read_text('/proc/self/environ')", "SELECT * FROM read_text('/dev/stdin')",
    "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')", "CREATE TEMP TABLE x AS FROM read_text('{secret}')",
    "SELECT * FROM read_duckdb('{secret}')", "PREPARE p AS SELECT * FROM read_text('{secret}')",
    "COPY (SELECT 1) TO '{folder}/out.csv'", "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
    "COPY (SELECT 1) TO '/dev/stdout'", "COPY t FROM '{secret}'", "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}'", "PRAGMA import_database('{folder}')",
    "SELECT * FROM 'https://example.com/x.csv'", "SELECT * FROM read_text('http://127.0.0.1:1/x')",
    "SELECT * FROM read_parquet('s3://bucket/x')", "CREATE SECRET s (TYPE s3)", "CREATE PERSISTENT SECRET s (TYPE http)",
    "SET memory_limit = '64GB'", "SET threads = 64", "SET enable_external_access = true",
    "SET lock_configuration = false", "RESET memory_limit", "SET allowed_directories = ['/']", "SET allowed_paths = ['/etc/passwd']",
    "SET temp_directory = '{folder}'", "SET log_query_path = '{folder}/out.log'", "SET profiling_output = '{folder}/out.json'",
    "SET GLOBAL autoload_known_extensions = true", "SET allow_unsigned_extensions = true", "SET home_directory = '{folder}'",
    "SET max_memory = '64GB'", "SET extension_directory = '{folder}'", "SET secret_directory = '{folder}'",
    "PRAGMA memory_limit = '64GB'", "PRAGMA enable_profiling", "PRAGMA enable_profiling = 'json'", "PRAGMA enable_logging",
    "PRAGMA profiling_output = '{folder}/out.json'", "PRAGMA enable_progress_bar", "PRAGMA disable_optimizer",
    "PRAGMA enable_verification", "PRAGMA enable_object_cache", "PRAGMA disable_checkpoint_on_shutdown",
    "CALL enable_logging()", "SELECT * FROM enable_logging()", "FROM system.main.enable_logging(storage = 'file')",
    "SELECT * FROM duckdb_logs()", "CALL disable_logging()", "CALL truncate_duckdb_logs()", "CALL force_checkpoint('reel')",
    "SELECT * FROM duckdb_secrets()", "SELECT getenv('HOME')", "CREATE TABLE system.main.x (k INT PRIMARY KEY)",
    "CREATE FUNCTION f() AS TABLE SELECT 1", "VACUUM", "USE system", "CREATE INDEX i ON t (v)",
    "CREATE UNIQUE INDEX i ON t (v)", "ALTER TABLE t ADD PRIMARY KEY (v)", "COMMENT ON COLUMN t.v IS 'x'",
    "INSERT INTO duckdb_tables() VALUES (1)", "UPDATE information_schema.tables SET table_name = 'x'",
    "DELETE FROM sqlite_master", "DROP SCHEMA main", "DROP DATABASE reel", "ALTER DATABASE reel SET x = 1",
    # Files by other functions, by other ways to name them, and by what is executed later.
    "SELECT * FROM read_csv_auto('{secret}')", "SELECT * FROM read_json_auto('{secret}')", "SELECT * FROM read_ndjson('{secret}')",
    "SELECT * FROM read_json_objects('{secret}')", "SELECT * FROM read_ndjson_objects('{secret}')",
    "SELECT * FROM parquet_schema('{secret}')", "SELECT * FROM parquet_file_metadata('{secret}')",
    "SELECT * FROM parquet_kv_metadata('{secret}')", "SELECT * FROM parquet_bloom_probe('{secret}', 'the', 1)",
    "SELECT * FROM read_blob('{folder}/*')", "SELECT * FROM read_text(['{secret}', '{secret}'])", "SELECT * FROM glob('/**')",
    "SELECT * FROM '{folder}/*.csv'", "FROM '{folder}/data/store.db'", "SELECT * FROM read_text('{folder}/./secret.csv')",
    "SELECT * FROM read_text('file://{secret}')", "SELECT * FROM read_text('file://localhost{secret}')",
    "SELECT * FROM read_text('secret.csv')", "SELECT * FROM read_text('~/.bashrc')", "SELECT * FROM read_text('/proc/self/maps')",
    "SELECT * FROM read_text('/proc/self/fd/0')", "SELECT * FROM read_csv('/dev/zero')", "SELECT * FROM read_text('{secret}' || '')",
    "SELECT * FROM sqlite_scan('{folder}/data/store.db', 't')", "ATTACH '{folder}/data/store.db' AS s (TYPE sqlite)",
    "ATTACH '{folder}/data/store.db' AS s", "ATTACH ':memory:' AS s (TYPE reel)", "ATTACH 'ducklake:{folder}/x' AS s",
    "ATTACH 'host=127.0.0.1' AS s (TYPE postgres)", "ATTACH 'https://127.0.0.1:1/x.db' AS s (READ_ONLY)", "ATTACH OR REPLACE 'x' AS reel",
    "INSERT INTO t SELECT 5, content FROM read_text('{secret}')", "CREATE TABLE x AS FROM read_csv('{secret}')",
    "UPDATE t SET v = (SELECT content FROM read_text('{secret}'))", "DELETE FROM t USING read_text('{secret}')",
    "MERGE INTO t USING read_text('{secret}') s ON false WHEN NOT MATCHED THEN INSERT VALUES (9, s.content)",
    "CREATE TEMP VIEW x AS FROM read_text('{secret}')", "SET VARIABLE x = (SELECT content FROM read_text('{secret}'))",
    "CREATE TEMP MACRO f() AS TABLE FROM read_text('{secret}'); FROM f()", "EXPLAIN ANALYZE SELECT * FROM read_text('{secret}')",
    "FROM query_table('{secret}')", "DESCRIBE '{secret}'", "SUMMARIZE '{secret}'", "PRAGMA table_info('{secret}')",
    "FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{secret}'')'))",
    "SELECT (SELECT content FROM read_text('{secret}'))", "FROM t WHERE v IN (SELECT content FROM read_text('{secret}'))",
    "COPY t TO '{folder}/out' (FORMAT parquet, PARTITION_BY (k))", "COPY t TO '{folder}/out.json' (FORMAT json)",
    "COPY t TO '{folder}/data/store.db'", "COPY t TO '{secret}' (USE_TMP_FILE false)", "COPY t TO '/dev/stderr'",
    "COPY t TO PROGRAM 'touch {folder}/out'", "COPY t FROM PROGRAM 'cat {secret}'", "COPY t TO STDOUT",
    "COPY FROM DATABASE reel TO temp", "EXPORT DATABASE '{folder}/out' (FORMAT parquet)", "PRAGMA export_database('{folder}/out')",
    # The network.
    "SELECT * FROM 'hf://datasets/x/y.csv'", "SELECT * FROM 'gs://b/x.csv'", "SELECT * FROM 'az://b/x.parquet'",
    "SELECT * FROM 'r2://b/x.parquet'", "SELECT * FROM read_csv('ftp://127.0.0.1:1/x')", "COPY t TO 's3://b/x.csv'",
    "COPY t TO 'http://127.0.0.1:1/x'", "SELECT * FROM iceberg_scan('{folder}')", "SELECT * FROM delta_scan('{folder}')",
    "SELECT * FROM mysql_scan('host=127.0.0.1', 'x', 'y')", "SELECT * FROM postgres_scan('', '', '')", "FROM read_xlsx('{secret}')",
    "INSTALL httpfs FROM 'http://127.0.0.1:1'", "INSTALL '{secret}'", "INSTALL spatial FROM core_nightly", "UPDATE EXTENSIONS",
    "SET custom_extension_repository = 'http://127.0.0.1:1'", "SET http_proxy = '127.0.0.1:1'", "SET s3_endpoint = '127.0.0.1:1'",
    "SET autoinstall_known_extensions = true", "SELECT * FROM duckdb_extensions()", "DROP SECRET s", "FROM which_secret('s3://x', 's3')",
    # What other statements and sessions run with.
    "SET GLOBAL threads = 1", "SET SESSION memory_limit = '1MB'", "SET LOCAL threads = 1", "RESET GLOBAL threads", "RESET lock_configuration",
    "SET worker_threads = 64", "SET external_threads = 64", "SET max_temp_directory_size = '1TB'", "SET TimeZone = 'Asia/Tokyo'",
    "SET schema = 'temp'", "SET default_null_order = 'nulls_first'", "SET enable_logging = true",
    "SET logging_level = 'trace'", "SET profiling_mode = 'detailed'", "SET disabled_optimizers = 'filter_pushdown'",
    "SET max_expression_depth = 100000", "SET wal_autocheckpoint = '1TB'", "SET allocator_flush_threshold = '0'",
    "SET debug_force_external = true", "SET enable_fsst_vectors = true", "SET python_enable_replacements = true",
    "SET allow_persistent_secrets = true", "SET default_secret_storage = 'local_file'", "SET username = 'x'",
    "PRAGMA threads = 64", "PRAGMA enable_checkpoint_on_shutdown", "PRAGMA verify_parallelism", "PRAGMA force_checkpoint",
    "PRAGMA enable_optimizer", "PRAGMA enable_print_progress_bar", "PRAGMA disable_logging", "PRAGMA reset_force_checkpoint",
    "CHECKPOINT", "FORCE CHECKPOINT reel", "CALL checkpoint()", "CALL enable_profiling()", "CALL disable_profiling()",
    "CALL enable_peg_parser()", "CALL disable_peg_parser()",
    # Pointers, and scans that a plan makes but a statement must not.
    "FROM arrow_scan(NULL, NULL, NULL)", "FROM arrow_scan_dumb(NULL, NULL, NULL)", "FROM arrow_scan(1, 1, 1)",
    "SELECT 140000000000::POINTER", "FROM seq_scan()", "FROM reel_scan()", "FROM reel_scan('t')", "FROM index_scan()",
    "FROM column_data_scan()", "FROM pandas_scan(NULL)", "FROM python_map_function()",
    # Objects of the system, and of others.
    "CREATE TABLE temp.information_schema.x (k INT)", "CREATE VIEW v AS FROM t", "DROP TABLE system.main.duckdb_tables",
    "ALTER TABLE information_schema.tables ADD COLUMN x INT", "DROP VIEW information_schema.tables", "DROP FUNCTION upper",
    "CREATE OR REPLACE FUNCTION upper(x) AS x", "DROP TYPE integer", "CREATE TYPE x AS INT", "INSERT INTO pg_catalog.pg_class VALUES (1)",
    "TRUNCATE duckdb_tables", "COMMENT ON TABLE t IS 'x'", "ALTER TABLE t OWNER TO x", "GRANT ALL ON t TO x", "CREATE USER x",
    "CREATE TRIGGER x", "CREATE EXTENSION x", "LISTEN x", "DO $$ BEGIN END $$", "SELECT pg_read_file('{secret}')", "SELECT lo_import('{secret}')",
    "SELECT getenv('PATH')", "SELECT system('id')", "SELECT load_extension('x')", "KILL 1", "SHUTDOWN",
]


def run(data, statement: str, timeout: float = 60):
    return subprocess.run([BINARY, "sql", "--data-dir", str(data)], input=statement, text=True, capture_output=True,
                          timeout=timeout)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    secret = folder / "secret.csv"
    secret.write_text("the,secret\n1,hidden words\n")
    done = run(folder / "data", "CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR); INSERT INTO t VALUES (1, 'a')")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_is_refused(place, statement):
    before = sorted(path.name for path in place.iterdir())
    done = run(place / "data", statement.format(secret=place / "secret.csv", folder=place))
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("reelhouse sql: ")
    assert "INTERNAL" not in done.stderr and "hidden words" not in done.stdout + done.stderr
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize("statement", ["FROM pragma_storage_info('t')", "PRAGMA database_size", "FROM test_vector_types(NULL::INT[])",
                                       "CALL duckdb_optimizers()", "FROM sql_auto_complete('SEL')", "SELECT write_log('x')"])
def test_looks_odd_and_does_no_harm(place, statement):
    done = run(place / "data", statement)
    assert done.returncode == 0, done.stderr


NAME = "n" * 1_000_000
BOMBS = [
    # Memory. Each wants far more than there is.
    "SELECT repeat('x', 10000000000)",
    "SELECT list(a) FROM range(100000000000) r(a)",
    "SELECT string_agg(repeat('x', 100000), '') FROM range(1000000)",
    "SELECT string_agg(a::VARCHAR, repeat('x', 100000)) FROM range(1000000) r(a)",
    "CREATE TEMP TABLE x AS SELECT repeat('x', 1000) || i FROM range(100000000) r(i)",
    "SELECT range(0, 100000000000)",
    "SELECT md5(repeat(repeat('x', 100000), 100000))",
    "SELECT count(*) FROM (SELECT DISTINCT a, repeat('x', 100) FROM range(100000000) r(a))",
    "SELECT a, count(*) FROM range(100000000) r(a) GROUP BY a ORDER BY a",
    "SELECT array_agg(r) FROM (SELECT range(1000) AS r FROM range(1000000))",
    "WITH RECURSIVE r(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM r) SELECT max(length(s)) FROM r",
    "WITH RECURSIVE r(l) AS (SELECT [1] UNION ALL SELECT l || l FROM r) SELECT max(len(l)) FROM r",
    "INSERT INTO t SELECT i, 'x' FROM range(100, 100000000000) r(i)",
    # Depth and width of the statement itself.
    "SELECT " + "(" * 20000 + "1" + ")" * 20000,
    "SELECT " + "+".join(["1"] * 100000),
    "SELECT " + "-" * 1 + " -" * 50000 + "1",
    "SELECT " + "NOT " * 50000 + "true",
    "SELECT " + "[" * 5000 + "]" * 5000,
    "SELECT " + "CASE WHEN true THEN " * 5000 + "1" + " END" * 5000,
    "SELECT " + "CAST(" * 5000 + "1" + " AS INT)" * 5000,
    "SELECT " + "upper(" * 5000 + "'x'" + ")" * 5000,
    "SELECT * FROM " + "(SELECT * FROM " * 3000 + "t" + ")" * 3000,
    "SELECT * FROM t WHERE k IN (" + "(SELECT k FROM t WHERE k IN " * 3000 + "(1)" + ")" * 3000 + ")",
    "CREATE TABLE x (k INT PRIMARY KEY, v " + "STRUCT(a " * 5000 + "INT" + ")" * 5000 + ")",
    "CREATE TABLE x (k INT PRIMARY KEY, v INT" + "[]" * 5000 + ")",
    "CREATE TABLE x (k INT PRIMARY KEY, " + ", ".join(f"c{i} INT" for i in range(10000)) + ")",
    f'CREATE TABLE x (k INT PRIMARY KEY, "{NAME}" INT)', f'CREATE TABLE "{NAME}" (k INT PRIMARY KEY)',
    f'ALTER TABLE t ADD COLUMN "{NAME}" INT', f'ALTER TABLE t RENAME v TO "{NAME}"', f'SELECT "{NAME}" FROM t', f"FROM {NAME}",
    f"SELECT {NAME}(1)", f"SELECT 1::{NAME}", f"SET {NAME} = 1", f"EXECUTE {NAME}", "SELECT '" + NAME,
    # Patterns.
    "SELECT regexp_matches('x', '(x{1000}){1000}')",
    "SELECT 'x' SIMILAR TO '((((x{100}){100}){100}){100})'", "SELECT regexp_matches('x', '\\pN{1000}\\pL{1000}" * 20 + "')",
    "SELECT count(*) FROM (SELECT 1 AS a) GROUP BY CUBE (" + ", ".join(["a"] * 25) + ")",
]

# What DuckDB itself does not count. Sanitizers have allocators of their own, to which nothing is refused.
HUGE_VALUES = [
    "SELECT length(repeat('x', 3000000000))",
    "SELECT max(length(repeat('x', 400000000 + i))) FROM range(2048) r(i)",
    "SELECT length(replace(repeat('x', 100000000), 'x', 'yyyyyyyyyyyyyyyyyyyy'))",
    "SELECT mode(a) FROM range(1000000000) r(a)",
    "SELECT length(lpad('x', 2147483647, 'y'))",
    "SELECT len(list_resize([1], 1000000000))",
]
BOMBS += [] if reelhouse_server.sanitized() else HUGE_VALUES


@pytest.mark.parametrize("statement", BOMBS, ids=lambda statement: statement[:30])
def test_bombs_end_with_an_error(place, statement):
    done = run(place / "data", statement, 120)
    assert done.returncode == 1, done.stdout[:1000]
    assert done.stderr.startswith("reelhouse sql: ") and "INTERNAL" not in done.stderr


@pytest.mark.parametrize("statement, answer", [
    ("SELECT count(*) FROM t WHERE k IN (" + ", ".join(map(str, range(20000))) + ")", "1"),
    ("SELECT count(*) FROM t WHERE v IN (" + ", ".join(f"'{i}'" for i in range(20000)) + ")", "0"),
    ("SELECT count(*) FROM (VALUES " + ", ".join(f"({i})" for i in range(20000)) + ")", "20000"),
    ("SELECT len([" + ", ".join(map(str, range(20000))) + "])", "20000"),
    ("SELECT length('" + "x" * 1_000_000 + "')", "1000000"),
    ("SELECT count(*) FROM (SELECT " + ", ".join(f"{i} AS c{i}" for i in range(5000)) + ")", "1"),
    ("SELECT regexp_matches(repeat('a', 100000), '(a*)*(a*)*(a*)*b')", "false"),
    ("SELECT repeat('x', 1000000) LIKE '" + "%x" * 1000 + "%y'", "false"),
    ("SELECT count(*) FROM generate_series(1, 9223372036854775807) LIMIT 0", ""),
    ("SELECT count(*) FROM (FROM generate_series(1, 9223372036854775807) LIMIT 5)", "5"),
    ("SELECT count(*) FROM (FROM repeat_row(1, num_rows = 1000000000000) LIMIT 5)", "5"),
], ids=lambda value: value[:30])
def test_much_is_not_too_much(place, statement, answer):
    done = run(place / "data", f"SELECT string_agg(COLUMNS(*)::VARCHAR, '') AS x FROM ({statement})")
    assert done.returncode == 0, done.stderr[:1000]
    assert (done.stdout.splitlines()[1].strip() or "NULL") == (answer or "NULL")


def test_the_table_is_as_it_was(place):
    assert run(place / "data", "FROM t").stdout == "k  v\n1  a\n(1 row)\n"


# Over HTTP, many at once, by those who may least.

@pytest.fixture(scope="module")
def besieged(serve_in, tmp_path_factory):
    """A server with little memory and time for SQL, and a session for each role."""
    folder = tmp_path_factory.mktemp("besieged")
    sessions = {}
    for role in ("viewer", "editor", "admin"):
        key = reelhouse_server.run("keys", "create", role, "--role", role, "--data-dir", folder / "data").stdout.strip()
        sessions[role] = requests.Session()
        sessions[role].headers["X-Api-Key"] = key
    server = serve_in(folder, "--set", "auth.modes=api_key", "--set", "sql.seconds_max=2", "--set", "sql.memory_mb=128")
    (folder / "secret.csv").write_text("the,secret\n1,hidden words\n")
    assert ask(server, sessions["admin"], "CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR)").status_code == 200
    assert ask(server, sessions["admin"], "INSERT INTO t VALUES (1, 'a')").status_code == 200
    return server, sessions, folder


def ask(server, session, statement: str) -> requests.Response:
    return session.post(f"{server.url}/sql", json={"sql": statement}, timeout=120)


def memory_mb(server) -> int:
    """The most that the process ever had in memory."""
    [line] = [line for line in open(f"/proc/{server.pid}/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_is_refused_over_http(besieged, role):
    server, sessions, folder = besieged
    before = sorted(path.name for path in folder.iterdir())
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda statement: ask(server, sessions[role], statement),
                           [statement.format(secret=folder / "secret.csv", folder=folder) for statement in FORBIDDEN])
        for statement, answer in zip(FORBIDDEN, answers):
            assert 400 <= answer.status_code < 500 or answer.status_code == 501, (statement, answer.text)
            assert "hidden words" not in answer.text and "INTERNAL" not in answer.text, statement
    assert sorted(path.name for path in folder.iterdir()) == before
    assert ask(server, sessions[role], "FROM t").json()["rows"] == [[1, "a"]]


ENDLESS = [
    "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7",
    "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b, range(1000000) c",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT (i + 1) % 10 FROM r) SELECT count(*) FROM r",
    "SELECT sum(a) FROM range(10000000000000) r(a)", "SELECT count(*) FROM generate_series(1, 9223372036854775807)",
    "FROM generate_series(1, 9223372036854775807) LIMIT 9223372036854775806", "SELECT max(hash(a)) FROM range(10000000000000) r(a)",
    "SELECT count(*) FROM range(100000000000) r(a) WHERE regexp_matches(a::VARCHAR || 'x', '(1*)*(2*)*(3*)*y')",
    "SELECT count(*) FROM t a, range(100000000000) b WHERE a.k + b.range < 0",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "DELETE FROM t WHERE (SELECT max(hash(a)) FROM range(10000000000000) r(a)) = 5",
]


def test_many_bombs_at_once_leave_the_server_alive(besieged):
    server, sessions, folder = besieged
    statements = (ENDLESS + [bomb for bomb in BOMBS if len(bomb) < 1000]) * 2
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda statement: ask(server, sessions["editor"], statement), statements))
    for statement, answer in zip(statements, answers):
        # An answer that has begun ends with its error.
        refused = answer.status_code in (400, 403, 413, 503) or "error" in answer.json()
        assert refused, (statement, answer.text[:300])
    assert ask(server, sessions["viewer"], "FROM t").json()["rows"] == [[1, "a"]]
    assert requests.get(f"{server.url}/livez", timeout=10).status_code == 200
    if not reelhouse_server.sanitized():
        assert memory_mb(server) < 128 + 400


def test_a_defect_of_duckdb_ends_one_statement(besieged):
    """This one makes DuckDB give its instance up for good; the next statement runs on a new one."""
    server, sessions, folder = besieged
    broken = ask(server, sessions["viewer"], "SELECT mode(NULL::INT[], NULL::INT[] ORDER BY k) FROM t")
    assert broken.status_code == 500 and "ListValue" not in broken.text
    assert ask(server, sessions["viewer"], "FROM t").json()["rows"] == [[1, "a"]]

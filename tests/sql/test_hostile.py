"""What statements of strangers must not reach: files, the network, other databases, the configuration, all the memory."""
import os
import subprocess

import pytest

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


BOMBS = [
    "SELECT repeat('x', 10000000000)",
    "SELECT list(a) FROM range(100000000000) r(a)",
    "SELECT string_agg(repeat('x', 100000), '') FROM range(1000000)",
    "CREATE TEMP TABLE x AS SELECT repeat('x', 1000) || i FROM range(100000000) r(i)",
    "SELECT " + "(" * 20000 + "1" + ")" * 20000,
    "SELECT " + "+".join(["1"] * 100000),
    "SELECT " + "[" * 5000 + "]" * 5000,
    "SELECT * FROM " + "(SELECT * FROM " * 3000 + "t" + ")" * 3000,
    "SELECT range(0, 100000000000)",
]


@pytest.mark.parametrize("statement", BOMBS, ids=lambda statement: statement[:30])
def test_bombs_end_with_an_error(place, statement):
    done = run(place / "data", statement, 120)
    assert done.returncode == 1
    assert done.stderr.startswith("reelhouse sql: ")


def test_the_table_is_as_it_was(place):
    assert run(place / "data", "FROM t").stdout == "k  v\n1  a\n(1 row)\n"

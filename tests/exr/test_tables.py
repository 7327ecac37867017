"""`reelhouse exr ingest`: what is in files as rows, from which nothing is missing, however often and however it was run."""
import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import requests
import traps
from record_tables import SCHEMA, Tables
from reelhouse_server import run
from test_corpus import CORPUS

GUIDE = Path(__file__).with_name("guide.sql")
#: Where the schema guide is that users hold in hand.
SEEDS = Path(os.environ.get("REELHOUSE_SEEDS") or Path(__file__).resolve().parents[2].parent / "shared/seeds")


def statements(text: str) -> list[str]:
    return [each.strip() for each in re.sub(r"--.*", "", text).split(";") if each.strip()]


@pytest.fixture
def tables(exr, tmp_path) -> Tables:
    return Tables(exr, tmp_path / "data")


@pytest.fixture(scope="module")
def folder(write) -> Path:
    return write({f"{name}.exr": trap.bytes for name, trap in traps.all_traps().items()})


@pytest.fixture(scope="module")
def trapped(exr, folder, tmp_path_factory) -> Tables:
    made = Tables(exr, tmp_path_factory.mktemp("trapped"))
    made.ingest("-r", folder, code=1)
    return made


def test_headers_are_built_again_from_rows(trapped, folder):
    built = trapped.headers()
    whole = traps.good() | traps.odd()
    assert sorted(built) == sorted(str(folder / f"{name}.exr") for name in whole)
    for name, trap in whole.items():
        header = built[str(folder / f"{name}.exr")]
        assert trap.bytes.startswith(header) and len(header) > 8, name


def test_rows_say_what_inspect_says(exr, trapped, folder):
    told = {line["path"]: line for line in exr.inspect("-r", folder, code=1)}
    files = trapped.sql(f"FROM {SCHEMA}.files")
    assert {row["file_path"]: (row["status"], row["header_hash"], row["complete"], row["shape_hash"]) for row in files} == {
        path: (line["status"], line["file"]["header_sha256"], line["file"].get("complete"), line["file"].get("shape_hash"))
        for path, line in told.items()}
    channels = trapped.sql(f"SELECT file_path, channel_name FROM {SCHEMA}.channels ORDER BY file_id, part_index, ordinal")
    for path, line in told.items():
        found = [row["channel_name"] for row in channels if row["file_path"] == path]
        assert found == [channel["name"] for channel in line["channels"]], path
    codes = trapped.sql(f"SELECT file_path, code FROM {SCHEMA}.findings ORDER BY file_id, ordinal")
    for path, line in told.items():
        assert [row["code"] for row in codes if row["file_path"] == path] == [each["code"] for each in line["findings"]]


@pytest.mark.skipif(CORPUS is None, reason="no test images of OpenEXR: REELHOUSE_EXR_CORPUS")
def test_headers_of_the_test_images_are_built_again(tables):
    tables.ingest("--all-files", "-r", CORPUS / "images", CORPUS / "openexr-tests", code=1)
    built = tables.headers()
    assert len(built) > 20 and {str(path) for path in (CORPUS / "images").iterdir()} <= set(built)
    for path, header in built.items():
        assert Path(path).read_bytes().startswith(header) and len(header) > 8, path


def test_statements_people_use(trapped):
    """None of them fails, and those that read find something."""
    for statement in statements(GUIDE.read_text()):
        found = trapped.sql(statement)
        assert found or statement.startswith("DELETE"), statement


def guide_statements() -> list[str]:
    pages = sorted(SEEDS.glob("001*.txt"))
    if not pages:
        pytest.skip("the schema guide is not at hand: REELHOUSE_SEEDS")
    blocks = re.findall(r"^ *```sql\n(.*?)^ *```", pages[0].read_text(), re.MULTILINE | re.DOTALL)
    return [each for block in blocks for each in statements(block)]


def test_queries_of_the_schema_guide(trapped):
    """Those that read and those that clean up, as they are written there."""
    queries = [each for each in guide_statements() if re.match("SELECT|DELETE", each)]
    assert len(queries) == 8
    for query in queries:
        trapped.sql(query)


def test_definitions_of_the_schema_guide(tables, folder):
    """Of what is not our SQL, the answer says what to write instead, and that does it."""
    tables.ingest(folder / "plain.exr")
    wanted = {}
    for statement in guide_statements():
        if re.match("SELECT|DELETE", statement):
            continue
        if table := re.match(r"CREATE TABLE IF NOT EXISTS exr_metadata\.(\w+)", statement):
            wanted[table[1]] = set(re.findall(r"^ {4}([a-z_]+) [A-Z]", statement, re.MULTILINE))
        refused = tables.execute(statement)
        assert refused.returncode == 1
        instead = refused.stderr.partition("Write instead: ")[2]
        assert instead or "leave the statement out" in refused.stderr, refused.stderr
        if instead:
            done = tables.execute(f"USE {SCHEMA}; {instead}")
            assert done.returncode == 0, done.stderr
    assert tables.sql(f"SELECT count(*) AS n FROM {SCHEMA}.compression_stats")[0]["n"] == 1
    assert sorted(wanted) == ["attributes", "channels", "files", "parts"]
    wanted["channels"].remove("channel_fingerprint")  # of a file, whose row has it once
    for table, columns in wanted.items():
        assert columns <= {row["column_name"] for row in tables.sql(f"DESCRIBE {SCHEMA}.{table}")}, table


def test_a_file_goes_with_all_its_rows(exr, tables, folder):
    tables.ingest(folder / "plain.exr", folder / "manifest.exr")
    tables.sql(f"DELETE FROM {SCHEMA}.files WHERE file_path LIKE '%manifest.exr'")
    left = tables.everything()
    assert len(left["files"]) == len(left["paths"]) == len(left["parts"]) == 1
    assert {row["file_path"] for table in ("channels", "attributes") for row in left[table]} == {str(folder / "plain.exr")}
    assert left["blobs"] == []
    refused = tables.execute(f"DELETE FROM {SCHEMA}.parts")
    assert refused.returncode == 1 and "delete rows of exr_metadata.files" in refused.stderr
    refused = tables.execute(f"UPDATE {SCHEMA}.files SET status = 'error'")
    assert refused.returncode == 1 and "filled by inspections" in refused.stderr


def test_columns_of_users(tables, folder):
    tables.ingest(folder / "plain.exr")
    tables.sql(f"ALTER TABLE {SCHEMA}.files ADD COLUMN approved_by VARCHAR")
    tables.sql(f"UPDATE {SCHEMA}.files SET approved_by = 'Eve'")
    tables.ingest(folder / "plain.exr")
    assert tables.sql(f"SELECT approved_by, inspection_count FROM {SCHEMA}.files") == [
        {"approved_by": "Eve", "inspection_count": 2}]


def test_frames_belong_to_their_sequence(tables, write):
    frames = {f"beauty.{number}.exr": traps.file() for number in (1001, 1002, 1004)}
    folder = write(frames | {"slate.exr": traps.file()})
    tables.ingest("-r", folder)
    [sequence] = tables.sql(f"FROM {SCHEMA}.sequences")
    assert (sequence["first_frame"], sequence["last_frame"], sequence["file_count"], sequence["status"]) == (1001, 1004, 3, "error")
    assert [fault["code"] for fault in json.loads(sequence["report"])["faults"]] == ["frames_missing"]
    assert tables.sql(f"SELECT frame FROM {SCHEMA}.files JOIN {SCHEMA}.sequences USING (sequence_id) ORDER BY frame") == [
        {"frame": 1001}, {"frame": 1002}, {"frame": 1004}]


def test_paths_do_not_depend_on_the_directory(exr, tables, folder):
    refused = exr.run("ingest", "--data-dir", tables.folder, "plain.exr", code=2, cwd=folder)
    assert b"--root" in refused.stderr
    one = tables.ingest("--root", folder, "./plain.exr")
    two = tables.ingest(f"{folder}//../{folder.name}/plain.exr", cwd="/")
    assert [line["persistence"]["inserted"] for line in one + two] == [True, False]
    assert one[0]["persistence"]["file_id"] == two[0]["persistence"]["file_id"]


def test_the_schema_can_be_called_otherwise(exr, tables, folder):
    tables.ingest("--schema", "show_a", folder / "plain.exr")
    assert tables.sql("SELECT count(*) AS n FROM show_a.files") == [{"n": 1}]
    exr.run("ingest", "--data-dir", tables.folder, "--schema", "no.schema", folder / "plain.exr", code=2)


def many(count: int) -> dict[str, bytes]:
    """Files that are right, none like another: sequences, and single ones."""
    return {(f"shot{index % 7}.{1001 + index // 7}.exr" if index % 3 else f"single_{index}x{index}.exr"):
            traps.file(traps.string("owner", f"number {index}") + traps.string("manifest", "m" * (70_000 + index % 5) if index % 50 == 0 else ""))
            for index in range(count)}


def damaged() -> list[Path]:
    return sorted((CORPUS / "damaged").iterdir()) if CORPUS else []


@pytest.fixture(scope="module")
def show(write) -> list[str]:
    """A thousand good files and every bad one, in any order."""
    good = write(many(1000))
    bad = write({f"{name}.exr": trap.bytes for name, trap in traps.broken().items() if len(trap.bytes) < 10_000})
    paths = [*good.iterdir(), *bad.iterdir(), *damaged(), good / "not_there.exr", good]
    random.shuffle(paths)
    return [str(path) for path in paths]


def by_path(lines) -> dict[str, dict]:
    return {line["path"]: line for line in lines}


def test_bad_files_among_good_ones(exr, tables, show, tmp_path):
    """All that can be read is recorded; the journal has those that have an error, and nothing else."""
    told = by_path(exr.inspect("-", code=1, input="\n".join(show).encode()))
    wanted = {path: line["findings"] for path, line in told.items() if line["status"] == "error"}
    journal = tmp_path / "journal.jsonl"
    lines = by_path(tables.ingest("-", "--journal", journal, code=1, input="\n".join(show).encode()))
    assert set(lines) == set(show)
    noted = by_path(map(json.loads, journal.read_text().splitlines()))
    assert {path: line["findings"] for path, line in noted.items()} == wanted
    unread = {path for path, line in told.items() if "size" not in line["file"]}
    assert len(unread) == 2 and {path for path, line in lines.items() if line["persistence"]["status"] != "success"} == unread
    assert {row["file_path"] for row in tables.sql(f"SELECT file_path FROM {SCHEMA}.files")} == set(show) - unread
    [status] = tables.sql(f"SELECT count(*) FILTER (status = 'ok') AS good, count(*) AS files FROM {SCHEMA}.files")
    assert status["good"] >= 1000 and status["files"] == len(show) - 2
    assert set(by_path(tables.ingest("-", code=1, input="\n".join(show).encode()))) == set(show)
    assert tables.sql(f"SELECT DISTINCT inspection_count FROM {SCHEMA}.files") == [{"inspection_count": 2}]


def killed_after(tables: Tables, paths: Path, seconds: float) -> bool:
    """Whether it was still running then."""
    with paths.open() as listed, subprocess.Popen(
            [os.environ["REELHOUSE_BIN"], "exr", "ingest", "--data-dir", tables.folder, "--quiet", "-"], stdin=listed,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        try:
            running.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            return True


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.full)])
def test_a_run_that_was_killed_is_started_again(exr, tables, show, tmp_path, rng, kills):
    listed = tmp_path / "files.txt"
    listed.write_text("\n".join(show))
    clean = Tables(exr, tmp_path / "clean")
    start = time.monotonic()
    clean.ingest("-", code=1, input=listed.read_bytes())
    took = time.monotonic() - start
    killed = sum(killed_after(tables, listed, rng.uniform(0, took)) for _ in range(kills))
    assert killed > 0
    tables.ingest("-", code=1, input=listed.read_bytes())
    assert tables.everything() == clean.everything()


def test_viewers_ask_and_editors_clean_up(exr, folder, tmp_path, serve_in):
    """On a server the tables are among those that everybody may read; of their rows editors delete files."""
    made = Tables(exr, tmp_path / "data")
    made.ingest(folder / "plain.exr")
    keys = {role: run("keys", "create", role, "--role", role, "--data-dir", made.folder).stdout.strip() for role in ("viewer", "editor")}
    server = serve_in(tmp_path, "--set", "auth.modes=api_key")

    def ask(role: str, text: str) -> requests.Response:
        return requests.post(f"{server.url}/sql", json={"sql": text}, headers={"X-Api-Key": keys[role]}, timeout=60)

    query = f"SELECT channel_name FROM {SCHEMA}.channels ORDER BY 1"
    assert ask("viewer", query).json()["rows"] == [["B"], ["G"], ["R"]]
    assert ask("viewer", f"DELETE FROM {SCHEMA}.files").status_code == 403
    assert ask("editor", f"DELETE FROM {SCHEMA}.files").status_code == 200
    assert ask("viewer", query).json()["rows"] == []

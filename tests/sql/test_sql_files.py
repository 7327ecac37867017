"""Every tests/sql/*.test, each on a data directory of its own, in every configuration; and plain SQL with stock DuckDB."""
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqllogic
import stock

BINARY = os.environ["REELHOUSE_BIN"]
FILES = sorted(Path(__file__).parent.glob("*.test"))
PLAIN = [path for path in FILES if sqllogic.parse(path).stock]
CONFIGURATIONS = {
    "default": {},
    "one_thread": {"flags": ["--set", "sql.threads=1"]},
    "restart": {"alone": True},
}


def in_file(path: Path) -> str:
    return path.stem


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory):
    """What the chosen tests of files will find: they run side by side, because most of a run is the start of a process."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        chosen = [item.callspec.params for item in request.session.items
                  if item.path == request.path and "configuration" in getattr(item, "fixturenames", [])]
        # The longest first.
        chosen.sort(key=lambda params: (params["configuration"] != "restart", -params["path"].stat().st_size))
        yield {(params["path"], params["configuration"]): pool.submit(
            sqllogic.run_file, BINARY, params["path"], tmp_path_factory.mktemp(params["configuration"]) / "data",
            **CONFIGURATIONS[params["configuration"]]) for params in chosen}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("path", FILES, ids=in_file)
def test_file(outcomes, path, configuration):
    findings = outcomes[path, configuration].result()
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


@pytest.mark.parametrize("path", PLAIN, ids=in_file)
def test_stock_duckdb_says_the_same(path):
    findings = stock.run_file(path)
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_there_are_many_records():
    assert sum(len(sqllogic.parse(path).records) for path in FILES) >= 1500


def test_the_runner_sees_what_is_wrong(tmp_path):
    wrong = tmp_path / "wrong.test"
    wrong.write_text("stock\n\nquery\nSELECT 1\n----\n2\n\nstatement ok\nSELECT nothing\n\nstatement error .\nSELECT 1\n\n"
                     "restart\n\nstatement error never said\nSELECT nothing\n\ndiffers it does not\nquery\nSELECT 1\n----\n1\n")
    assert len(sqllogic.run_file(BINARY, wrong, tmp_path / "together")) == 2
    assert len(sqllogic.run_file(BINARY, wrong, tmp_path / "alone", alone=True)) == 4
    assert len(stock.run_file(wrong)) == 4


def test_a_session_is_one_process_also_alone(tmp_path):
    held = tmp_path / "held.test"
    held.write_text("session\nstatement ok\nCREATE TEMP TABLE t AS SELECT 1 AS x\n\nquery\nFROM t\n----\n1\n\nend\n\n"
                    "statement error not exist\nFROM t\n")
    assert sqllogic.run_file(BINARY, held, tmp_path / "data", alone=True) == []

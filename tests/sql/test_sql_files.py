"""Every tests/sql/*.test, each on a data directory of its own."""
import os
from pathlib import Path

import pytest
import sqllogic

BINARY = os.environ["REELHOUSE_BIN"]
FILES = sorted(Path(__file__).parent.glob("*.test"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path, tmp_path):
    findings = sqllogic.run_file(BINARY, path, tmp_path / "data")
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_there_are_many_records():
    assert sum(len(sqllogic.parse(path)) for path in FILES) >= 400


def test_the_runner_sees_what_is_wrong(tmp_path):
    wrong = tmp_path / "wrong.test"
    wrong.write_text("query\nSELECT 1\n----\n2\n\nstatement ok\nSELECT nothing\n\nstatement error .\nSELECT 1\n\n"
                     "restart\n\nstatement error never said\nSELECT nothing\n")
    assert len(sqllogic.run_file(BINARY, wrong, tmp_path / "data")) == 2

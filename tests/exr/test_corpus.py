"""The test images of OpenEXR, good and damaged, where they are at hand: REELHOUSE_EXR_CORPUS is the folder with images/,
openexr-tests/ and damaged/."""
import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from exr_program import codes
from rebuild import rebuild
from test_inspect import blob_of

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = Path(__file__).with_name("corpus_codes.json")


def corpus_folder() -> Path | None:
    for place in filter(None, [os.environ.get("REELHOUSE_EXR_CORPUS"), ROOT.parent / "shared/corpus/exr"]):
        if (Path(place) / "damaged").is_dir():
            return Path(place)
    return None


CORPUS = corpus_folder()
pytestmark = pytest.mark.skipif(CORPUS is None, reason="no test images of OpenEXR: REELHOUSE_EXR_CORPUS")


@pytest.fixture(scope="module")
def lines(exr) -> dict[Path, dict]:
    """About each file, in an order that is never the same twice."""
    paths = [path for folder in ("images", "openexr-tests", "damaged") for path in (CORPUS / folder).iterdir()]
    random.shuffle(paths)
    told = exr.inspect("-", code=1, input="\n".join(map(str, paths)).encode())
    assert [line["path"] for line in told] == list(map(str, paths))
    return dict(zip(paths, told))


def test_what_is_wrong_is_said(lines):
    """REELHOUSE_UPDATE_GOLDENS=1 writes anew what each file is said to be."""
    told = {f"{path.parent.name}/{path.name}": {"status": line["status"], "codes": sorted(set(codes(line)))}
            for path, line in sorted(lines.items())}
    if os.environ.get("REELHOUSE_UPDATE_GOLDENS"):
        rows = (f"{json.dumps(name)}: {json.dumps(what)}" for name, what in told.items())
        EXPECTED.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    assert told == json.loads(EXPECTED.read_text())


def test_nothing_of_a_header_is_lost(lines):
    whole = {path: line for path, line in lines.items() if line["file"]["header_whole"]}
    assert len(whole) > 50 and {path for path in lines if path.parent.name == "images"} <= set(whole)
    for path, line in whole.items():
        content = path.read_bytes()
        assert rebuild(line, blob_of(content, line)) == content[:line["file"]["header_bytes"]], path


def in_process(suites: str) -> None:
    program = Path(os.environ["REELHOUSE_BIN"]).with_name("exr_test")
    if not program.is_file():
        pytest.skip("exr_test is not beside the binary")
    done = subprocess.run([program, f"--gtest_filter={suites}"], text=True, capture_output=True, timeout=1000,
                          env=os.environ | {"REELHOUSE_EXR_CORPUS": str(CORPUS)}, check=False)
    print(done.stdout[-20_000:], done.stderr[-2_000:])
    assert done.returncode == 0 and re.search(r"PASSED  \] [1-9]", done.stdout) and "SKIPPED" not in done.stdout


def test_memory_and_the_opinion_of_openexr_core():
    in_process("Corpus.EveryFile:SecondOpinion.*")


@pytest.mark.full
def test_every_truncation_and_every_flipped_bit_of_20_headers():
    in_process("Corpus.EveryTruncation*")

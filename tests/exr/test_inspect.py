"""`reelhouse exr inspect`: nothing of a header is lost, everything that is wrong is said, one bad file stops nothing."""
import hashlib
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
import traps
from exr_program import codes
from rebuild import rebuild, text_bytes

GOLDEN = Path(__file__).with_name("golden.jsonl")
TRAPS = traps.all_traps()


@pytest.fixture(scope="module")
def folder(write) -> Path:
    return write({f"{name}.exr": trap.bytes for name, trap in TRAPS.items()})


@pytest.fixture(scope="module")
def lines(exr, folder) -> dict[str, dict]:
    """What is said about each trap, by its name."""
    return {Path(line["path"]).stem: line for line in exr.inspect("-r", folder, code=1)}


def blob_of(content: bytes, line: dict):
    """Finds the values that a line only refers to in the file itself."""
    def value(attribute: dict) -> bytes:
        start = attribute["offset"] + len(text_bytes(attribute["name"])) + len(text_bytes(attribute["type"])) + 6
        return content[start:start + attribute["size"]]

    large = {hashlib.sha256(value(attribute)).hexdigest(): value(attribute) for attribute in line["attributes"]
             if attribute["size"] > 65536}
    return large.__getitem__


@pytest.mark.parametrize("name", TRAPS)
def test_what_is_wrong_is_said(lines, name):
    line, trap = lines[name], TRAPS[name]
    # Of what a hostile file has thousands of, each kind once.
    found = codes(line) if len(line["findings"]) < 100 else list(dict.fromkeys(codes(line)))
    assert sorted(found) == sorted(trap.codes), line["findings"]
    errors = [finding for finding in line["findings"] if finding["severity"] == "error"]
    assert line["status"] == ("error" if errors else "findings" if line["findings"] else "ok")
    assert all(finding["message"] for finding in line["findings"])


@pytest.mark.parametrize("name", TRAPS)
def test_nothing_of_a_header_is_lost(lines, name):
    line, content = lines[name], TRAPS[name].bytes
    about = line["file"]
    kept = content[:about["header_bytes"]]
    assert about["header_sha256"] == hashlib.sha256(kept).hexdigest()
    assert about["header_whole"] == (name not in traps.broken())
    if about["header_whole"]:
        assert rebuild(line, blob_of(content, line)) == kept
    for attribute in line["attributes"]:
        assert content[attribute["offset"]:].startswith(text_bytes(attribute["name"]) + b"\0" + text_bytes(attribute["type"]) + b"\0")


def test_lines_are_what_they_were(lines):
    """REELHOUSE_UPDATE_GOLDENS=1 writes them anew; what changed is then read in the diff."""
    told = []
    for name in sorted(TRAPS):
        line = lines[name]
        line = line | {"path": name, "file": {key: value for key, value in line["file"].items() if key != "modified"}}
        if len(line["attributes"]) < 1000:
            told.append(line)
    if os.environ.get("REELHOUSE_UPDATE_GOLDENS"):
        GOLDEN.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in told))
    assert [json.loads(line) for line in GOLDEN.read_text().splitlines()] == told


def test_completeness(lines):
    complete = {name for name, line in lines.items() if line["file"].get("complete")}
    assert complete >= set(traps.good()) - {"subsampled"}
    assert not complete & {"unfinished", "cut_table", "cut_pixels", "cut_by_a_byte", *traps.broken()}


def test_frames_have_one_shape(exr, write):
    time = lambda frame: traps.attribute("timeCode", "timecode", bytes([frame, 0, 0, 0, 0, 0, 0, 0]))
    folder = write({"a.1.exr": traps.file(time(1)), "a.2.exr": traps.file(time(2)), "b.exr": traps.file()})
    shapes = [line["file"]["shape_hash"] for line in exr.inspect("-r", folder)]
    assert shapes[0] == shapes[1] != shapes[2]


def test_which_files(exr, write, tmp_path):
    folder = write({"b.EXR": traps.file(), "a.exr": traps.file(), "c.txt": b"text"})
    names = lambda lines: [Path(line["path"]).name for line in lines]
    assert names(exr.inspect("-r", folder)) == ["a.exr", "b.EXR"]
    assert names(exr.inspect("-r", folder, "--all-files", code=1)) == ["a.exr", "b.EXR", "c.txt"]
    assert names(exr.inspect(f"{folder}/*.[eE]*")) == ["a.exr", "b.EXR"]
    listed = f"{folder}/a.exr\n{folder}/missing\n".encode()
    assert names(exr.inspect("-", code=1, input=listed)) == ["a.exr", "missing"]
    [line] = exr.inspect(folder, code=1)
    assert codes(line) == ["not_a_file"] and "directory" in line["findings"][0]["message"]
    assert codes(exr.inspect(tmp_path / "none*", code=1)[0]) == ["file_not_found"]


def test_what_is_no_file(exr, tmp_path):
    os.mkfifo(tmp_path / "pipe.exr")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.exr"))
        assert [codes(line) for line in exr.inspect("-r", tmp_path, "/dev/zero", code=1)] == [["not_a_file"]] * 3


def test_a_path_that_is_not_utf8(exr, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.exr"
    Path(os.fsdecode(path)).write_bytes(traps.file())
    [line] = exr.inspect("-r", tmp_path)
    assert text_bytes(line["path"]) == path


def test_a_batch_goes_on_in_order(exr, write):
    files = {f"{i:03}.exr": trap.bytes for i, trap in enumerate(list(TRAPS.values()) * 3)}
    folder = write(files)
    for threads in (1, 3):
        told = exr.inspect("-r", folder, "--parallel", threads, code=1)
        assert [Path(line["path"]).name for line in told] == sorted(files)


def test_tables_for_people(exr, folder):
    text = exr.run("inspect", folder / "plain.exr", folder / "unfinished.exr", folder / "htj2k.exr", code=1).stdout.decode()
    assert "3 files: 1 ok, 1 with findings, 1 with errors" in text
    assert "chunks_unfinished" in text and "4x2" in text and "htj2k256" in text
    attributes = exr.run("inspect", folder / "all_types.exr", "--attributes").stdout.decode()
    assert "t_m44d" in attributes and '{"numerator":24000,"denominator":1001}' in attributes


def test_a_file_cannot_write_to_the_terminal(exr, write):
    folder = write({"a.exr": traps.file(traps.string("owner\x1b[2J", "\x1b[2J") + traps.attribute("x\x1b", "t\x1b[2J", b""))})
    assert b"\x1b" not in exr.run("inspect", folder / "a.exr", "--attributes").stdout


def test_closed_output_is_a_failure(exr, folder):
    with open("/dev/full", "wb") as full:
        done = exr.run("inspect", "--json", folder / "plain.exr", code=1, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert b"cannot be written" in done.stderr


def test_wrong_usage(exr):
    exr.run("inspect", code=2)
    exr.run("inspect", "a", "--parallel", "0", code=2)
    exr.run("inspect", "a", "--json", "--attributes", code=2)
    exr.run(code=2)

"""Every command in README.md and docs/ is run, as it is written, against a server of its own.

A fenced block of language `sh` is a script. Addresses and the path of the binary are replaced by
those of this test; ffplay plays into nothing. Blocks that call ./dev are not run here (they build
the very thing under test): their verbs and options are checked against ./dev's own help.
"""

import os
import pathlib
import re
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOCAL = "http://127.0.0.1:8000"


def scripts():
    """The blocks of each document one after the other: a reader follows it from top to bottom."""
    for document in DOCUMENTS:
        blocks = [match.group(1) for match in FENCE.finditer(document.read_text())]
        if blocks:
            yield pytest.param(blocks, id=str(document.relative_to(ROOT)))


def dev_commands(script):
    lines = (line.split("#")[0].strip() for line in script.splitlines())
    return [line for line in lines if line.startswith("./dev")]


def check_dev_commands(commands):
    for command in commands:
        verb = shlex.split(command)[1]
        shown = subprocess.run([ROOT / "dev", verb, "--help"], capture_output=True, text=True)
        assert shown.returncode == 0, f"{command}: no such verb"
        for option in re.findall(r"--[a-z-]+", command):
            assert option in shown.stdout, f"{command}: no such option {option}"


@pytest.mark.parametrize("blocks", scripts())
def test_document_runs(blocks, server, tmp_path):
    for block in blocks:
        check_dev_commands(dev_commands(block))
    script = "\n".join(block for block in blocks if not dev_commands(block))
    binary = os.environ["REELHOUSE_BIN"]
    text = script.replace(LOCAL, server.url).replace("build/release/reelhouse", binary)
    text = text.replace("/tmp/", f"{tmp_path}/")
    environment = os.environ | {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, f"{text}\n--- output\n{done.stdout}\n{done.stderr}"
    for clip in tmp_path.glob("clip.mp4"):
        frames = subprocess.run(
            ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
             "stream=nb_read_frames", "-of", "csv=p=0", clip],
            capture_output=True, text=True, check=True)
        assert frames.stdout.strip(",\n") == "100", "4 seconds of 25 frames"


def test_there_are_documents_with_commands():
    assert sum(1 for _ in scripts()) >= 2

"""Media and commands for the tests of the command line. The server comes from tests/conftest.py."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from media_check import make_clip


class Cli:
    """The binary, pointed at one server."""

    def __init__(self, url: str):
        self.binary = os.environ["REELHOUSE_BIN"]
        self.url = url

    def words(self, *words) -> list[str]:
        return [self.binary, *map(str, words)]

    def environment(self) -> dict:
        return {**os.environ, "REELHOUSE_URL": self.url}

    def start(self, *words, **options) -> subprocess.Popen:
        return subprocess.Popen(self.words(*words), env=self.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **options)

    def run(self, *words, code: int = 0, **options) -> subprocess.CompletedProcess:
        options.setdefault("env", self.environment())
        done = subprocess.run(self.words(*words), capture_output=True, timeout=900, **options)
        assert done.returncode == code, (words, done.stdout.decode(), done.stderr.decode())
        return done

    def ingest(self, *words, **options) -> dict:
        """The report, with flows by role under "video" and "audio"."""
        done = self.run("ingest", "--json", "--quiet", *words, **options)
        report = json.loads(done.stdout)
        return report | {flow["role"]: flow for flow in report["flows"]}

    def export(self, flow: str, timerange: str, path: Path, *words) -> str:
        """What it said, with the clip in `path`."""
        return self.run("export", flow, timerange, "-o", path, *words).stderr.decode()


@pytest.fixture
def cli(server) -> Cli:
    return Cli(server.url)


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """Twelve seconds; a key frame every 45 frames (1.5015 s)."""
    return make_clip(tmp_path_factory.mktemp("media") / "clip.mp4", 12)


@pytest.fixture(scope="session")
def other_clip(tmp_path_factory) -> Path:
    """Another picture, the same codec parameters."""
    return make_clip(tmp_path_factory.mktemp("media") / "other.mp4", 12, tone=880, picture="smptebars")

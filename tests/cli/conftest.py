"""Media and commands for the tests of the command line. The server comes from tests/conftest.py."""

import json
import os
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

import media_check

RATE = Fraction(30000, 1001)


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


def make_clip(path: Path, seconds: int, *, group: int = 45, tone: int = 440, size: str = "320x180",
              picture: str = "testsrc2") -> Path:
    """29.97 frames a second with B-frames that refer to each other, and AAC."""
    media_check.ffmpeg(
        "-f", "lavfi", "-i", f"{picture}=size={size}:rate=30000/1001:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=48000:duration={seconds}",
        "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "3", "-b_strategy", "0",
        "-g", group, "-sc_threshold", "0", "-x264-params", "b-pyramid=normal", "-c:a", "aac", path)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """Twelve seconds; a key frame every 45 frames (1.5015 s)."""
    return make_clip(tmp_path_factory.mktemp("media") / "clip.mp4", 12)


@pytest.fixture(scope="session")
def other_clip(tmp_path_factory) -> Path:
    """Another picture, the same codec parameters."""
    return make_clip(tmp_path_factory.mktemp("media") / "other.mp4", 12, tone=880, picture="smptebars")


def frames_within(start: int, end: int, count: int, rate: Fraction = RATE) -> range:
    """Numbers of the frames whose time in whole nanoseconds lies in [start, end)."""
    times = [round(n / rate * media_check.NANOSECONDS) for n in range(count)]
    inside = [n for n, time in enumerate(times) if start <= time < end]
    return range(inside[0], inside[-1] + 1)

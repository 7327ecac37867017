"""./dev build and clean: CMake and Ninja through the presets of CMakePresets.json."""
import json
import os
import subprocess
from dataclasses import dataclass

from dev import packages, shell

PRESETS = [entry["name"] for entry in json.loads((shell.ROOT / "CMakePresets.json").read_text())["buildPresets"]]


def folder(preset: str):
    return shell.ROOT / "build" / preset


def configure(preset: str) -> None:
    """Always asked for, a third of a second: it notices changed presets and newly installed libraries."""
    shell.run(["cmake", "--preset", preset, "--log-level=NOTICE"], stdout=subprocess.DEVNULL)


def build(preset: str, targets: list[str]) -> None:
    """Configures, then builds the targets, or everything."""
    configure(preset)
    compile_(preset, targets)


def compile_(preset: str, targets: list[str]) -> None:
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(shell.CORES))
    selected = ["--target", *targets] if targets else []
    shell.run(["cmake", "--build", folder(preset), "--parallel", jobs, *selected])


def main(preset: str, targets: list[str]) -> None:
    packages.setup("all")  # everything builds, benchmarks too
    build(preset, targets)


def package() -> None:
    """The release as build/release/reelhouse_<version>_<architecture>.deb; cmake/package.cmake says what is in it."""
    packages.setup("package")
    build("release", ["reelhouse"])
    shell.run(["cpack", "--config", folder("release") / "CPackConfig.cmake", "-B", folder("release")])


@dataclass(frozen=True)
class Program:
    """A test executable that CMake registered: kind is "unit" or "fuzz"."""
    name: str
    kind: str

    @property
    def source(self) -> str:
        """What it tests, relative to the checkout: src/store/sqlite or fuzz/range_fuzz.cc."""
        if self.kind == "fuzz":
            return f"fuzz/{self.name}.cc"
        return "src/" + self.name.removesuffix("_test").replace("_", "/")


def test_programs(preset: str) -> list[Program]:
    listing = json.loads(shell.output(["ctest", "--test-dir", str(folder(preset)), "--show-only=json-v1"]))
    found = []
    for test in listing["tests"]:
        labels = [entry["value"] for entry in test["properties"] if entry["name"] == "LABELS"]
        found.append(Program(test["name"], labels[0][0]))
    return found


def clean() -> None:
    shell.run(["rm", "-rf", shell.ROOT / "build"])

"""./dev test: every suite, or those that PATHs select; prints one line per suite and counts at the end."""
import json
import os
import random
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dev import build, packages, shell

PYTHON = "/usr/bin/python3"  # Debian's: it is the one that has Debian's python3-pytest
SUITE_SECONDS_MAX = 1200
SANITIZERS = ("asan", "tsan")
TIDY = "tests/tidy"  # reads sources only: no binary to build, nothing to repeat under another preset


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Counts") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Suite:
    """One process whose report, if its kind writes one, holds the counts."""
    name: str
    kind: str  # "unit", "fuzz" or "pytest"
    command: list[str]
    report: Path


@dataclass
class Selection:
    """What to run: test programs with their gtest filters ("" = all), and pytest arguments by suite."""
    programs: dict[build.Program, str]
    pytest: dict[str, list[str]]

    def targets(self) -> list[str]:
        needs_server = any(not name.startswith(TIDY) for name in self.pytest)
        return ([program.name for program in self.programs] + ["reelhouse"] * needs_server
                + sorted({source.stem for name in self.pytest for source in sources_beside(shell.ROOT / name)}))


def sources_beside(place: Path) -> list[Path]:
    """Programs in C++ that the tests of a folder run."""
    return list((place if place.is_dir() else place.parent).glob("*.cc"))


def everything(preset: str) -> Selection:
    folders = sorted({file.parent for file in (shell.ROOT / "tests").rglob("test_*.py")})
    suites = {str(folder.relative_to(shell.ROOT)): [str(file) for file in sorted(folder.glob("test_*.py"))]
              for folder in folders}
    return Selection({program: "" for program in build.test_programs(preset)}, suites)


def gtest_filter(source: Path) -> str:
    """Selects the test suites that a file defines, also as instances of a parameter or a type."""
    suites = re.findall(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)", source.read_text(), re.MULTILINE)
    return ":".join(f"{name}.*:{name}/*:*/{name}.*:*/{name}/*" for name in sorted(set(suites)))


def chosen(preset: str, arguments: list[str]) -> Selection:
    selection = Selection({}, {})
    for argument in arguments:
        name, _, _ = argument.partition("::")
        path = Path(name).resolve()
        if not path.exists() or not path.is_relative_to(shell.ROOT):
            raise shell.Failed(f"{name}: no such path in this checkout", 2)
        place = path.relative_to(shell.ROOT)
        if place.parts[0] == "tests":
            selection.pytest[str(place)] = [argument]
            continue
        owners = [str(place), str(place.parent)] if path.is_file() else [str(place)]
        programs = [program for program in build.test_programs(preset)
                    if program.source in owners or path.is_dir() and Path(program.source).is_relative_to(place)]
        if not programs:
            raise shell.Failed(f"{name}: no test belongs to it", 2)
        wanted = gtest_filter(path) if path.name.endswith("_test.cc") else ""
        for program in programs:
            before = selection.programs.get(program)
            if before is None:
                selection.programs[program] = wanted
            else:
                selection.programs[program] = f"{before}:{wanted}" if before and wanted else ""
    return selection


def suites(selection: Selection, preset: str, full: bool, seed: int) -> list[Suite]:
    binaries = build.folder(preset)
    reports = binaries / "reports"
    reports.mkdir(exist_ok=True)
    planned = []
    for name, arguments in selection.pytest.items():
        report = reports / f"{name.replace('/', '_')}.xml"
        marker = [] if full else ["-m", "not full"]
        planned.append(Suite(name, "pytest", [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *marker,
                                              f"--junit-xml={report}", *arguments], report))
    for program, wanted in selection.programs.items():
        report = reports / f"{program.name}.json"
        command = [str(binaries / program.name)]
        if program.kind == "unit":
            command += ["--gtest_brief=1", "--gtest_shuffle", f"--gtest_random_seed={seed % 100_000}",
                        f"--gtest_output=json:{report}"] + [f"--gtest_filter={wanted}"] * bool(wanted)
        else:
            command.append(str(shell.ROOT / "fuzz" / "corpus" / program.name.removesuffix("_fuzz")))
        planned.append(Suite(program.name, program.kind, command, report))
    return planned


def environment(preset: str, seed: int, full: bool) -> dict[str, str]:
    return os.environ | ({"REELHOUSE_FULL": "1"} if full else {}) | {
        "REELHOUSE_BIN": str(build.folder(preset) / "reelhouse"),
        "REELHOUSE_SEED": str(seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ASAN_OPTIONS": "detect_stack_use_after_return=1",
        "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19",
        "LSAN_OPTIONS": f"suppressions={Path(__file__).parent}/lsan_suppressions.txt:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": "external_symbolizer_path=/usr/bin/llvm-symbolizer-19"
                        f":suppressions={Path(__file__).parent}/tsan_suppressions.txt",
    }


def count_unit(report: Path) -> Counts:
    counts = Counts()
    for suite in json.loads(report.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            if case.get("failures"):
                counts.failed += 1
            elif case["result"] == "COMPLETED":
                counts.passed += 1
            else:
                counts.skipped += 1
    return counts


def count_pytest(report: Path) -> Counts:
    counts = Counts()
    for suite in ElementTree.parse(report).iter("testsuite"):
        failed = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        counts.add(Counts(int(suite.get("tests")) - failed - skipped, failed, skipped))
    return counts


def execute(command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """Runs one suite in a session of its own, so that a hung one ends with all the processes it started."""
    process = subprocess.Popen(command, cwd=shell.ROOT, env=variables, text=True, errors="replace",
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        text, _ = process.communicate(timeout=SUITE_SECONDS_MAX)
        return process.returncode, text
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return 1, process.communicate()[0] + f"\nkilled after {SUITE_SECONDS_MAX} s\n"


def run_suite(suite: Suite, preset: str, seed: int, full: bool) -> Counts:
    suite.report.unlink(missing_ok=True)
    start = time.monotonic()
    code, text = execute(suite.command, environment(preset, seed, full))
    counts = Counts()
    if suite.kind == "fuzz":
        counts.passed = int(code == 0)
    elif suite.report.exists():
        counts = count_unit(suite.report) if suite.kind == "unit" else count_pytest(suite.report)
    nothing_selected = suite.kind == "pytest" and code == 5
    if code and not counts.failed and not nothing_selected:
        counts.failed += 1  # it crashed, or a sanitizer objected at exit
    mark = "FAILED" if counts.failed else "ok"
    line = f"{mark:6} {preset:7} {suite.name:24} {counts}, {time.monotonic() - start:.1f} s"
    if counts.failed:
        shown = " ".join(suite.command)
        line = f"{text.rstrip()}\n+ {shown}\n{line}"
    print(line, flush=True)
    return counts


def run_preset(preset: str, arguments, seed: int, again: bool) -> Counts:
    """Builds and runs one preset; `again` leaves out what does not depend on the preset."""
    build.configure(preset)
    selection = chosen(preset, arguments.paths) if arguments.paths else everything(preset)
    if again:
        selection.pytest = {name: words for name, words in selection.pytest.items() if not name.startswith(TIDY)}
    if not arguments.paths:
        build.compile_(preset, [])
    elif targets := selection.targets():
        build.compile_(preset, targets)
    total = Counts()
    with ThreadPoolExecutor(shell.CORES) as pool:
        planned = suites(selection, preset, arguments.full, seed)
        for counts in pool.map(lambda suite: run_suite(suite, preset, seed, arguments.full), planned):
            total.add(counts)
    return total


def main(arguments) -> int:
    packages.setup("test")
    seed = random.randrange(1, 100_000) if arguments.seed is None else arguments.seed
    presets = [arguments.preset]
    if arguments.full:
        presets += [preset for preset in SANITIZERS if preset != arguments.preset]
    total = Counts()
    for preset in presets:
        try:
            total.add(run_preset(preset, arguments, seed, again=preset != presets[0]))
        except shell.Failed as failure:
            print(f"FAILED {preset:7} {failure}", flush=True)
            total.failed += 1
    print(f"seed {seed}: ./dev test --seed {seed} repeats the random choices")
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0

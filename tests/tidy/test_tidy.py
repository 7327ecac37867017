"""Holds the tree against the rules of the house (rules.py)."""
import subprocess
from pathlib import Path

import pytest
import rules

ROOT = Path(__file__).resolve().parents[2]
SELF = "tests/tidy/"  # spells out, as samples, what it forbids


def listed() -> set[str]:
    """The files of the checkout, committed or about to be."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, text=True, capture_output=True).stdout.splitlines()
    return {name for name in names if (ROOT / name).is_file()}


PATHS = listed()
GRAPH = rules.parse_graph((ROOT / "cmake/modules.cmake").read_text())
CPP = sorted(path for path in PATHS if path.endswith((".h", ".cc")))
CODE = sorted(path for path in PATHS if path.endswith((".h", ".cc", ".py", ".cmake", ".ts", ".sh", ".toml")))


def text_of(path: str) -> str:
    """The text of a file, nothing if it is binary."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def sources_check(path: str) -> list[str]:
    text = text_of(path)
    findings = rules.check_size(path, text)
    if not path.startswith(SELF):
        findings += rules.check_marks(path, text)
    if path in CPP:
        findings += rules.check_printing(path, text) + rules.check_includes(GRAPH, path, text)
        if not rules.is_test(path):
            findings += rules.check_functions(path, text)
    return rules.apply_waivers(path, text, findings) if not path.startswith(SELF) else findings


def report(findings: list[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_the_tree_has_sources_and_a_graph():
    assert CPP and GRAPH


@pytest.mark.parametrize("folder", sorted({str(Path(path).parent) for path in CODE}))
def test_sources(folder):
    report([finding for path in CODE if str(Path(path).parent) == folder for finding in sources_check(path)])


def test_every_source_belongs_to_a_module():
    report([finding for path in CPP if path.startswith("src/") for finding in rules.check_owner(GRAPH, path)])


@pytest.mark.parametrize("module", GRAPH.values(), ids=lambda module: module.name)
def test_module_has_a_readme(module):
    report(rules.check_readme(module, PATHS))


def test_edges_point_down():
    """CMake refuses a dependency that is declared later, so the order of the file is bottom up; this says it here too."""
    seen = set()
    for module in GRAPH.values():
        assert seen.issuperset(module.depends), f"{module.name} depends on a module that is declared after it"
        seen.add(module.name)


def test_no_machine_and_no_registry_is_named():
    report([finding for path in sorted(PATHS) if not path.startswith(SELF)
            for finding in rules.check_places(path, text_of(path))])

"""docs/formats/exr-findings.md lists exactly the codes that the source knows, with their severities."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_page_and_source_say_the_same():
    source = "".join(path.read_text() for path in sorted((ROOT / "src/exr").glob("*.h")))
    rules = re.findall(r'\bRule k\w+\{"(\w+)",\s*Severity::(\w+)\}', source)
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| \S", (ROOT / "docs/formats/exr-findings.md").read_text(), re.MULTILINE)
    assert len(rules) > 50 and len(dict(rules)) == len(rules), "a code is one rule"
    assert sorted(rows) == sorted(rules)

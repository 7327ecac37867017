"""Files of records in sqllogictest form, executed with `reelhouse sql`.

A record is `statement ok`, `statement error [pattern]` or `query [sort]`, then SQL up to a blank line or, of a query, to
`----` and the expected rows: one line each, cells between tabs. `restart` ends the process, as an error does: what
follows finds what is on disk. Records that may follow each other are given to one process.
"""
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Record:
    line: int
    kind: str  # "ok", "error", "query" or "restart"
    argument: str = ""
    sql: str = ""
    expected: list[str] = field(default_factory=list)


def parse(path: Path) -> list[Record]:
    records, lines, at = [], path.read_text().splitlines(), 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=2)
        if words[0] == "restart":
            records.append(Record(at, "restart"))
            continue
        if words[0] == "statement":
            record = Record(at, words[1], words[2] if len(words) > 2 else "")
        elif words[0] == "query":
            record = Record(at, "query", words[1] if len(words) > 1 else "")
        else:
            raise ValueError(f"{path}:{at}: a record begins with statement, query or restart, not {words[0]}")
        sql = []
        while at < len(lines) and lines[at].strip() and lines[at] != "----":
            sql.append(lines[at])
            at += 1
        if at < len(lines) and lines[at] == "----":
            at += 1
            while at < len(lines) and lines[at].strip():
                record.expected.append(lines[at])
                at += 1
        record.sql = "\n".join(sql).rstrip(";")
        records.append(record)
    return records


def batches(records: list[Record]) -> list[list[Record]]:
    """Runs of records for one process each: it ends at a restart and at an expected error."""
    groups, group = [], []
    for record in records:
        if record.kind != "restart":
            group.append(record)
        if record.kind in ("restart", "error"):
            groups.append(group)
            group = []
    return [group for group in [*groups, group] if group]


def cell(value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return value or "(empty)"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def documents(text: str) -> list:
    """The whole JSON documents that stand one after the other in the text; members of objects as pairs."""
    decoder, found, at = json.JSONDecoder(object_pairs_hook=Pairs), [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:  # a query that failed after its first rows
            break
        found.append(document)
    return found


class Pairs(list):
    """The members of an object; two columns may have one name."""


def plain(value):
    if isinstance(value, Pairs):
        return {name: plain(member) for name, member in value}
    return [plain(element) for element in value] if isinstance(value, list) else value


def rows_of(document: list) -> list[str]:
    return ["\t".join(cell(plain(value)) for _, value in row) for row in document]


def check(path: Path, record: Record, result: list | None, error: str) -> str:
    """What is wrong with the outcome of a record, empty when nothing is."""
    where = f"{path.name}:{record.line}: {record.sql}"
    if record.kind == "error":
        if result is not None:
            return f"{where}\n  should have failed"
        return "" if re.search(record.argument, error) else f"{where}\n  wanted /{record.argument}/, got {error}"
    if result is None:
        return f"{where}\n  failed: {error}"
    if record.kind == "query":
        got, wanted = rows_of(result), record.expected
        if record.argument == "sort":
            got, wanted = sorted(got), sorted(wanted)
        if got != wanted:
            return f"{where}\n  wanted {wanted}\n  got    {got}"
    return ""


def run_file(binary: str, path: Path, data: Path) -> list[str]:
    """The findings of a file, executed on a new data directory."""
    findings = []
    for group in batches(parse(path)):
        command = [binary, "sql", "--data-dir", str(data), "--format", "json"]
        script = ";\n".join(record.sql for record in group) + ";\n"
        done = subprocess.run(command, input=script, text=True, capture_output=True, timeout=120)
        if done.returncode not in (0, 1):
            return [*findings, f"{path.name}:{group[0].line}: exit code {done.returncode}: {done.stderr}"]
        results = documents(done.stdout)
        for index, record in enumerate(group):
            result = results[index] if index < len(results) else None
            finding = check(path, record, result, done.stderr.strip())
            if finding:
                findings.append(finding)
                break  # what follows in this process may depend on it
    return findings

"""Files of records in sqllogictest form, executed with `reelhouse sql`.

A record is `statement ok`, `statement error [pattern]` or `query [sort]`, then SQL up to a blank line or, of a query, to
`----` and the expected rows: one line each, cells between tabs. Between records, a line of its own may say:

- `restart`: the process ends here, as it does at an error; what follows finds what is on disk;
- `session` … `end`: these records need one process, whatever the configuration;
- `stock`, before the first record: the file is plain SQL, and stock DuckDB gives the same answers (stock.py);
- `differs REASON`: the next record is meant to end otherwise than with stock DuckDB.
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
    session: int = 0  # the line where its session begins; 0: it needs none
    differs: str = ""  # why stock DuckDB is to answer otherwise


@dataclass
class Script:
    path: Path
    records: list[Record] = field(default_factory=list)
    stock: bool = False


def parse(path: Path) -> Script:
    script, lines, at, session, differs = Script(path), path.read_text().splitlines(), 0, 0, ""
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "session":
            session = at
        elif word == "end":
            session = 0
        elif word == "stock":
            script.stock = True
        elif word == "differs":
            differs = rest
        elif word == "restart":
            script.records.append(Record(at, "restart"))
        elif word in ("statement", "query"):
            kind, _, argument = rest.partition(" ") if word == "statement" else ("query", "", rest)
            record = Record(at, kind, argument, session=session, differs=differs)
            differs, sql = "", []
            while at < len(lines) and lines[at].strip() and lines[at] != "----":
                sql.append(lines[at])
                at += 1
            if at < len(lines) and lines[at] == "----":
                at += 1
                while at < len(lines) and lines[at].strip():
                    record.expected.append(lines[at])
                    at += 1
            record.sql = "\n".join(sql).rstrip(";")
            script.records.append(record)
        else:
            raise ValueError(f"{path}:{at}: a record begins with statement or query, not with {word}")
    return script


def batches(records: list[Record], alone: bool = False) -> list[list[Record]]:
    """Runs of records for one process each: it ends at a restart and at an expected error; if they are to be alone, after
    each record that needs no session."""
    groups, group = [], []
    for record in records:
        if group and (record.kind == "restart" or group[-1].kind == "error" or
                      alone and (not record.session or record.session != group[-1].session)):
            groups.append(group)
            group = []
        if record.kind != "restart":
            group.append(record)
    return [*groups, group] if group else groups


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
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)  # 1e+3 and 1000 are one number
    return [plain(element) for element in value] if isinstance(value, list) else value


def rows_of(document: list) -> list[str]:
    return ["\t".join(cell(plain(value)) for _, value in row) for row in document]


def check(path: Path, record: Record, rows: list[str] | None, error: str) -> str:
    """What is wrong with the outcome of a record, empty when nothing is."""
    where = f"{path.name}:{record.line}: {record.sql}"
    if record.kind == "error":
        if rows is not None:
            return f"{where}\n  should have failed"
        return "" if re.search(record.argument, error) else f"{where}\n  wanted /{record.argument}/, got {error}"
    if rows is None:
        return f"{where}\n  failed: {error}"
    if record.kind == "query":
        got, wanted = rows, record.expected
        if record.argument == "sort":
            got, wanted = sorted(got), sorted(wanted)
        if got != wanted:
            return f"{where}\n  wanted {wanted}\n  got    {got}"
    return ""


def run_file(binary: str, path: Path, data: Path, flags: list[str] = (), alone: bool = False) -> list[str]:
    """The findings of a file, executed on a new data directory."""
    findings = []
    for group in batches(parse(path).records, alone):
        command = [binary, "sql", "--data-dir", str(data), "--format", "json", *flags]
        script = ";\n".join(record.sql for record in group) + ";\n"
        done = subprocess.run(command, input=script, text=True, capture_output=True, timeout=120)
        if done.returncode not in (0, 1):
            return [*findings, f"{path.name}:{group[0].line}: exit code {done.returncode}: {done.stderr}"]
        results = documents(done.stdout)
        for index, record in enumerate(group):
            rows = rows_of(results[index]) if index < len(results) else None
            finding = check(path, record, rows, done.stderr.strip())
            if finding:
                findings.append(finding)
                break  # what follows in this process may depend on it
    return findings

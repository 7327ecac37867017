"""The oracle: a file of plain SQL, executed with DuckDB as it is published on a database in memory.

Which error it is may differ, because ours name our tables' rules; that it is one may not.
"""
import math
import struct
import sys
from pathlib import Path

import sqllogic

ROOT = Path(__file__).resolve().parents[2]


def module():
    """The package that ./dev setup installs, which is of the version that is built into the program."""
    place = ROOT / "build" / "pypi" / "duckdb"
    for folder in map(str, place.glob("lib/python3*/site-packages")):
        if folder not in sys.path:
            sys.path.append(folder)
    import duckdb  # missing? ./dev setup installs it
    return duckdb


def shortest(value: float) -> float:
    """The number with the fewest digits that is the same 32-bit number."""
    for digits in range(1, 10):
        candidate = float(f"{value:.{digits}g}")
        if struct.pack("f", candidate) == struct.pack("f", value):
            return candidate
    return value


def document(value, kind):
    """A value as our JSON has it."""
    if value is None:
        return None
    if kind.id in ("float", "double"):
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return sqllogic.plain(shortest(value) if kind.id == "float" else value)
    if kind.id == "decimal":
        return format(value, "f")
    if kind.id == "blob":
        return value.hex()
    if kind.id in ("list", "array"):
        return [document(element, kind.children[0][1]) for element in value]
    if kind.id == "struct":
        return {name: document(value[name], child) for name, child in kind.children}  # not of row(), without names
    if kind.id == "map":
        return {key: document(value[key], kind.children[1][1]) for key in sorted(value, key=str.encode)}
    if kind.id in ("boolean", "varchar") or kind.id.endswith("int") and not kind.id.endswith("hugeint") or \
            kind.id == "integer" or kind.id == "uinteger":
        return value
    if kind.id in ("hugeint", "uhugeint", "uuid", "date", "enum"):
        return str(value)
    raise NotImplementedError(f"the type {kind}: cast it to text in the test")


def rows_of(cursor) -> list[str]:
    kinds = [column[1] for column in cursor.description or []]
    return ["\t".join(sqllogic.cell(document(value, kind)) for value, kind in zip(row, kinds))
            for row in cursor.fetchall()]


def outcome(connection, record: sqllogic.Record) -> tuple[list[str] | None, str]:
    try:
        return rows_of(connection.execute(record.sql)), ""
    except (module().Error, RuntimeError) as error:
        return None, str(error)


def finding_of(path: Path, connection, record: sqllogic.Record) -> str:
    if not record.differs:
        rows, error = outcome(connection, record)
        if record.kind == "error" and rows is None:
            return ""
        return sqllogic.check(path, record, rows, error)
    connection.execute("BEGIN")
    rows, error = outcome(connection, record)
    connection.execute("ROLLBACK")
    same = record.kind == "error" and rows is None or not sqllogic.check(path, record, rows, error)
    return f"{path.name}:{record.line}: {record.sql}\n  does not differ: {record.differs}" if same else ""


def run_file(path: Path) -> list[str]:
    """The findings of a file."""
    database = module().connect(":memory:")
    database.execute("ATTACH ':memory:' AS reel; SET GLOBAL TimeZone = 'UTC'; SET GLOBAL threads = 1")
    findings = []
    for group in sqllogic.batches(sqllogic.parse(path).records):
        connection = database.cursor()
        connection.execute("USE reel")
        findings += filter(None, (finding_of(path, connection, record) for record in group))
        connection.close()
    return findings

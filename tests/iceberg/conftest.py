"""pyiceberg and pyarrow as ./dev setup installs them, tables that iceberg_writer keeps, and Parquet files for them."""
import datetime
import decimal
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

PYPI = Path(__file__).resolve().parents[2] / "build" / "pypi"
# In front of Debian's packages, some of which are older than pyiceberg needs.
for name in ("pyarrow", "pyiceberg"):
    sys.path[:0] = map(str, (PYPI / name).glob("lib/python3*/site-packages"))

import pyarrow  # noqa: E402
import pyarrow.compute  # noqa: E402
import pyarrow.parquet  # noqa: E402
from pyiceberg.catalog.sql import SqlCatalog  # noqa: E402
from pyiceberg.io.pyarrow import schema_to_pyarrow  # noqa: E402
from pyiceberg.schema import Schema  # noqa: E402
from pyiceberg.table import StaticTable  # noqa: E402

WRITER = Path(os.environ["REELHOUSE_BIN"]).with_name("iceberg_writer")
CATALOG = "reelhouse"


class WriterError(Exception):
    pass


class Writer:
    """Our side of a table: iceberg_writer, spoken to in lines of JSON."""

    def __init__(self, warehouse: Path, *words: str):
        self.warehouse = warehouse
        self.process = subprocess.Popen([WRITER, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.schema = None
        self.files = 0

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0

    def tell(self, what: str, **members):
        self.process.stdin.write(json.dumps({"do": what, **members}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if isinstance(answer, dict) and "error" in answer:
            raise WriterError(f"{answer['error']}: {answer['message']}")
        if isinstance(answer, dict) and "schema" in answer:
            self.schema = Schema.model_validate(answer["schema"])
        return answer

    def parquet(self, rows: list[dict], partition=None) -> dict:
        """A file of rows in the table's present schema, with field ids, as `commit` wants it described."""
        table = pyarrow.Table.from_pylist([{name: value.bytes if isinstance(value, uuid.UUID) else value
                                            for name, value in row.items()} for row in rows],
                                          schema_to_pyarrow(self.schema))
        self.files += 1
        path = self.warehouse / "data" / f"{self.files:05}-{uuid.uuid4()}.parquet"
        path.parent.mkdir(exist_ok=True)
        pyarrow.parquet.write_table(table, path)
        return {"path": str(path), "rows": len(rows), "size": path.stat().st_size,
                "partition": [plain(value) for value in partition or []],
                "metrics": {name: metrics(table[name]) for name in table.column_names}}

    def append(self, rows: list[dict], partition=None, **members):
        return self.tell("commit", added=[self.parquet(rows, partition)], **members)


def plain(value):
    """A value as the store's JSON form has it."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (uuid.UUID, decimal.Decimal, datetime.date)):
        return str(value)
    return value


def metrics(column) -> dict:
    known = {"values": len(column), "nulls": column.null_count}
    values = [value for value in column.to_pylist() if value is not None and value == value]
    if values and not pyarrow.types.is_nested(column.type):
        known |= {"smallest": plain(min(values)), "largest": plain(max(values))}
    return known


@pytest.fixture
def sql_writer(tmp_path):
    """A writer behind the SQLite catalog."""
    writer = Writer(tmp_path, "sql", tmp_path / "catalog.db", CATALOG, tmp_path)
    yield writer
    writer.close()


@pytest.fixture
def directory_writer(tmp_path):
    """A writer of tables that are only folders."""
    writer = Writer(tmp_path, "directory", tmp_path)
    yield writer
    writer.close()


@pytest.fixture(params=["sql", "directory"])
def writer(request):
    return request.getfixturevalue(f"{request.param}_writer")


def catalog_of(writer: Writer) -> SqlCatalog:
    return SqlCatalog(CATALOG, uri=f"sqlite:///{writer.warehouse}/catalog.db", warehouse=f"file://{writer.warehouse}")


def by_catalog(writer: Writer, table: str = "t"):
    return catalog_of(writer).load_table(f"reel.{table}")


def by_folder(writer: Writer, table: str = "t") -> StaticTable:
    return StaticTable.from_metadata(str(writer.warehouse / "reel" / table))


def rows_of(table, **scan) -> list[dict]:
    """What pyiceberg reads, in the order of the ids."""
    return sorted(table.scan(**scan).to_arrow().to_pylist(), key=lambda row: row["id"])

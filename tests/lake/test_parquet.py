"""Files of the lake, read by others: pyarrow and DuckDB find every column by its permanent id."""
import datetime
import json
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from arrow import pyarrow

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "sql"))
import stock  # noqa: E402

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A file with a column of every type, its schema, and its rows as our JSON."""
    folder = tmp_path_factory.mktemp("sample")
    program = Path(os.environ.get("REELHOUSE_BIN") or ROOT / "build" / "dev" / "reelhouse").parent / "lake_test"
    assert program.exists(), f"{program} writes the sample: ./dev build"
    subprocess.run([program, "--gtest_filter=ParquetSinkTest.every_type_reads_back", "--gtest_brief=1"], check=True,
                   env=os.environ | {"REELHOUSE_LAKE_SAMPLE": str(folder)})
    document = json.loads((folder / "sample.json").read_text())
    [file] = folder.rglob("*.parquet")
    return file, document["schema"]["columns"], document["rows"]


def leaf_ids(field) -> list[int]:
    """The ids of a field of an Arrow schema and of all below it."""
    kind = field.type
    below = []
    if pyarrow.types.is_map(kind):
        below = [kind.key_field, kind.item_field]
    elif pyarrow.types.is_list(kind):
        below = [kind.value_field]
    elif pyarrow.types.is_struct(kind):
        below = [kind.field(i) for i in range(kind.num_fields)]
    return [int(field.metadata[b"PARQUET:field_id"]), *(number for child in below for number in leaf_ids(child))]


def test_every_column_and_all_below_it_have_ids(sample):
    file, columns, _ = sample
    schema = pyarrow.parquet.read_schema(file)
    assert [int(field.metadata[b"PARQUET:field_id"]) for field in schema] == [column["id"] for column in columns]
    ids = [number for field in schema for number in leaf_ids(field)]
    assert len(set(ids)) == len(ids)


def test_what_the_file_says_of_itself(sample):
    file, columns, rows = sample
    footer = pyarrow.parquet.ParquetFile(file).metadata
    assert footer.num_rows == len(rows)
    group = footer.row_group(0)
    key = next(i for i in range(group.num_columns) if group.column(i).path_in_schema == "id")
    assert [column.column_index for column in group.sorting_columns] == [key]
    for i in range(group.num_columns):
        assert group.column(i).compression == "ZSTD"
        assert group.column(i).has_column_index and group.column(i).has_offset_index
    statistics = group.column(key).statistics
    assert (statistics.min, statistics.max, statistics.null_count) == (0, len(rows) - 1, 0)
    kinds = {column["name"]: column["type"] for column in columns}
    schema = pyarrow.parquet.ParquetFile(file).schema
    of = {schema.column(i).path: schema.column(i) for i in range(len(schema.names))}
    for name, kind in kinds.items():
        if kind == "uuid":
            assert of[name].logical_type.type == "UUID"
        if kind == "timestamp":
            assert "isAdjustedToUTC=true" in str(of[name].logical_type)


def wanted_type(text: str) -> str:
    """A type of the store as DuckDB's, in the flat case."""
    names = {"bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
             "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT", "float32": "FLOAT",
             "float64": "DOUBLE", "string": "VARCHAR", "binary": "BLOB", "uuid": "UUID", "date": "DATE",
             "timestamp": "TIMESTAMPTZ"}
    return names.get(text) or text.upper()


def test_duckdb_reads_it_by_id_under_other_names_and_with_defaults(sample):
    file, columns, rows = sample
    flat = [column for column in columns if "<" not in column["type"]]
    entries = [f"{column['id']}: {{name: 'n{column['id']}', type: '{wanted_type(column['type'])}', default_value: NULL}}"
               for column in flat]
    entries.append("9999: {name: 'later', type: 'BIGINT', default_value: '42'}")
    moments = ", ".join(f"epoch_us(n{column['id']}) AS n{column['id']}" for column in flat if column["type"] == "timestamp")
    cursor = stock.module().connect()
    cursor.execute(f"SELECT * REPLACE ({moments}) FROM read_parquet('{file}', schema = MAP {{{', '.join(entries)}}}) ORDER BY n2")
    names = [column[0] for column in cursor.description]
    read = [dict(zip(names, row)) for row in cursor.fetchall()]
    assert len(read) == len(rows)
    for got, expected in zip(read, rows):
        assert got["later"] == 42
        for column in flat:
            assert plain(got[f"n{column['id']}"], column["type"]) == plain_json(expected[column["name"]], column["type"])


def test_duckdb_reads_nested_columns(sample):
    file, columns, rows = sample
    cursor = stock.module().connect()
    nested = [column["name"] for column in columns if "<" in column["type"]]
    cursor.execute(f"SELECT {', '.join(nested)} FROM read_parquet('{file}') ORDER BY id")
    kinds = [column[1] for column in cursor.description]
    for got, expected in zip(cursor.fetchall(), rows):
        for name, value, kind in zip(nested, got, kinds):
            assert same(stock.document(value, kind), expected[name]), name


def same(got, expected) -> bool:
    """uint64 is a decimal in the file, and floats of 32 bits have many texts."""
    if isinstance(got, list) and isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(got, dict) and isinstance(expected, dict):
        return got.keys() == expected.keys() and all(same(got[key], expected[key]) for key in got)
    if isinstance(got, str) and isinstance(expected, int):
        return int(got) == expected
    return got == expected


def plain(value, kind: str):
    if value is None:
        return None
    if kind in ("float32", "float64"):
        return number(value)
    if kind == "binary":
        return bytes(value).hex()
    if kind.startswith("decimal"):
        return format(value, "f")
    return value if kind in INTEGERS | {"bool", "string", "timestamp"} else str(value)


def plain_json(value, kind: str):
    if kind == "timestamp" and value is not None:
        return (datetime.datetime.fromisoformat(value) - EPOCH) // datetime.timedelta(microseconds=1)
    if value is None or kind not in ("float32", "float64"):
        return value
    value = float(value)
    return number(struct.unpack("f", struct.pack("f", value))[0] if kind == "float32" and math.isfinite(value) else value)


def number(value: float):
    return "NaN" if math.isnan(value) else value

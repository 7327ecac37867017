"""pyiceberg reads the tables that we write, and writes into them."""
import datetime
import decimal
import uuid

import pyarrow
import pytest
from conftest import WriterError, by_catalog, by_folder, catalog_of, plain, rows_of
from pyiceberg.expressions import EqualTo, GreaterThan, GreaterThanOrEqual, LessThan
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, HourTransform, MonthTransform, TruncateTransform, YearTransform
from pyiceberg.types import DateType, LongType, NestedField, StringType, TimestamptzType, UUIDType

UTC = datetime.timezone.utc
START = datetime.datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
PLAIN = {"columns": [{"name": "id", "type": "int32", "nullable": False}, {"name": "name", "type": "string"},
                     {"name": "weight", "type": "float32"}], "primary_key": ["id"]}


def row(number: int, **cells) -> dict:
    return {"inserted_at": START + datetime.timedelta(hours=number % 1000), "id": number, **cells}


def named(*numbers: int) -> list[dict]:
    return [row(number, name=f"name {number}", weight=number / 4) for number in numbers]


def readers(writer):
    """The ways to a table that the writer's catalog allows."""
    found = [by_folder(writer)]
    if (writer.warehouse / "catalog.db").exists():
        found.append(by_catalog(writer))
    return found


EVERY_TYPE = [
    ("flag", "bool", True), ("tiny", "int8", -128), ("byte", "uint8", 255), ("small", "int16", -32768),
    ("word", "uint16", 65535), ("int", "int32", -2**31), ("wide", "uint32", 2**32 - 1), ("long", "int64", -2**63),
    ("widest", "uint64", decimal.Decimal(2**64 - 1)), ("single", "float32", 0.25), ("real", "float64", -1e300),
    ("money", "decimal(9,2)", decimal.Decimal("-14.20")), ("time", "decimal(24,9)", decimal.Decimal("1709.000000001")),
    ("text", "string", "ä text that is cut in its bounds"), ("raw", "binary", b"\x00\xff" * 20),
    ("uuid", "uuid", uuid.UUID("f79c3e09-677c-4bbd-a479-3f349cb785e7")), ("at", "timestamp", START),
    ("day", "date", datetime.date(1969, 12, 31)), ("list", "list<string>", ["a", None, "c"]),
    ("vector", "fixed_list<float32,3>", [1.0, 2.0, 3.0]), ("map", "map<string,list<int64>>", [("k", [1, 2])]),
    ("pair", "struct<a:bool,b:struct<c:date>>", {"a": None, "b": {"c": datetime.date(2026, 1, 1)}}),
]


def test_every_type_is_read(writer):
    writer.tell("create", table="t", primary_key=["id"], columns=[{"name": "id", "type": "int32", "nullable": False}, *(
        {"name": name, "type": kind, "doc": f"a {kind}"} for name, kind, _ in EVERY_TYPE)])
    full = row(1, **{name: value for name, _, value in EVERY_TYPE})
    nulls = row(2, **{name: None for name, _, _ in EVERY_TYPE})
    added = writer.parquet([full, nulls])
    added["metrics"]["widest"] |= {key: int(added["metrics"]["widest"][key]) for key in ("smallest", "largest")}
    writer.tell("commit", added=[added])
    for table in readers(writer):
        assert rows_of(table) == [full, nulls]
        assert table.schema().find_field("money").doc == "a decimal(9,2)"
        assert table.schema().identifier_field_names() == {"id"}
        # Bounds that do not hold would hide the file.
        for name, _, value in EVERY_TYPE[:18]:
            literal = plain(value) if isinstance(value, (decimal.Decimal, datetime.date)) else value
            assert len(list(table.scan(row_filter=EqualTo(name, literal)).plan_files())) == 1, name


def test_files_are_passed_over_by_their_bounds(writer):
    writer.tell("create", table="t", **PLAIN)
    for first in (0, 10, 20):
        writer.append(named(*range(first, first + 10)))
    for table in readers(writer):
        planned = {expression: len(list(table.scan(row_filter=expression).plan_files())) for expression in (
            EqualTo("id", 15), LessThan("id", 10), GreaterThanOrEqual("id", 10), GreaterThan("name", "name 9"),
            EqualTo("inserted_at", (START + datetime.timedelta(hours=25)).isoformat()), LessThan("weight", -1.0))}
        assert list(planned.values()) == [1, 1, 2, 0, 1, 0]


def test_time_travel(writer):
    writer.tell("create", table="t", **PLAIN)
    snapshots = [writer.append(named(number), summary={"job": str(number)})["snapshot_id"] for number in (1, 2, 3)]
    for table in readers(writer):
        assert rows_of(table) == named(1, 2, 3)
        for count, snapshot in enumerate(snapshots, 1):
            assert rows_of(table, snapshot_id=snapshot) == named(*range(1, count + 1))
            assert table.snapshot_by_id(snapshot).summary["job"] == str(count)
        assert [entry.snapshot_id for entry in table.history()] == snapshots
        assert table.inspect.snapshots()["parent_id"].to_pylist() == [None, *snapshots[:2]]


def test_evolution(writer):
    writer.tell("create", table="t", **PLAIN)
    first = writer.append(named(1))["snapshot_id"]
    writer.tell("migrate", operations=[
        {"op": "alter_type", "column": "weight", "type": "float64"}, {"op": "drop_column", "column": "name"},
        {"op": "rename_column", "column": "weight", "name": "mass"}, {"op": "add_column", "name": "name", "type": "uuid"},
        {"op": "add_column", "name": "tags", "type": "map<string,string>"}])
    name = uuid.uuid4()
    writer.append([row(2, mass=1e100, name=name, tags=[("a", "b")])])
    # Once more, with no data behind it.
    writer.tell("migrate", operations=[{"op": "add_column", "name": "note", "type": "string"}])
    for table in readers(writer):
        assert rows_of(table) == [row(1, mass=0.25, name=None, tags=None, note=None),
                                  row(2, mass=1e100, name=name, tags=[("a", "b")], note=None)]
        # A snapshot is read with the schema that it had.
        assert rows_of(table, snapshot_id=first) == named(1)
        assert len(table.schemas()) == 3
        assert len(list(table.scan(row_filter=EqualTo("mass", 0.25)).plan_files())) == 1


def test_overwriting_and_deleting(writer):
    writer.tell("create", table="t", **PLAIN)
    files = [writer.parquet(named(number, number + 1)) for number in (1, 3, 5)]
    writer.tell("commit", added=files)
    before = writer.append(named(7))["snapshot_id"]
    writer.tell("commit", added=[writer.parquet(named(40))], removed=[files[1]["path"]])
    for table in readers(writer):
        assert rows_of(table) == named(1, 2, 5, 6, 7, 40)
        assert rows_of(table, snapshot_id=before) == named(1, 2, 3, 4, 5, 6, 7)
        summary = table.current_snapshot().summary
        assert summary.operation.value == "overwrite"
        assert (summary["total-records"], summary["deleted-records"], summary["total-data-files"]) == ("6", "2", "4")
        statuses = sorted(table.inspect.entries()["status"].to_pylist())
        assert statuses == [0, 0, 1, 1, 2]
        assert sorted(table.inspect.manifests()["deleted_data_files_count"].to_pylist()) == [0, 0, 1]
    with pytest.raises(WriterError, match="conflict: .* is no file of the table"):
        writer.tell("commit", removed=[files[1]["path"]])
    writer.tell("commit", removed=[files[0]["path"], files[2]["path"]])
    for table in readers(writer):
        assert table.current_snapshot().summary.operation.value == "delete"
        assert rows_of(table) == named(7, 40)


def test_expiry(writer):
    writer.tell("create", table="t", **PLAIN)
    files = []
    for number in (1, 2, 3):
        files.append(writer.parquet(named(number)))
        writer.tell("commit", added=[files[-1]])
    writer.tell("commit", added=[writer.parquet(named(4))], removed=[files[0]["path"]])
    gone = writer.tell("expire", snapshots=2)
    # The first file is still in the snapshot before the last one.
    assert gone["data"] == []
    for table in readers(writer):
        assert rows_of(table) == named(2, 3, 4)
        [before, now] = table.snapshots()
        assert rows_of(table, snapshot_id=before.snapshot_id) == named(1, 2, 3)
        assert [entry.snapshot_id for entry in table.history()] == [before.snapshot_id, now.snapshot_id]
    gone = writer.tell("expire", snapshots=1)
    assert gone["data"] == [f"file://{files[0]['path']}"]
    for table in readers(writer):
        assert rows_of(table) == named(2, 3, 4)
        assert len(table.snapshots()) == 1


def test_a_commit_of_the_same_name_is_one_commit(writer):
    writer.tell("create", table="t", **PLAIN)
    added = writer.parquet(named(1))
    first = writer.tell("commit", added=[added], commit_id="range 7")
    again = writer.tell("commit", added=[added], commit_id="range 7")
    assert again == {"snapshot_id": first["snapshot_id"], "was_done": True}
    for table in readers(writer):
        assert rows_of(table) == named(1)


PARTITIONED = {
    "columns": [{"name": "id", "type": "int64", "nullable": False}, {"name": "key", "type": "uuid"},
                {"name": "name", "type": "string"}, {"name": "at", "type": "timestamp"}, {"name": "day", "type": "date"},
                {"name": "price", "type": "decimal(9,2)"}],
    "primary_key": ["id"],
    "partition": [{"column": "id", "transform": "bucket[16]", "name": "id_bucket"},
                  {"column": "key", "transform": "bucket[5]", "name": "key_bucket"},
                  {"column": "name", "transform": "bucket[7]", "name": "name_bucket"},
                  {"column": "name", "transform": "truncate[3]", "name": "name_start"},
                  {"column": "id", "transform": "truncate[10]", "name": "id_ten"},
                  {"column": "at", "transform": "year", "name": "at_year"},
                  {"column": "at", "transform": "month", "name": "at_month"},
                  {"column": "at", "transform": "day", "name": "at_day"},
                  {"column": "at", "transform": "hour", "name": "at_hour"},
                  {"column": "day", "transform": "identity", "name": "the day"},
                  {"column": "price", "transform": "identity", "name": "price"},
                  {"column": "price", "transform": "bucket[9]", "name": "price_bucket"},
                  {"column": "key", "transform": "identity", "name": "key"},
                  {"column": "at", "transform": "identity", "name": "1st at"},
                  {"column": "day", "transform": "void", "name": "nothing"}]}


def test_partitions(writer):
    writer.tell("create", table="t", **PARTITIONED)
    rows = [row(-5, key=uuid.UUID("f79c3e09-677c-4bbd-a479-3f349cb785e7"), name="äöüß", at=datetime.datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
                day=datetime.date(1900, 2, 28), price=decimal.Decimal("-14.20")),
            row(2**40, key=uuid.UUID("0db3e2a8-9d1d-42b9-aa7b-74ebe558dceb"), name="iceberg", at=START, day=datetime.date(2026, 2, 28),
                price=decimal.Decimal("1234567.89")),
            row(3, key=None, name=None, at=None, day=None, price=None)]
    for cells in rows:
        writer.append([cells], [cells[field["column"]] for field in PARTITIONED["partition"]])
    # pyiceberg's own transforms are the judges of the partition values.
    transforms = {"id_bucket": (BucketTransform(16), LongType(), "id"), "key_bucket": (BucketTransform(5), UUIDType(), "key"),
                  "name_bucket": (BucketTransform(7), StringType(), "name"), "id_ten": (TruncateTransform(10), LongType(), "id"),
                  "name_start": (TruncateTransform(3), StringType(), "name"), "at_year": (YearTransform(), TimestamptzType(), "at"),
                  "at_month": (MonthTransform(), TimestamptzType(), "at"), "at_day": (DayTransform(), TimestamptzType(), "at"),
                  "at_hour": (HourTransform(), TimestamptzType(), "at")}
    for table in readers(writer):
        assert rows_of(table) == sorted(rows, key=lambda cells: cells["id"])
        names = [field.name for field in table.spec().fields]
        assert names == [field["name"] for field in PARTITIONED["partition"]]
        tasks = {task.file.lower_bounds[2]: task.file for task in table.scan().plan_files()}
        for cells in rows:
            values = dict(zip(names, tasks[cells["id"].to_bytes(8, "little", signed=True)].partition))
            assert values["nothing"] is None
            assert values["price"] == cells["price"]
            for name, (transform, kind, source) in transforms.items():
                value = cells[source]
                if isinstance(value, datetime.datetime):
                    value = round((value - datetime.datetime(1970, 1, 1, tzinfo=UTC)) / datetime.timedelta(microseconds=1))
                assert values[name] == transform.transform(kind)(value), (name, value)
        # By partition, as our manifests and their list describe them.
        assert len(list(table.scan(row_filter=EqualTo("name", "iceberg")).plan_files())) == 1
        assert len(list(table.scan(row_filter=EqualTo("day", "2026-02-28")).plan_files())) == 1
        assert len(list(table.scan(row_filter=GreaterThanOrEqual("at", START.isoformat())).plan_files())) == 1


def test_pyiceberg_writes_and_we_go_on(sql_writer):
    writer = sql_writer
    writer.tell("create", table="t", **PLAIN)
    writer.append(named(1, 2))
    theirs = by_catalog(writer)
    arrow = theirs.schema().as_arrow()
    theirs.append(pyarrow.Table.from_pylist(named(3, 4), arrow))
    assert [file["rows"] for file in writer.tell("files")] == [2, 2]
    writer.append(named(5))
    assert rows_of(by_catalog(writer)) == named(1, 2, 3, 4, 5)
    assert rows_of(by_folder(writer)) == named(1, 2, 3, 4, 5)

    # They overwrite a file of ours, we remove one of theirs.
    theirs = by_catalog(writer)
    theirs.overwrite(pyarrow.Table.from_pylist(named(1), arrow), overwrite_filter=LessThan("id", 3))
    assert rows_of(by_catalog(writer)) == named(1, 3, 4, 5)
    [appended] = [file for file in writer.tell("files") if file["rows"] == 2]
    writer.tell("commit", removed=[appended["location"].removeprefix("file://")])
    assert rows_of(by_catalog(writer)) == named(1, 5)
    assert by_catalog(writer).current_snapshot().summary["total-records"] == "2"

    # They evolve, tag and expire; all of it stays what it is through our next commit.
    theirs = by_catalog(writer)
    with theirs.update_schema() as update:
        update.add_column("theirs", DateType())
    with theirs.manage_snapshots() as manage:
        manage.create_tag(theirs.current_snapshot().snapshot_id, "kept")
    theirs.append(pyarrow.Table.from_pylist([{**named(6)[0], "theirs": datetime.date(2026, 1, 1)}], theirs.schema().as_arrow()))
    writer.append(named(7))
    writer.tell("expire", snapshots=1)
    after = by_catalog(writer)
    assert [cells["id"] for cells in rows_of(after)] == [1, 5, 6, 7]
    assert rows_of(after)[2]["theirs"] == datetime.date(2026, 1, 1)
    assert len(after.snapshots()) == 2
    tagged = after.metadata.refs["kept"].snapshot_id
    assert [cells["id"] for cells in rows_of(after, snapshot_id=tagged)] == [1, 5]


def test_pyiceberg_creates_and_we_append(sql_writer):
    catalog = catalog_of(sql_writer)
    catalog.create_namespace_if_not_exists("reel")
    catalog.create_table("reel.theirs", Schema(NestedField(1, "id", LongType(), required=True),
                                               NestedField(2, "name", StringType())))
    sql_writer.tell("load", table="theirs")
    table = pyarrow.Table.from_pylist([{"id": 1, "name": "a"}], by_catalog(sql_writer, "theirs").schema().as_arrow())
    path = sql_writer.warehouse / "theirs.parquet"
    pyarrow.parquet.write_table(table, path)
    sql_writer.tell("commit", added=[{"path": str(path), "rows": 1, "size": path.stat().st_size}])
    assert rows_of(by_catalog(sql_writer, "theirs")) == [{"id": 1, "name": "a"}]


def test_both_catalog_and_folder_show_a_table_among_others(sql_writer):
    sql_writer.tell("create", table="t", **PLAIN)
    sql_writer.tell("create", table="u", **PLAIN)
    catalog = catalog_of(sql_writer)
    assert catalog.list_namespaces() == [("reel",)]
    assert sorted(catalog.list_tables("reel")) == [("reel", "t"), ("reel", "u")]
    assert rows_of(by_catalog(sql_writer, "u")) == []

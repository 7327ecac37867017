#include "lake/view_schema.h"

#include <gtest/gtest.h>

#include "lake/test_folder.h"
#include "store/migration.h"

namespace reel::lake {
namespace {

using store::Field;
using store::TableSchema;
using store::Type;
using store::TypeKind;
using store::Value;
using testing::value_of;

Type strings() { return Type::of(TypeKind::string); }
Type properties() {
  return Type::list(Type::structure(
      {Field{.name = "key", .type = strings()}, Field{.name = "value", .type = strings()}}));
}

//! The log of a game engine: what the plan that users hold in hand is about.
TableSchema log_entries() {
  return value_of(store::make_schema(
      7, {.name = "log_entries",
          .columns = {{.name = "process_id", .type = Type::of(TypeKind::uuid), .nullable = false},
                      {.name = "time", .type = Type::of(TypeKind::timestamp), .nullable = false},
                      {.name = "level", .type = Type::of(TypeKind::int32), .nullable = false},
                      {.name = "target", .type = strings()},
                      {.name = "properties", .type = properties()}},
          .partition_key = {"process_id"},
          .clustering_key = {"time"}}));
}

TableSchema after(const TableSchema& schema, const std::vector<store::Operation>& operations) {
  return value_of(store::plan_migration(schema, operations, Instant{1})).schema;
}

store::Operation add(std::string name, Type type, Value initial = {}) {
  const bool nullable = initial.is_null();
  return store::AddColumn{{.name = std::move(name),
                           .type = std::move(type),
                           .nullable = nullable,
                           .default_value = std::move(initial)}};
}

Verdict verdict(const TableSchema& old, const TableSchema& current, bool source_exists = true) {
  return classify({.table = old}, {.table = current}, source_exists);
}

std::string hex(const TableSchema& schema) { return to_hex(schema_hash(schema)); }

TEST(SchemaHashTest, golden_values) {
  EXPECT_EQ(hex(log_entries()), "241d0f6c8510c81271eca508827113ebb7804202aa78305b644802e3ebfc732b");
  EXPECT_EQ(hex(after(log_entries(), {add("depth", Type::of(TypeKind::int64), 0)})),
            "06dc0da55fdaaaf40e23b3944ede8cc6bc47b62d2ad8408962e07304397b07d4");
}

TEST(SchemaHashTest, names_order_and_documentation_are_display_only) {
  const TableSchema shown_otherwise =
      after(log_entries(), {store::RenameColumn{"level", "severity"},
                            store::SetDoc{"target", "where it comes from"},
                            store::Reorder{{"target"}}, store::SetDefault{"target", "engine"}});
  EXPECT_EQ(hex(shown_otherwise), hex(log_entries()));
  EXPECT_EQ(verdict(log_entries(), shown_otherwise).compatibility, Compatibility::identical);
}

TEST(SchemaHashTest, ids_types_nullability_and_initial_defaults_count) {
  const TableSchema base = after(log_entries(), {add("depth", Type::of(TypeKind::int32), 0)});
  std::set<std::string> hashes = {hex(log_entries()), hex(base)};
  hashes.insert(
      hex(after(base, {store::DropColumn{"depth"}, add("depth", Type::of(TypeKind::int32), 0)})));
  hashes.insert(hex(after(base, {store::AlterType{"depth", Type::of(TypeKind::int64)}})));
  hashes.insert(hex(after(base, {store::SetNullable{"depth", true}})));
  hashes.insert(hex(after(log_entries(), {add("depth", Type::of(TypeKind::int32), 1)})));
  hashes.insert(hex(after(log_entries(), {add("depth", Type::decimal(9, 2), store::Decimal{0})})));
  EXPECT_EQ(hashes.size(), 7U);
}

TEST(ClassifyTest, what_a_scan_by_column_id_can_read) {
  const TableSchema base = after(log_entries(), {add("size", Type::of(TypeKind::int8)),
                                                 add("share", Type::of(TypeKind::float32)),
                                                 add("price", Type::decimal(6, 2))});
  const auto became = [&](const store::Operation& operation) {
    return verdict(base, after(base, {operation}));
  };
  const auto wider = became(store::AlterType{"size", Type::of(TypeKind::int64)});
  EXPECT_EQ(wider.compatibility, Compatibility::readable);
  EXPECT_EQ(wider.reason, "column 'size' was int8 and is int64");
  EXPECT_EQ(became(store::AlterType{"share", Type::of(TypeKind::float64)}).compatibility,
            Compatibility::readable);
  EXPECT_EQ(became(store::AlterType{"price", Type::decimal(9, 2)}).compatibility,
            Compatibility::readable);
  EXPECT_EQ(became(store::SetNullable{"level", true}).reason, "column 'level' may be null now");
  const auto dropped = became(store::DropColumn{"share"});
  EXPECT_EQ(dropped.compatibility, Compatibility::readable);
  EXPECT_EQ(dropped.reason, "column 'share' was dropped");
  const auto added = became(add("depth", Type::of(TypeKind::int64), 0));
  EXPECT_EQ(added.compatibility, Compatibility::readable_with_defaults);
  EXPECT_EQ(added.reason, "column 'depth' is new");
}

TEST(ClassifyTest, the_worst_finding_decides_and_says_why) {
  const TableSchema base = log_entries();
  const TableSchema now =
      after(base, {store::DropColumn{"target"}, add("a", strings()), add("b", strings())});
  EXPECT_EQ(verdict(base, now).reason, "column 'a' is new; column 'b' is new");
}

TEST(ClassifyTest, a_column_that_came_back_is_not_in_the_files_of_the_time_between) {
  const TableSchema base = log_entries();
  const TableSchema without = after(base, {store::DropColumn{"target"}});
  const TableSchema again =
      after(without, {store::UndropColumn{base.find("target")->id, "target"}});
  EXPECT_EQ(hex(again), hex(base));
  EXPECT_EQ(verdict(base, again).compatibility, Compatibility::identical);
  EXPECT_EQ(verdict(without, again).compatibility, Compatibility::recompute);
  EXPECT_EQ(verdict(without, again).reason,
            "column 'target' was dropped and has been brought back");
}

TEST(ClassifyTest, another_meaning_is_another_class_however_alike_the_columns_are) {
  const ViewSchema old{.table = log_entries(), .semantics_version = 3};
  const ViewSchema now{.table = log_entries(), .semantics_version = 4};
  EXPECT_EQ(classify(old, now, true).compatibility, Compatibility::recompute);
  EXPECT_EQ(classify(old, now, true).reason, "its values have the meaning of version 3, not 4");
  EXPECT_EQ(classify(old, now, false).compatibility, Compatibility::incompatible);
}

//! A column that keeps its id and has another type: what derived views may do, and tables do not.
TableSchema retyped(TableSchema schema, std::string_view column, Type type) {
  schema.columns[schema.position(column)].type = std::move(type);
  return schema;
}

Result<Value> properties_as_text(const Value& value) {
  std::string text;
  for (const Value& item : value.get<store::ValueList>()) {
    const auto& pair = item.get<store::ValueList>();
    text += pair[0].get<std::string>() + "=" + pair[1].get<std::string>() + ";";
  }
  return Value(text);
}

TEST(ClassifyTest, a_registered_function_makes_a_type_convertible) {
  const ViewSchema old{.table = log_entries()};
  const ViewSchema now{.table = retyped(log_entries(), "properties", strings())};
  EXPECT_EQ(classify(old, now, true).compatibility, Compatibility::recompute);
  const std::vector<Converter> converters = {{.column = old.table.find("properties")->id,
                                              .from = properties(),
                                              .to = strings(),
                                              .convert = properties_as_text}};
  EXPECT_EQ(classify(old, now, false, converters).compatibility, Compatibility::convertible);

  const store::ValueList pair = {"map", "arena"};
  const store::Row row = {Instant{1}, Uuid(), Instant{2}, 3, {}, store::ValueList(1, pair)};
  EXPECT_EQ(value_of(convert_row(old, now, converters, row)).back(), Value("map=arena;"));
}

TEST(ClassifyTest, converting_a_row_projects_it_by_column_id) {
  const ViewSchema old{.table = log_entries()};
  const ViewSchema now{.table =
                           after(old.table, {store::DropColumn{"level"}, store::Reorder{{"target"}},
                                             add("depth", Type::of(TypeKind::int64), 7)})};
  const store::Row row = {Instant{1}, Uuid(), Instant{2}, 3, "engine", {}};
  const store::Row expected = {"engine", Instant{1}, Uuid(), Instant{2}, {}, 7};
  EXPECT_EQ(value_of(convert_row(old, now, {}, row)), expected);
}

//! One schema change of the project that the plan comes from.
struct Bump {
  std::string_view what;
  ViewSchema old;
  ViewSchema now;
  std::vector<Converter> converters = {};
  Compatibility expected;
};

ViewSchema version(TableSchema table, std::uint32_t semantics = 1) {
  return {.table = std::move(table), .semantics_version = semantics};
}

//! Twelve that add a column, several of them not nullable, several in the middle of the others.
void collect_added_columns(std::vector<Bump>& bumps) {
  TableSchema schema = log_entries();
  const auto number = Type::of(TypeKind::int64);
  const auto uuid = Type::of(TypeKind::uuid);
  const auto time = Type::of(TypeKind::timestamp);
  const std::vector<std::pair<std::string_view, store::Operation>> added = {
      {"properties of a process", add("process_properties", properties())},
      {"stream_id", add("stream_id", uuid, Uuid())},
      {"block_id", add("block_id", uuid, Uuid())},
      {"insert_time", add("insert_time", time, Instant{0})},
      {"streams.insert_time", add("streams_insert_time", time)},
      {"depth", add("depth", Type::of(TypeKind::int32), 0)},
      {"hash", add("hash", number, 0)},
      {"streams.format", add("streams_format", strings(), "")},
      {"message", add("msg", strings(), "")},
      {"user", add("username", strings())},
      {"machine", add("computer", strings())},
      {"parent", add("parent_process_id", uuid)},
  };
  for (const auto& [what, operation] : added) {
    const TableSchema next = after(schema, {operation, store::Reorder{{"target", "level"}}});
    bumps.push_back(
        {what, version(schema), version(next), {}, Compatibility::readable_with_defaults});
    schema = next;
  }
}

std::vector<Bump> historic_bumps() {
  std::vector<Bump> bumps;
  collect_added_columns(bumps);
  // Six changed how text is encoded in the file, from dictionaries of int16 to some of int32: text
  // is text here, whatever the writer makes of it.
  for (int i = 0; i < 6; ++i) {
    bumps.push_back({"dictionary keys",
                     version(log_entries()),
                     version(log_entries()),
                     {},
                     Compatibility::identical});
  }
  for (const TypeKind kind : {TypeKind::string, TypeKind::binary, TypeKind::string}) {
    const TableSchema next = retyped(log_entries(), "properties", Type::of(kind));
    bumps.push_back({"list of pairs to JSON",
                     version(log_entries()),
                     version(next),
                     {{.column = next.find("properties")->id,
                       .from = properties(),
                       .to = Type::of(kind),
                       .convert = properties_as_text}},
                     Compatibility::convertible});
  }
  for (std::uint32_t meaning = 1; meaning <= 4; ++meaning) {
    bumps.push_back({"more kinds of events, rows in event time, metadata forced anew",
                     version(log_entries(), meaning),
                     version(log_entries(), meaning + 1),
                     {},
                     Compatibility::recompute});
  }
  return bumps;
}

TEST(ClassifyTest, the_25_historic_bumps) {
  std::map<Compatibility, int> found;
  int readable = 0;
  for (const Bump& bump : historic_bumps()) {
    const auto result = classify(bump.old, bump.now, true, bump.converters);
    EXPECT_EQ(result.compatibility, bump.expected) << bump.what << ": " << result.reason;
    ++found[result.compatibility];
    readable += is_readable(result.compatibility) ? 1 : 0;
    // By the hash alone, as the project did it, all but the encodings would be told apart, and the
    // changes of meaning not at all.
    const bool same = schema_hash(bump.old.table) == schema_hash(bump.now.table);
    EXPECT_EQ(same, bump.expected == Compatibility::identical ||
                        bump.expected == Compatibility::recompute);
  }
  EXPECT_EQ(readable, 18);
  EXPECT_EQ(found[Compatibility::convertible], 3);
  EXPECT_EQ(found[Compatibility::recompute], 4);
}

}  // namespace
}  // namespace reel::lake

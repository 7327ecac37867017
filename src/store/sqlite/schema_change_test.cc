//! Tables that users create, change, drop and bring back, in the engine.

#include <sqlite3.h>

#include "store/sqlite/test_tables.h"

namespace reel::store {
namespace {

using namespace testing;

const Reason kReason{.by = "ann", .comment = "because"};

class SchemaChangeTest : public ::testing::Test {
 protected:
  SchemaChangeTest() { open(); }

  void open() {
    store_.reset();
    SqliteOptions options;
    options.path = directory_.file("store.db");
    options.clock = &clock_;
    store_ = open_store(options);
  }

  //! On the file of a closed store.
  void run_sql(const std::string& sql) {
    store_.reset();
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open(directory_.file("store.db").c_str(), &file), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(file);
    sqlite3_close(file);
  }

  std::shared_ptr<const TableSchema> migrate(std::vector<Operation> operations) {
    return value_of(
        store_->migrate({.table = "spans", .operations = std::move(operations)}, kReason));
  }

  std::shared_ptr<const TableSchema> schema() {
    return value_of(store_->catalog()->table("spans"));
  }

  void add_spans(int count) {
    Batch batch;
    for (int i = 0; i < count; ++i) {
      batch.upsert("spans", span_key(1, i), {{"label", fmt::format("label {}", i)}, {"size", i}});
    }
    ASSERT_OK(store_->commit(std::move(batch)));
  }

  Row row(std::int64_t start) {
    return *value_of(value_of(store_->snapshot())->get("spans", span_key(1, start)));
  }

  void expect_true_ledger() {
    EXPECT_EQ(value_of(value_of(store_->snapshot())->ledger("spans")),
              value_of(store_->recount("spans")));
  }

  void purge_all() {
    PurgePlace place;
    for (PurgeStep step; !step.done; place = step.next) {
      step = value_of(store_->purge(Instant{INT64_MAX}, 3, place));
    }
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

TEST_F(SchemaChangeTest, history_tells_who_changed_what) {
  value_of(store_->create_table(spans_table(), kReason));
  clock_.advance(std::chrono::seconds(5));
  migrate({RenameColumn{"label", "title"}, DropColumn{"until"}});
  open();
  const auto history = value_of(store_->history(schema()->id));
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].operations, R"([{"op":"create_table"}])");
  EXPECT_EQ(history[1].by, "ann");
  EXPECT_EQ(history[1].comment, "because");
  EXPECT_EQ(history[1].at.micros - history[0].at.micros, 5'000'000);
  EXPECT_EQ(history[1].operations, R"([{"op":"rename_column","column":"label","name":"title"},)"
                                   R"({"op":"drop_column","column":"until"}])");
  EXPECT_NE(history[0].schema.find("label"), nullptr);
  EXPECT_EQ(store_->history(99).error().code(), Code::not_found);
}

TEST_F(SchemaChangeTest, a_refused_migration_leaves_nothing) {
  value_of(store_->create_table(spans_table(), kReason));
  add_spans(3);
  EXPECT_EQ(store_->create_table(spans_table(), kReason).error().code(), Code::conflict);
  const auto refused = [&](Migration migration) {
    migration.table = migration.table.empty() ? "spans" : migration.table;
    const auto done = store_->migrate(migration, kReason);
    EXPECT_FALSE(done);
    return done ? Code::internal : done.error().code();
  };
  const Operation add = AddColumn{{.name = "more", .type = Type::of(TypeKind::int8)}};
  EXPECT_EQ(refused({.table = "span", .operations = {add}}), Code::not_found);
  EXPECT_EQ(refused({.table = {}, .operations = {add}, .expected_version = 2}), Code::conflict);
  EXPECT_EQ(refused({.table = {}, .operations = {add, SetNullable{"until", false}}}),
            Code::invalid);
  auto other = spans_table();
  other.name = "others";
  value_of(store_->create_table(other, kReason));
  EXPECT_EQ(refused({.table = {}, .operations = {add, RenameTable{"others"}}}), Code::conflict);
  EXPECT_EQ(schema()->version, 1U);
  EXPECT_EQ(migrate({add})->version, 2U);
}

TEST_F(SchemaChangeTest, cells_come_back_until_they_are_purged) {
  value_of(store_->create_table(spans_table(), kReason));
  add_spans(10);
  migrate({DropColumn{"size"}});
  const ColumnId size = schema()->tombstones[0].id;
  // An upsert replaces the row, and dropped cells stay.
  ASSERT_OK(store_->commit(std::move(Batch().upsert("spans", span_key(1, 9), {}))));
  const auto unknown =
      store_->commit(std::move(Batch().update("spans", span_key(1, 1), {{"size", 7}})));
  EXPECT_EQ(unknown.error().code(), Code::invalid);
  expect_true_ledger();
  migrate({UndropColumn{size, "bytes"}});
  EXPECT_EQ(row(9)[schema()->position("bytes")], Value(9));
  migrate({DropColumn{"bytes"}});
  value_of(store_->purge(clock_.now(), 3, {}));
  EXPECT_EQ(schema()->tombstones.size(), 1U) << "it was not dropped before that moment";
  value_of(store_->purge(Instant{INT64_MAX}, 3, {}));
  expect_true_ledger();
  const auto late =
      store_->migrate({.table = "spans", .operations = {UndropColumn{size}}}, kReason);
  EXPECT_NE(late.error().message().find("purged"), std::string::npos);
  open();
  purge_all();
  EXPECT_TRUE(schema()->tombstones.empty());
  expect_true_ledger();
  EXPECT_EQ(value_of(store_->history(schema()->id)).size(), 4U) << "a purge is no version";
}

TEST_F(SchemaChangeTest, dropped_cells_can_be_read_until_they_are_purged) {
  value_of(store_->create_table(spans_table(), kReason));
  add_spans(3);
  migrate({DropColumn{"size"}});
  const std::string size = column_reference(schema()->tombstones[0].id);
  const std::size_t behind = schema()->columns.size();
  const ScanSpec spec{
      .table = "spans", .partition = {testing::flow(1)}, .columns = {"start", size}};
  const auto sizes = [&] {
    std::vector<Value> found;
    const auto visit = [&](const RowView& view) {
      found.push_back(view[behind]);
      return true;
    };
    EXPECT_OK(value_of(store_->snapshot())->scan(spec, visit));
    return found;
  };
  EXPECT_EQ(sizes(), (std::vector<Value>{0, 1, 2}));
  EXPECT_EQ((*value_of(value_of(store_->snapshot())->get("spans", span_key(1, 2), {size})))[behind],
            Value(2));
  const auto written =
      store_->commit(std::move(Batch().update("spans", span_key(1, 1), {{size, 7}})));
  EXPECT_EQ(written.error().code(), Code::invalid);
  purge_all();
  const auto visit = [](const RowView&) { return true; };
  EXPECT_EQ(value_of(store_->snapshot())->scan(spec, visit).error().code(), Code::invalid);
}

TEST_F(SchemaChangeTest, a_snapshot_keeps_its_schema) {
  value_of(store_->create_table(spans_table(), kReason));
  add_spans(3);
  const auto before = value_of(store_->snapshot());
  migrate({RenameColumn{"label", "until"}, RenameColumn{"until", "label"}, DropColumn{"size"}});
  purge_all();
  const auto old_schema = value_of(before->catalog().table("spans"));
  const Row old_row = *value_of(before->get("spans", span_key(1, 2)));
  EXPECT_EQ(old_row[old_schema->position("label")], Value("label 2"));
  EXPECT_EQ(old_row[old_schema->position("size")], Value(2));
  EXPECT_EQ(row(2)[schema()->position("until")], Value("label 2"));
  // Names mean columns at the commit, ids always the same ones.
  const std::string id = fmt::format("#{}", old_schema->find("label")->id);
  ASSERT_OK(store_->commit(std::move(Batch().update("spans", span_key(1, 2), {{id, "new"}}))));
  EXPECT_EQ(row(2)[schema()->position("until")], Value("new"));
  Batch stale;
  stale.update("spans", span_key(1, 2), {{"until", at(1)}});
  stale.schema_versions = {{"spans", old_schema->version}};
  EXPECT_EQ(store_->commit(std::move(stale)).error().code(), Code::conflict);
}

TEST_F(SchemaChangeTest, tables_come_back_until_they_are_purged) {
  const TableId id = value_of(store_->create_table(spans_table(), kReason))->id;
  add_spans(10);
  ASSERT_OK(store_->drop_table("spans", kReason));
  EXPECT_EQ(value_of(store_->snapshot())->get("spans", span_key(1, 1)).error().code(),
            Code::not_found);
  EXPECT_EQ(store_->drop_table("spans", kReason).error().code(), Code::not_found);
  value_of(store_->create_table(spans_table(), kReason));
  EXPECT_EQ(store_->undrop_table(id, "", kReason).error().code(), Code::conflict);
  EXPECT_EQ(value_of(store_->undrop_table(id, "older", kReason))->version, 3U);
  EXPECT_TRUE(value_of(value_of(store_->snapshot())->get("older", span_key(1, 9))).has_value());
  EXPECT_EQ(value_of(value_of(store_->snapshot())->ledger("older")),
            value_of(store_->recount("older")));
  ASSERT_OK(store_->drop_table("older", kReason));
  EXPECT_EQ(value_of(store_->dropped_tables()).size(), 1U);
  value_of(store_->purge(Instant{INT64_MAX}, 3, {}));
  EXPECT_EQ(store_->undrop_table(id, "older", kReason).error().code(), Code::not_found);
  purge_all();
  EXPECT_TRUE(value_of(store_->dropped_tables()).empty());
  EXPECT_EQ(value_of(store_->history(id)).back().operations, R"([{"op":"drop_table"}])");
}

TEST_F(SchemaChangeTest, the_programs_tables_keep_their_meaning_under_any_name) {
  auto definition = spans_table();
  definition.product = true;
  value_of(store_->ensure_table(definition, "program"));
  EXPECT_EQ(store_->drop_table("spans", kReason).error().code(), Code::invalid);
  migrate({RenameColumn{"label", "name"},
           AddColumn{{.name = "label", .type = Type::of(TypeKind::int64)}},
           AddColumn{{.name = "note", .type = Type::of(TypeKind::string)}}});
  add_spans(3);  // writes the program's label
  EXPECT_EQ(row(2)[schema()->position("label")], Value("label 2"));
  EXPECT_EQ(schema()->find_named("name")->product_name, "label");
  EXPECT_TRUE(row(2)[schema()->position(schema()->find_named("label")->id)].is_null());
  // A newer program brings a column whose name a user took.
  definition.columns.push_back({.name = "note", .type = Type::of(TypeKind::date)});
  const auto newer = value_of(store_->ensure_table(definition, "program"));
  EXPECT_EQ(newer->find("note")->name, "note_2");
  EXPECT_EQ(newer->find_named("note")->type, Type::of(TypeKind::string));
  EXPECT_EQ(value_of(store_->ensure_table(definition, "program"))->version, newer->version);
}

TEST_F(SchemaChangeTest, a_store_of_the_first_format_is_taken_over) {
  const Type text = Type::of(TypeKind::string);
  const TableDefinition service{.name = "service",
                                .columns = {{.name = "name", .type = text, .nullable = false},
                                            {.name = "value", .type = text, .nullable = false}},
                                .partition_key = {"name"},
                                .product = true};
  value_of(store_->ensure_table(service, "program"));
  ASSERT_OK(store_->commit(std::move(Batch().insert("service", {"a"}, {{"value", "b"}}))));
  // The schema as the first format had it, from a store of that time.
  const std::string schema =
      "010B0102010202090107736572766963650302010204CC010103010801020102020D010B696E7365727465645F"
      "6174030B010974696D657374616D700402010005030101000603010100073701355768656E2074686520726F77"
      "207761732066697273742069 6E7365727465643B2066696C6C6564206279207468652073746F72652E08020102"
      "010801020104020601046E616D6503080106737472696E67040201000503010100060301010007020100080201"
      "020108010201060207010576616C756503080106737472696E6704020101050301010006030101000702010008"
      "020102050201000604010101040702010008020100090201080A0201020B020101";
  std::string hex = schema;
  std::erase(hex, ' ');
  run_sql("UPDATE _schemas SET schema = x'" + hex +
          "' WHERE table_id = 1; ALTER TABLE _schemas DROP COLUMN operations; "
          "ALTER TABLE _tables DROP COLUMN purging; DROP TABLE _namespaces; "
          "PRAGMA user_version = 1");
  open();
  EXPECT_OK(store_->create_namespace("lab"));
  EXPECT_EQ(value_of(store_->ensure_table(service, "program"))->version, 1U);
  value_of(store_->migrate({.table = "service", .operations = {RenameColumn{"value", "worth"}}},
                           kReason));
  const auto now = value_of(store_->catalog()->table("service"));
  const Row row = *value_of(value_of(store_->snapshot())->get("service", {"a"}));
  EXPECT_EQ(row[now->position("value")], Value("b"));
  open();
  EXPECT_EQ(value_of(store_->history(now->id)).size(), 2U);
  EXPECT_TRUE(store_->catalog()->namespaces.contains("lab"));
}

TEST_F(SchemaChangeTest, a_store_of_the_second_format_is_taken_over) {
  value_of(store_->create_table(spans_table(), kReason));
  add_spans(2);
  run_sql("DROP TABLE _namespaces; PRAGMA user_version = 2");
  open();
  EXPECT_EQ(store_->catalog()->namespaces, (std::set<std::string, std::less<>>{"main"}));
  EXPECT_OK(store_->create_namespace("lab"));
  EXPECT_EQ(row(1)[schema()->position("size")], Value(1));
  open();
  EXPECT_TRUE(store_->catalog()->namespaces.contains("lab"));
}

TEST_F(SchemaChangeTest, tables_lie_in_namespaces) {
  const auto definition = [](const std::string& name) {
    TableDefinition made = spans_table();
    made.name = name;
    return made;
  };
  EXPECT_EQ(store_->create_table(definition("lab.spans"), kReason).error().message(),
            "there is no schema 'lab'");
  ASSERT_OK(store_->create_namespace("lab"));
  EXPECT_EQ(store_->create_namespace("lab").error().code(), Code::conflict);
  EXPECT_EQ(store_->create_namespace("main").error().code(), Code::conflict);
  EXPECT_EQ(store_->create_namespace("Lab").error().code(), Code::invalid);
  value_of(store_->create_table(spans_table(), kReason));
  const TableId in_lab = value_of(store_->create_table(definition("lab.spans"), kReason))->id;
  ASSERT_OK(store_->commit(Batch().insert("lab.spans", span_key(1, 1), {{"label", "lab"}})));
  add_spans(1);
  open();
  EXPECT_EQ(value_of(store_->catalog()->table("lab.spans"))->id, in_lab);
  EXPECT_FALSE(value_of(value_of(store_->snapshot())->get("spans", span_key(1, 1))));
  // Names pass from one to the other, through namespaces.
  EXPECT_EQ(store_->migrate({.table = "spans", .operations = {RenameTable{"lab.spans"}}}, kReason)
                .error()
                .code(),
            Code::conflict);
  EXPECT_EQ(store_->migrate({.table = "spans", .operations = {RenameTable{"lap.spans"}}}, kReason)
                .error()
                .message(),
            "there is no schema 'lap' (the nearest is 'lab')");
  value_of(store_->migrate_all({{.table = "spans", .operations = {RenameTable{"lab.spans"}}},
                                {.table = "lab.spans", .operations = {RenameTable{"spans"}}}},
                               kReason));
  EXPECT_EQ(schema()->id, in_lab);
}

TEST_F(SchemaChangeTest, a_namespace_goes_with_its_tables_and_comes_back_with_them) {
  TableDefinition definition = spans_table();
  definition.name = "lab.spans";
  ASSERT_OK(store_->create_namespace("lab"));
  const TableId id = value_of(store_->create_table(definition, kReason))->id;
  EXPECT_EQ(store_->drop_namespace("lap", true, kReason).error().code(), Code::not_found);
  EXPECT_EQ(store_->drop_namespace("main", true, kReason).error().code(), Code::invalid);
  const Status refused = store_->drop_namespace("lab", false, kReason);
  EXPECT_EQ(refused.error().code(), Code::conflict);
  EXPECT_EQ(refused.error().message(),
            "the schema 'lab' has tables, which CASCADE drops too: lab.spans");
  ASSERT_OK(store_->drop_namespace("lab", true, kReason));
  EXPECT_FALSE(store_->catalog()->namespaces.contains("lab"));
  EXPECT_EQ(store_->undrop_table(id, "lab.others", kReason).error().code(), Code::not_found);
  EXPECT_EQ(value_of(store_->undrop_table(id, "", kReason))->name, "lab.spans");
  open();
  EXPECT_TRUE(store_->catalog()->namespaces.contains("lab"));
  // The program's tables bring their namespace along, and hold it.
  definition.name = "exr.spans";
  definition.product = true;
  value_of(store_->ensure_table(definition, "program"));
  EXPECT_EQ(store_->drop_namespace("exr", true, kReason).error().message(),
            "the schema 'exr' belongs to the product: it cannot be dropped");
  definition.name = "temp.spans";
  EXPECT_EQ(store_->ensure_table(definition, "program").error().code(), Code::invalid);
}

TEST_F(SchemaChangeTest, migrations_of_several_tables_happen_together_or_not_at_all) {
  value_of(store_->create_table(spans_table(), kReason));
  TableDefinition other = spans_table();
  other.name = "others";
  value_of(store_->create_table(other, kReason));
  const Operation add = AddColumn{{.name = "more", .type = Type::of(TypeKind::int8)}};
  const auto refused =
      store_->migrate_all({{.table = "spans", .operations = {add}},
                           {.table = "others", .operations = {add}, .expected_version = 2}},
                          kReason);
  EXPECT_EQ(refused.error().code(), Code::conflict);
  EXPECT_EQ(schema()->version, 1U);
  EXPECT_EQ(schema()->find("more"), nullptr);
  const auto both = value_of(store_->migrate_all(
      {{.table = "spans", .operations = {add}}, {.table = "others", .operations = {add}}},
      kReason));
  ASSERT_EQ(both.size(), 2U);
  for (const auto& one : both) EXPECT_EQ(one->version, 2U);
  EXPECT_EQ(both[1]->name, "others");
  EXPECT_EQ(store_
                ->migrate_all({{.table = "spans", .operations = {RenameTable{"same"}}},
                               {.table = "others", .operations = {RenameTable{"same"}}}},
                              kReason)
                .error()
                .code(),
            Code::conflict);
  EXPECT_EQ(schema()->version, 2U);
}

}  // namespace
}  // namespace reel::store

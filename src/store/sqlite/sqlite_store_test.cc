#include "store/sqlite/sqlite_store.h"

#include <cmath>
#include <limits>
#include <thread>

#include "store/sqlite/test_tables.h"

namespace reel::store {
namespace {

using namespace testing;

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreTest() { reopen(); }

  void reopen() {
    store_.reset();
    store_ = open_store(options());
    schema_ = value_of(store_->ensure_table(spans_table(), "test"));
  }

  SqliteOptions options() {
    SqliteOptions options;
    options.path = directory_.file("store.db");
    options.clock = &clock_;
    return options;
  }

  Status put(std::uint8_t flow_number, std::int64_t start, std::int64_t until, Value label = "x") {
    return store_->commit(Batch().insert("spans", span_key(flow_number, start),
                                         {{"until", at(until)}, {"label", std::move(label)}}));
  }

  std::optional<Row> get(const Key& key) {
    return value_of(value_of(store_->snapshot())->get("spans", key));
  }

  //! Starts of the rows of a scan, in seconds.
  std::vector<std::int64_t> starts(const ScanSpec& spec) {
    std::vector<std::int64_t> found;
    EXPECT_OK(value_of(store_->snapshot())->scan(spec, [&](const RowView& row) {
      found.push_back(static_cast<std::int64_t>(
          row[schema_->position(schema_->find("start")->id)].get<Decimal>().unscaled /
          1'000'000'000));
      return true;
    }));
    return found;
  }

  void expect_ledger_true() {
    EXPECT_EQ(value_of(value_of(store_->snapshot())->ledger("spans")),
              value_of(store_->recount("spans")));
  }

  Value cell(const Row& row, std::string_view column) {
    return row[schema_->position(schema_->find(column)->id)];
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::shared_ptr<const TableSchema> schema_;
};

TEST_F(SqliteStoreTest, a_row_comes_back_also_after_reopening) {
  ASSERT_OK(put(1, 10, 20, "hello"));
  for (int round = 0; round < 2; ++round) {
    const auto row = get(span_key(1, 10));
    ASSERT_TRUE(row);
    EXPECT_EQ(cell(*row, "label"), Value("hello"));
    EXPECT_EQ(cell(*row, "until"), at(20));
    EXPECT_EQ(cell(*row, "size"), Value(0));
    EXPECT_EQ(cell(*row, "inserted_at"), Value(clock_.now()));
    EXPECT_EQ(get(span_key(1, 11)), std::nullopt);
    reopen();
  }
}

TEST_F(SqliteStoreTest, mutations_do_what_they_say) {
  ASSERT_OK(put(1, 10, 20));
  EXPECT_EQ(text_of(put(1, 10, 20)).substr(0, 9), "conflict:");
  const Instant first = clock_.now();
  clock_.advance(std::chrono::hours(2));
  ASSERT_OK(store_->commit(Batch().upsert("spans", span_key(1, 10), {{"label", "new"}})));
  const auto row = get(span_key(1, 10));
  EXPECT_EQ(cell(*row, "inserted_at"), Value(first));
  EXPECT_EQ(cell(*row, "label"), Value("new"));
  EXPECT_TRUE(cell(*row, "until").is_null());
  ASSERT_OK(store_->commit(Batch().update("spans", span_key(1, 10), {{"size", 5}})));
  EXPECT_EQ(cell(*get(span_key(1, 10)), "size"), Value(5));
  EXPECT_EQ(cell(*get(span_key(1, 10)), "label"), Value("new"));
  EXPECT_EQ(text_of(store_->commit(Batch().update("spans", span_key(1, 11), {{"size", 5}})))
                .substr(0, 10),
            "not_found:");
  expect_ledger_true();
  ASSERT_OK(store_->commit(Batch().erase("spans", span_key(1, 10)).erase("spans", span_key(9, 9))));
  EXPECT_EQ(get(span_key(1, 10)), std::nullopt);
  expect_ledger_true();
  EXPECT_TRUE(value_of(value_of(store_->snapshot())->ledger("spans")).empty());
}

TableDefinition log_table() {
  return {.name = "log",
          .columns = {{.name = "topic", .type = Type::of(TypeKind::string), .nullable = false},
                      {.name = "number", .type = Type::of(TypeKind::int64), .nullable = false},
                      {.name = "text", .type = Type::of(TypeKind::string)}},
          .partition_key = {"topic"},
          .clustering_key = {"number"},
          .indexes = {}};
}

//! "1 a, 2 b": the rows of a partition of log_table().
std::string log_of(Store& store, const std::string& topic) {
  std::string found;
  const ScanSpec spec{.table = "log", .partition = {topic}, .columns = {"number", "text"}};
  const auto snapshot = value_of(store.snapshot());
  const auto schema = value_of(snapshot->catalog().table("log"));
  const auto position = [&](std::string_view name) {
    return schema->position(schema->find(name)->id);
  };
  EXPECT_OK(snapshot->scan(spec, [&](const RowView& row) {
    found += fmt::format("{}{} {}", found.empty() ? "" : ", ",
                         row[position("number")].get<std::int64_t>(),
                         row[position("text")].get<std::string>());
    return true;
  }));
  return found;
}

TEST_F(SqliteStoreTest, appended_rows_are_numbered_by_partition_in_the_order_of_commits) {
  EXPECT_OK(store_->ensure_table(log_table(), "test").map([](const auto&) {}));
  ASSERT_OK(store_->commit(Batch()
                               .append("log", {"x"}, {{"text", "a"}})
                               .append("log", {"y"}, {{"text", "b"}})
                               .append("log", {"x"}, {{"text", "c"}})));
  Batch refused;
  refused.append("log", {"x"}, {{"text", "never"}}).update("log", {"x", 99}, {{"text", "no"}});
  EXPECT_EQ(text_of(store_->commit(refused)).substr(0, 10), "not_found:");
  ASSERT_OK(store_->commit(Batch().append("log", {"x"}, {{"text", "d"}})));
  EXPECT_EQ(log_of(*store_, "x"), "1 a, 2 c, 3 d");
  EXPECT_EQ(log_of(*store_, "y"), "1 b");
  ASSERT_OK(store_->commit(Batch().erase("log", {"x", 1}).erase("log", {"x", 2})));
  ASSERT_OK(store_->commit(Batch().append("log", {"x"}, {{"text", "e"}})));
  EXPECT_EQ(log_of(*store_, "x"), "3 d, 4 e");
  const auto snapshot = value_of(store_->snapshot());
  EXPECT_EQ(value_of(snapshot->ledger("log")), value_of(store_->recount("log")));
  EXPECT_EQ(text_of(store_->commit(Batch().append("log", {"x", 7}, {}))).substr(0, 8), "invalid:");
  EXPECT_EQ(text_of(store_->commit(Batch().append("spans", {flow(1)}, {}))).substr(0, 8),
            "invalid:");
}

TEST_F(SqliteStoreTest, a_reader_of_appended_rows_misses_none_while_many_write) {
  EXPECT_OK(store_->ensure_table(log_table(), "test").map([](const auto&) {}));
  constexpr int kWriters = 4;
  constexpr int kEach = 100;
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        EXPECT_OK(store_->commit(Batch().append("log", {"x"}, {{"text", "."}})));
      }
    });
  }
  std::int64_t seen = 0;
  while (seen < kWriters * kEach) {
    ScanSpec spec{.table = "log", .partition = {"x"}, .columns = {"number"}};
    spec.lower = RangeBound{.prefix = {seen}, .inclusive = false};
    const auto snapshot = value_of(store_->snapshot());
    const auto schema = value_of(snapshot->catalog().table("log"));
    const std::size_t number = schema->position(schema->find("number")->id);
    ASSERT_OK(snapshot->scan(spec, [&](const RowView& row) {
      EXPECT_EQ(row[number].get<std::int64_t>(), seen + 1);
      seen = row[number].get<std::int64_t>();
      return true;
    }));
  }
  for (std::thread& writer : writers) writer.join();
}

TEST_F(SqliteStoreTest, a_batch_that_fails_late_leaves_nothing) {
  ASSERT_OK(put(1, 30, 40));
  Batch batch;
  batch.insert("spans", span_key(1, 10), {}).upsert("spans", span_key(1, 30), {{"label", "y"}});
  batch.insert("spans", span_key(1, 30), {});
  EXPECT_EQ(text_of(store_->commit(batch)).substr(0, 9), "conflict:");
  EXPECT_EQ(get(span_key(1, 10)), std::nullopt);
  EXPECT_EQ(cell(*get(span_key(1, 30)), "label"), Value("x"));
  expect_ledger_true();
}

TEST_F(SqliteStoreTest, preconditions_guard_the_whole_batch) {
  ASSERT_OK(put(1, 10, 20));
  const auto attempt = [&](Batch batch) {
    return text_of(store_->commit(batch.upsert("spans", span_key(7, 7), {})));
  };
  EXPECT_EQ(attempt(Batch().require_absent("spans", span_key(1, 10), "taken")), "conflict: taken");
  EXPECT_EQ(attempt(Batch().require_present("spans", span_key(1, 11), "gone")), "not_found: gone");
  EXPECT_EQ(attempt(Batch().require_cells("spans", span_key(1, 10), {{"label", "z"}}, "changed")),
            "conflict: changed");
  EXPECT_EQ(attempt(Batch().require_cells("spans", span_key(1, 11), {{"label", "z"}}, "gone")),
            "conflict: gone");
  EXPECT_EQ(attempt(Batch().require_empty("spans", {span_key(1, 0)[0]}, "in use")),
            "conflict: in use");
  EXPECT_EQ(get(span_key(7, 7)), std::nullopt);
  EXPECT_EQ(attempt(Batch()
                        .require_empty("spans", {span_key(2, 0)[0]})
                        .require_absent("spans", span_key(1, 11))
                        .require_present("spans", span_key(1, 10))
                        .require_cells("spans", span_key(1, 10), {{"label", "x"}})),
            "ok");
}

TEST_F(SqliteStoreTest, overlaps_are_refused_and_the_clashing_row_is_named) {
  ASSERT_OK(put(1, 10, 20));
  ASSERT_OK(put(1, 30, 40));
  const auto attempt = [&](std::int64_t start, Value until, std::uint8_t flow_number = 1) {
    Batch batch;
    batch.preconditions.push_back({.kind = Precondition::Kind::no_overlap,
                                   .table = "spans",
                                   .key = {flow(flow_number)},
                                   .end_column = "until",
                                   .start = at(start),
                                   .end = std::move(until)});
    return text_of(store_->commit(batch));
  };
  EXPECT_EQ(attempt(20, at(30)), "ok");
  EXPECT_EQ(attempt(0, at(10)), "ok");
  EXPECT_EQ(attempt(40, at(50)), "ok");
  EXPECT_EQ(attempt(40, Value()), "ok");
  EXPECT_EQ(attempt(10, at(20), 2), "ok");
  for (const auto& [start, until] : std::vector<std::pair<int, int>>{
           {9, 11}, {19, 21}, {12, 13}, {0, 100}, {15, 35}, {10, 20}, {39, 41}}) {
    EXPECT_EQ(attempt(start, at(until)).substr(0, 9), "conflict:") << start << " " << until;
  }
  EXPECT_EQ(attempt(15, at(16)),
            "conflict: table 'spans': the range overlaps row "
            "(00000000-0000-4000-8000-000000000001, 10.000000000)");
  EXPECT_EQ(attempt(35, Value()).substr(0, 9), "conflict:");
  ASSERT_OK(store_->commit(Batch().insert("spans", span_key(1, 60), {})));  // no end: for ever
  EXPECT_EQ(attempt(1000, at(1001)).substr(0, 9), "conflict:");
}

TEST_F(SqliteStoreTest, wrong_batches_are_refused_with_a_reason) {
  const auto attempt = [&](const Batch& batch) { return text_of(store_->commit(batch)); };
  EXPECT_EQ(attempt(Batch().erase("nothing", {1})), "not_found: there is no table 'nothing'");
  EXPECT_EQ(attempt(Batch().erase("spans", {flow(1)})),
            "invalid: a key of table 'spans' has 1 values, 2 are needed");
  EXPECT_EQ(attempt(Batch().erase("spans", {1, at(1)})),
            "invalid: key column 'flow': the value is not a uuid");
  EXPECT_EQ(attempt(Batch().erase("spans", {flow(1), Value()})),
            "invalid: key column 'start' is null");
  EXPECT_EQ(attempt(Batch().insert("spans", span_key(1, 1), {{"nope", 1}})),
            "invalid: table 'spans' has no column 'nope'");
  EXPECT_EQ(attempt(Batch().insert("spans", span_key(1, 1), {{"start", at(1)}})),
            "invalid: column 'start' belongs to the key");
  EXPECT_EQ(attempt(Batch().insert("spans", span_key(1, 1), {{"size", Value()}})),
            "invalid: column 'size' may not be null");
  EXPECT_EQ(attempt(Batch().insert("spans", span_key(1, 1), {{"size", 1}, {"size", 2}})),
            "invalid: column 'size' is named twice");
  EXPECT_EQ(attempt(Batch().update("spans", span_key(1, 1), {{"inserted_at", Instant{1}}})),
            "invalid: inserted_at cannot be updated");
  EXPECT_EQ(attempt(Batch().insert("spans", span_key(1, 1), {{"label", "\xff"}})),
            "invalid: column 'label': the value is not a string");
  Batch stale = Batch().erase("spans", span_key(1, 1));
  stale.schema_versions = {{"spans", 7}};
  EXPECT_EQ(attempt(stale), "conflict: table 'spans' has schema version 1 by now, not 7");
}

TEST_F(SqliteStoreTest, limits_hold_at_n_and_not_at_n_plus_one) {
  store_.reset();
  SqliteOptions small = options();
  small.batch_mutations_max = 2;
  small.cell_bytes_max = 20;
  store_ = open_store(small);
  Batch batch = Batch().erase("spans", span_key(1, 1)).erase("spans", span_key(1, 2));
  EXPECT_OK(store_->commit(batch));
  EXPECT_EQ(text_of(store_->commit(batch.erase("spans", span_key(1, 3)))).substr(0, 10),
            "too_large:");
  EXPECT_OK(put(1, 1, 2, std::string(20, 'x')));
  EXPECT_EQ(text_of(put(1, 3, 4, std::string(21, 'x'))).substr(0, 10), "too_large:");
}

TEST_F(SqliteStoreTest, scans_give_the_clustering_range_in_order) {
  for (const int start : {50, 10, 30, 20, 40}) ASSERT_OK(put(1, start, start + 5));
  ASSERT_OK(put(2, 25, 26));
  const ScanSpec all{.table = "spans", .partition = {flow(1)}};
  EXPECT_EQ(starts(all), (std::vector<std::int64_t>{10, 20, 30, 40, 50}));
  ScanSpec spec = all;
  spec.lower = RangeBound{{at(20)}};
  spec.upper = RangeBound{{at(40)}, false};
  EXPECT_EQ(starts(spec), (std::vector<std::int64_t>{20, 30}));
  spec.reverse = true;
  spec.upper->inclusive = true;
  EXPECT_EQ(starts(spec), (std::vector<std::int64_t>{40, 30, 20}));
  spec.limit = 2;
  EXPECT_EQ(starts(spec), (std::vector<std::int64_t>{40, 30}));
  spec.limit = 0;
  EXPECT_TRUE(starts(spec).empty());
  spec = all;
  spec.where = {{.column = "until", .op = Predicate::Op::greater, .value = at(30)}};
  EXPECT_EQ(starts(spec), (std::vector<std::int64_t>{30, 40, 50}));
  spec.where = {{.column = "label", .op = Predicate::Op::is_null}};
  EXPECT_TRUE(starts(spec).empty());
  EXPECT_EQ(text_of(value_of(store_->snapshot())
                        ->scan({.table = "spans", .partition = {flow(1), at(0)}},
                               [](const RowView&) { return true; })),
            "invalid: a key of table 'spans' has 2 values, 1 are needed");
}

TEST_F(SqliteStoreTest, a_projection_leaves_the_rest_null) {
  ASSERT_OK(put(1, 10, 20, "hello"));
  const auto snapshot = value_of(store_->snapshot());
  const auto row = value_of(snapshot->get("spans", span_key(1, 10), {"label"}));
  ASSERT_TRUE(row);
  EXPECT_EQ(cell(*row, "label"), Value("hello"));
  EXPECT_TRUE(cell(*row, "start").is_null());
  EXPECT_FALSE(snapshot->get("spans", span_key(1, 10), {"nope"}));
}

TEST_F(SqliteStoreTest, a_scan_may_read_while_it_visits) {
  for (const int start : {10, 20}) ASSERT_OK(put(1, start, start + 5));
  const auto snapshot = value_of(store_->snapshot());
  const ScanSpec spec{.table = "spans", .partition = {flow(1)}};
  int inner = 0;
  EXPECT_OK(snapshot->scan(spec, [&](const RowView&) {
    EXPECT_OK(snapshot->scan(spec, [&](const RowView&) { return ++inner > 0; }));
    return true;
  }));
  EXPECT_EQ(inner, 4);
}

TEST_F(SqliteStoreTest, a_snapshot_does_not_move) {
  ASSERT_OK(put(1, 10, 20));
  const auto before = value_of(store_->snapshot());
  ASSERT_OK(put(1, 20, 30));
  EXPECT_EQ(value_of(before->get("spans", span_key(1, 20))), std::nullopt);
  EXPECT_EQ(value_of(before->ledger("spans"))[0].rows, 1);
  EXPECT_TRUE(get(span_key(1, 20)));
}

TEST_F(SqliteStoreTest, shares_of_a_table_are_disjoint_and_complete) {
  Batch batch;
  for (std::uint8_t f = 0; f < 40; ++f) {
    for (int start = 0; start < 5; ++start) batch.insert("spans", span_key(f, start), {});
  }
  ASSERT_OK(store_->commit(batch));
  const auto snapshot = value_of(store_->snapshot());
  for (const std::size_t parts : {1U, 2U, 7U}) {
    std::set<std::string> seen;
    std::size_t rows = 0;
    for (std::size_t part = 0; part < parts; ++part) {
      EXPECT_OK(snapshot->scan_all("spans", part, parts, [&](const RowView& row) {
        ++rows;
        seen.insert(row_hash(row.schema, row.cells).to_hex());
        return true;
      }));
    }
    EXPECT_EQ(rows, 200U);
    EXPECT_EQ(seen.size(), 200U);
  }
}

TEST_F(SqliteStoreTest, a_table_gains_columns_and_indexes) {
  ASSERT_OK(put(1, 10, 20));
  const auto before = value_of(value_of(store_->snapshot())->ledger("spans"));
  TableDefinition newer = spans_table();
  newer.columns.push_back({.name = "note", .type = Type::of(TypeKind::string)});
  newer.columns.push_back(
      {.name = "rate", .type = Type::of(TypeKind::uint64), .nullable = false, .default_value = 0});
  newer.columns.push_back({.name = "marks",
                           .type = Type::list(Type::of(TypeKind::string)),
                           .nullable = false,
                           .default_value = ValueList{"a", "b'c"}});
  newer.indexes.push_back({.name = "by_rate", .columns = {"rate"}});
  schema_ = value_of(store_->ensure_table(newer, "test"));
  EXPECT_EQ(schema_->version, 2U);
  EXPECT_EQ(value_of(store_->ensure_table(newer, "test"))->version, 2U);
  // A program that knows less changes nothing.
  EXPECT_EQ(value_of(store_->ensure_table(spans_table(), "test"))->version, 2U);
  const auto row = get(span_key(1, 10));
  EXPECT_EQ(cell(*row, "rate"), Value(0));
  EXPECT_EQ(cell(*row, "marks"), Value(ValueList{"a", "b'c"}));
  EXPECT_EQ(before, value_of(store_->recount("spans")));
  ASSERT_OK(put(1, 20, 30));
  EXPECT_EQ(starts({.table = "spans", .index = "by_rate"}), (std::vector<std::int64_t>{10, 20}));
  expect_ledger_true();
  newer.columns[3].type = Type::of(TypeKind::int32);
  const auto refused = store_->ensure_table(newer, "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::invalid);
}

TEST_F(SqliteStoreTest, a_snapshot_keeps_the_schema_of_its_moment) {
  ASSERT_OK(put(1, 10, 20));
  const auto old = value_of(store_->snapshot());
  TableDefinition newer = spans_table();
  newer.columns.push_back({.name = "note", .type = Type::of(TypeKind::string)});
  value_of(store_->ensure_table(newer, "test"));
  EXPECT_EQ(old->catalog().tables.at("spans")->version, 1U);
  EXPECT_EQ(value_of(old->get("spans", span_key(1, 10)))->size(), 6U);
  EXPECT_EQ(value_of(value_of(store_->snapshot())->get("spans", span_key(1, 10)))->size(), 7U);
}

TEST_F(SqliteStoreTest, a_backup_is_a_store_of_its_own) {
  ASSERT_OK(put(1, 10, 20));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 100; !stop; ++i) EXPECT_OK(put(3, i, i + 1));
  });
  const std::string copy = directory_.file("copies/one");
  EXPECT_OK(store_->backup(copy));
  EXPECT_EQ(text_of(store_->backup(copy)).substr(0, 9), "conflict:");
  stop = true;
  writer.join();
  SqliteOptions restored_options = options();
  restored_options.path = copy + "/store.db";
  const auto restored = open_store(restored_options);
  EXPECT_TRUE(value_of(value_of(restored->snapshot())->get("spans", span_key(1, 10))));
  EXPECT_EQ(value_of(value_of(restored->snapshot())->ledger("spans")),
            value_of(restored->recount("spans")));
  ASSERT_OK(restored->commit(Batch().insert("spans", span_key(9, 1), {})));
}

TEST_F(SqliteStoreTest, a_data_directory_has_one_owner) {
  const auto second = open_sqlite_store(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::conflict);
  EXPECT_NE(second.error().message().find(fmt::format("(pid {})", ::getpid())), std::string::npos);
}

TEST_F(SqliteStoreTest, stop_refuses_new_work_and_keeps_reading) {
  ASSERT_OK(put(1, 10, 20));
  store_->stop();
  store_->stop();
  EXPECT_EQ(text_of(put(1, 20, 30)), "shutting_down: the store is stopping");
  EXPECT_TRUE(get(span_key(1, 10)));
  EXPECT_EQ(std::filesystem::file_size(directory_.file("store.db-wal")), 0U);
}

TEST_F(SqliteStoreTest, a_snapshot_may_outlive_its_store) {
  ASSERT_OK(put(1, 10, 20));
  const auto snapshot = value_of(store_->snapshot());
  store_.reset();
  EXPECT_TRUE(value_of(snapshot->get("spans", span_key(1, 10))));
}

}  // namespace
}  // namespace reel::store

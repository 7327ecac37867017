#include "store/draft.h"

#include <random>

#include <fmt/format.h>

#include "base/test_seed.h"
#include "store/sqlite/test_tables.h"

namespace reel::store {
namespace {

using namespace testing;
using Random = std::minstd_rand;

std::int64_t below(Random& random, std::int64_t limit) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
}

Value label(Random& random) {
  const std::int64_t number = below(random, 5);
  return number == 0 ? Value() : Value(fmt::format("label {}", number));
}

Value size(Random& random) { return Value(below(random, 4)); }

//! A span of one of two flows that starts early, so that spans meet each other.
Key some_key(Random& random) {
  return span_key(static_cast<std::uint8_t>(below(random, 2)), below(random, 12));
}

Precondition some_condition(Random& random) {
  using Kind = Precondition::Kind;
  Key key = some_key(random);
  switch (below(random, 6)) {
    case 0: return {.kind = Kind::absent, .table = "spans", .key = std::move(key)};
    case 1: return {.kind = Kind::present, .table = "spans", .key = std::move(key)};
    case 2:
      return {.kind = Kind::cells_are,
              .table = "spans",
              .key = std::move(key),
              .cells = {{"size", size(random)}}};
    case 3:
      return {.kind = Kind::cells_are,
              .table = "spans",
              .key = std::move(key),
              .cells = {{"label", label(random)}, {"size", size(random)}}};
    case 4: {
      const Value start = key[1];
      const Value end = at(below(random, 12) + 12);
      return {.kind = Kind::no_overlap,
              .table = "spans",
              .key = {key[0]},
              .end_column = "until",
              .start = start,
              .end = below(random, 5) == 0 ? Value() : end};
    }
    default: return {.kind = Kind::empty, .table = "spans", .key = {flow(2)}};
  }
}

//! A new span where there is room for one, as segments are registered.
void add_span(Random& random, Batch& batch) {
  const auto number = static_cast<std::uint8_t>(below(random, 2));
  const std::int64_t start = below(random, 12);
  const std::int64_t end = start + 1 + below(random, 3);
  batch.preconditions.push_back({.kind = Precondition::Kind::no_overlap,
                                 .table = "spans",
                                 .key = {flow(number)},
                                 .end_column = "until",
                                 .start = at(start),
                                 .end = at(end)});
  batch.insert("spans", span_key(number, start), {{"until", at(end)}, {"label", label(random)}});
}

//! Spans never overlap, which no_overlap relies on: only add_span() makes new ones.
Batch some_batch(Random& random) {
  Batch batch;
  for (std::int64_t i = below(random, 3); i > 0; --i) {
    batch.preconditions.push_back(some_condition(random));
  }
  const std::int64_t kind = below(random, 4);
  if (kind == 0) {
    add_span(random, batch);
    return batch;
  }
  for (std::int64_t i = 0; i < kind; ++i) {
    switch (below(random, 4)) {
      case 0: batch.erase("spans", some_key(random)); break;
      case 1: batch.update("spans", some_key(random), {{"size", size(random)}}); break;
      case 2:
        batch.update("spans", some_key(random), {{"label", label(random)}, {"size", size(random)}});
        break;
      default:
        batch.upsert("notes", {Value(below(random, 6))}, {{"text", label(random)}});
        if (below(random, 2) == 0) {
          batch.insert("notes", {Value(below(random, 6))}, {});
        }
        break;
    }
  }
  return batch;
}

TableDefinition notes_table() {
  return {.name = "notes",
          .columns = {{.name = "id", .type = Type::of(TypeKind::int64), .nullable = false},
                      {.name = "text",
                       .type = Type::of(TypeKind::string),
                       .default_value = "as usual"}},
          .partition_key = {"id"},
          .indexes = {{.name = "by_text", .columns = {"text"}}}};
}

ScanSpec some_scan(Random& random) {
  ScanSpec spec{.table = "spans"};
  const auto number = static_cast<std::uint8_t>(below(random, 2));
  switch (below(random, 4)) {
    case 0:
      spec.partition = {flow(number)};
      if (below(random, 2) == 0) spec.lower = RangeBound{{at(below(random, 12))}};
      if (below(random, 2) == 0) spec.upper = RangeBound{{at(below(random, 12))}, false};
      break;
    case 1:
      spec.index = "by_label";
      if (below(random, 2) == 0) spec.lower = RangeBound{{label(random)}, below(random, 2) == 0};
      if (below(random, 2) == 0) spec.upper = RangeBound{{label(random)}, below(random, 2) == 0};
      break;
    case 2: spec.lower = RangeBound{some_key(random), below(random, 2) == 0}; break;
    default:
      spec.table = "notes";
      spec.index = "by_text";
      break;
  }
  spec.reverse = below(random, 2) == 0;
  if (below(random, 2) == 0) spec.limit = static_cast<std::size_t>(below(random, 4));
  if (spec.table == "spans" && below(random, 3) == 0) {
    spec.where.push_back({.column = "size", .op = Predicate::Op::greater, .value = Value(1)});
  }
  return spec;
}

//! What a scan finds, but when the rows came.
std::vector<Row> rows_of(Snapshot& snapshot, const ScanSpec& spec) {
  std::vector<Row> rows;
  EXPECT_OK(snapshot.scan(spec, [&](const RowView& row) {
    rows.push_back(row.cells);
    rows.back()[row.schema.position(kInsertedAt)] = Value();
    return true;
  }));
  return rows;
}

class DraftTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open(const std::string& name) {
    auto store = open_store({.path = directory_.file(name)});
    value_of(store->ensure_table(spans_table(), "test"));
    value_of(store->ensure_table(notes_table(), "test"));
    return store;
  }

  static void expect_same(Snapshot& a, Snapshot& b) {
    for (const char* table : {"spans", "notes"}) {
      EXPECT_EQ(rows_of(a, {.table = table}), rows_of(b, {.table = table})) << table;
    }
  }

  TemporaryDirectory directory_;
};

//! Batches leave a draft with the same rows as a store, and end the same way; the draft then leaves
//! them in its own store, unless another writer came between: then exactly if they hold there too.
TEST_F(DraftTest, IsWhatTheStoreWouldBe) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(fmt::format("REELHOUSE_SEED={}", seed));
  Random random(static_cast<Random::result_type>(seed));
  const auto one = open("one.db");      // under the draft
  const auto two = open("two.db");      // gets each batch as it comes
  const auto three = open("three.db");  // gets the other writer's before them
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 4; ++i) {
      const Batch batch = some_batch(random);
      const Status done = one->commit(batch);
      EXPECT_EQ(text_of(done), text_of(two->commit(batch)));
      EXPECT_EQ(text_of(done), text_of(three->commit(batch)));
    }
    const auto base = value_of(one->snapshot());
    Draft draft(*base);
    const auto view = value_of(draft.snapshot());
    std::vector<Batch> accepted;
    for (int i = 0; i < 8; ++i) {
      const Batch batch = some_batch(random);
      const Status done = draft.commit(batch);
      EXPECT_EQ(text_of(done), text_of(two->commit(batch)));
      if (done) accepted.push_back(batch);
      const auto after = value_of(two->snapshot());
      const ScanSpec spec = some_scan(random);
      EXPECT_EQ(rows_of(*view, spec), rows_of(*after, spec));
      expect_same(*view, *after);
      const Key key = some_key(random);
      EXPECT_EQ(value_of(view->get("spans", key)).has_value(),
                value_of(after->get("spans", key)).has_value());
    }
    const bool alone = round % 2 == 0;
    if (!alone) {
      const Batch between = some_batch(random);
      EXPECT_EQ(text_of(one->commit(between)), text_of(three->commit(between)));
    }
    bool holds = true;
    for (const Batch& batch : accepted) holds = three->commit(batch).has_value() && holds;
    const Status committed = one->commit(draft.take());
    EXPECT_TRUE(draft.take().mutations.empty());
    if (alone) EXPECT_OK(committed);
    if (committed) {
      EXPECT_TRUE(holds);
      expect_same(*value_of(one->snapshot()), *value_of(three->snapshot()));
    }
    if (HasFailure()) return;
    if (!committed || !alone) {
      // Begin again from what the first store has.
      ++refused;
      for (const auto& other : {two.get(), three.get()}) {
        Batch same;
        for (const char* table : {"spans", "notes"}) {
          const auto there = value_of(other->snapshot());
          const auto schema = value_of(there->catalog().table(table));
          const auto copy = [&](const Row& row, bool put) {
            Key key = key_of(*schema, row);
            Cells cells;
            for (std::size_t i = 0; i < row.size(); ++i) {
              const Column& column = schema->columns[i];
              if (column.id == kInsertedAt || schema->is_key(column.id)) continue;
              cells.emplace_back(column.name, row[i]);
            }
            if (put) {
              same.upsert(table, std::move(key), std::move(cells));
            } else {
              same.erase(table, std::move(key));
            }
          };
          for (const Row& row : rows_of(*there, {.table = table})) copy(row, false);
          for (const Row& row : rows_of(*value_of(one->snapshot()), {.table = table})) {
            copy(row, true);
          }
        }
        ASSERT_OK(other->commit(std::move(same)));
      }
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_F(DraftTest, AFailedBatchLeavesNothing) {
  const auto store = open("store.db");
  const auto base = value_of(store->snapshot());
  Draft draft(*base);
  ASSERT_OK(draft.commit(Batch().insert("notes", {Value(1)}, {{"text", "first"}})));
  EXPECT_EQ(draft
                .commit(Batch()
                            .update("notes", {Value(1)}, {{"text", "second"}})
                            .insert("notes", {Value(2)}, {})
                            .insert("notes", {Value(1)}, {}))
                .error()
                .code(),
            Code::conflict);
  const auto view = value_of(draft.snapshot());
  const auto rows = rows_of(*view, {.table = "notes"});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0][2], Value("first"));
  EXPECT_EQ(draft.row_count(), 1U);
  ASSERT_OK(store->commit(draft.take()));
}

//! Cells of dropped columns are as they will be after the commit.
TEST_F(DraftTest, DroppedColumnsAreShownToThoseWhoNameThem) {
  const auto store = open("store.db");
  Batch first;
  for (const std::int64_t start : {1, 2, 3}) {
    first.insert("spans", span_key(1, start), {{"label", "old"}, {"size", start}});
  }
  ASSERT_OK(store->commit(std::move(first)));
  value_of(store->migrate({.table = "spans", .operations = {DropColumn{"size"}}}, {}));
  const auto base = value_of(store->snapshot());
  Draft draft(*base);
  ASSERT_OK(draft.commit(Batch()
                             .update("spans", span_key(1, 1), {{"label", "new"}})
                             .upsert("spans", span_key(1, 2), {{"label", "new"}})
                             .erase("spans", span_key(1, 3))
                             .insert("spans", span_key(1, 3), {{"label", "new"}})
                             .insert("spans", span_key(1, 4), {{"label", "new"}})));
  const auto sizes = [](Snapshot& snapshot) {
    std::vector<Value> found;
    EXPECT_OK(
        snapshot.scan({.table = "spans", .columns = {"label", "#6"}}, [&](const RowView& row) {
          EXPECT_EQ(row[row.schema.position("label")], Value("new"));
          found.push_back(row[row.schema.columns.size()]);
          return true;
        }));
    return found;
  };
  const auto view = value_of(draft.snapshot());
  const std::vector<Value> expected = {Value(1), Value(2), Value(0), Value(0)};
  EXPECT_EQ(sizes(*view), expected);
  EXPECT_EQ(value_of(view->get("spans", span_key(1, 2), {"#6"}))->back(), Value(2));
  EXPECT_EQ(value_of(view->get("spans", span_key(1, 2)))->size(), 5U);
  ASSERT_OK(store->commit(draft.take()));
  EXPECT_EQ(sizes(*value_of(store->snapshot())), expected);
  EXPECT_EQ(value_of(value_of(store->snapshot())->ledger("spans")),
            value_of(store->recount("spans")));
}

//! A time that the draft itself made free is free; what lies beside it must stay free.
TEST_F(DraftTest, ASpanMayTakeThePlaceOfErasedOnes) {
  const auto store = open("store.db");
  Batch first;
  for (const std::int64_t start : {0, 2, 6}) {
    first.insert("spans", span_key(1, start), {{"until", at(start + 2)}});
  }
  ASSERT_OK(store->commit(first));
  const auto replaced = [&](const Batch& between) {
    const auto base = value_of(store->snapshot());
    Draft draft(*base);
    EXPECT_OK(draft.commit(Batch().erase("spans", span_key(1, 0)).erase("spans", span_key(1, 2))));
    Batch batch;
    batch.preconditions.push_back({.kind = Precondition::Kind::no_overlap,
                                   .table = "spans",
                                   .key = {flow(1)},
                                   .end_column = "until",
                                   .start = at(1),
                                   .end = at(6)});
    batch.insert("spans", span_key(1, 1), {{"until", at(6)}});
    EXPECT_OK(draft.commit(batch));
    EXPECT_OK(store->commit(between));
    return store->commit(draft.take());
  };
  const Status clash = replaced(Batch().insert("spans", span_key(1, 4), {{"until", at(5)}}));
  ASSERT_FALSE(clash);
  EXPECT_EQ(clash.error().code(), Code::conflict);
  ASSERT_OK(store->commit(Batch().erase("spans", span_key(1, 4))));
  EXPECT_OK(replaced(Batch().insert("spans", span_key(2, 4), {{"until", at(5)}})));
}

TEST_F(DraftTest, APartitionThatItEmptiedIsNotKnownToBeEmpty) {
  const auto store = open("store.db");
  ASSERT_OK(store->commit(Batch().insert("spans", span_key(1, 0), {{"until", at(2)}})));
  const auto base = value_of(store->snapshot());
  Draft draft(*base);
  EXPECT_EQ(draft.commit(Batch().require_empty("spans", {flow(1)})).error().code(), Code::conflict);
  ASSERT_OK(draft.commit(Batch().erase("spans", span_key(1, 0))));
  EXPECT_EQ(draft.commit(Batch().require_empty("spans", {flow(1)})).error().code(),
            Code::unsupported);
}

}  // namespace
}  // namespace reel::store

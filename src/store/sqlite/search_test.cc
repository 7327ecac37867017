#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/test_tables.h"

namespace reel::store {
namespace {

using namespace testing;

TableDefinition searched_spans() {
  TableDefinition definition = spans_table();
  definition.indexes.push_back(
      {.name = "by_text", .columns = {"label"}, .kind = IndexKind::search});
  return definition;
}

class SearchTest : public ::testing::Test {
 protected:
  SearchTest() : store_(open()) { (void)value_of(store_->ensure_table(searched_spans(), "test")); }

  std::unique_ptr<Store> open() { return open_store({.path = directory_.file("store.db")}); }

  static Status put(Store& store, std::int64_t start, Value label) {
    return store.commit(Batch().upsert("spans", span_key(1, start), {{"label", std::move(label)}}));
  }

  //! Starts of the rows that are found, in seconds, best first.
  static std::vector<std::int64_t> found(Snapshot& snapshot, std::vector<std::string> pieces,
                                         std::size_t limit = 1000) {
    const auto schema = value_of(snapshot.catalog().table("spans"));
    std::vector<std::int64_t> starts;
    EXPECT_OK(snapshot.search(
        {.table = "spans",
         .index = "by_text",
         .pieces = std::move(pieces),
         .limit = limit,
         .columns = {"start"}},
        [&](const RowView& row) {
          const auto& cell = row[schema->position(schema->find("start")->id)];
          starts.push_back(static_cast<std::int64_t>(cell.get<Decimal>().unscaled / 1'000'000'000));
          return true;
        }));
    return starts;
  }
  std::vector<std::int64_t> found(std::vector<std::string> pieces, std::size_t limit = 1000) {
    return found(*value_of(store_->snapshot()), std::move(pieces), limit);
  }

  using Starts = std::vector<std::int64_t>;
  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(SearchTest, rows_are_found_by_what_they_hold_now) {
  ASSERT_OK(put(*store_, 1, "camera one"));
  ASSERT_OK(put(*store_, 2, "camera two"));
  ASSERT_OK(put(*store_, 3, {}));
  EXPECT_EQ(found({"one"}), Starts({1}));
  EXPECT_EQ(found({"cam", "two"}), Starts({2, 1})) << "more pieces first";
  EXPECT_EQ(found({"cam", "two"}, 1), Starts({2}));
  EXPECT_EQ(found({"xyz"}), Starts());
  EXPECT_EQ(found({}), Starts());
  ASSERT_OK(store_->commit(Batch().update("spans", span_key(1, 1), {{"label", "tripod"}})));
  EXPECT_EQ(found({"one"}), Starts());
  EXPECT_EQ(found({"tri"}), Starts({1}));
  ASSERT_OK(store_->commit(Batch().update("spans", span_key(1, 3), {{"label", "tripod three"}})));
  ASSERT_OK(store_->commit(Batch().update("spans", span_key(1, 1), {{"label", Value()}})));
  EXPECT_EQ(found({"tri"}), Starts({3}));
  ASSERT_OK(store_->commit(Batch().erase("spans", span_key(1, 3))));
  EXPECT_EQ(found({"tri"}), Starts());
  ASSERT_OK(put(*store_, 3, "back"));
  EXPECT_EQ(found({"bac"}), Starts({3}));
}

TEST_F(SearchTest, a_failed_batch_leaves_the_index_as_it_was) {
  ASSERT_OK(put(*store_, 1, "first"));
  Batch batch;
  batch.update("spans", span_key(1, 1), {{"label", "changed"}});
  batch.insert("spans", span_key(1, 2), {{"label", "added"}});
  batch.insert("spans", span_key(1, 1), {{"label", "twice"}});
  EXPECT_FALSE(store_->commit(std::move(batch)));
  EXPECT_EQ(found({"fir"}), Starts({1}));
  EXPECT_EQ(found({"cha", "add", "twi"}), Starts());
}

TEST_F(SearchTest, a_snapshot_finds_what_it_holds) {
  ASSERT_OK(put(*store_, 1, "before"));
  const auto snapshot = value_of(store_->snapshot());
  ASSERT_OK(put(*store_, 1, "after"));
  EXPECT_EQ(found(*snapshot, {"bef"}), Starts({1}));
  EXPECT_EQ(found(*snapshot, {"aft"}), Starts());
  EXPECT_EQ(found({"aft"}), Starts({1}));
}

TEST_F(SearchTest, pieces_are_bytes_and_no_language) {
  ASSERT_OK(put(*store_, 1, "say \"AND\" OR* (x) ^y - NEAR"));
  ASSERT_OK(put(*store_, 2, "  ößü日本語 "));
  for (const char* piece : {"\"AN", "OR*", "(x)", "^y ", " - ", "NEAR"}) {
    EXPECT_EQ(found({piece}), Starts({1})) << piece;
  }
  EXPECT_EQ(found({"ößü"}), Starts({2}));
  EXPECT_EQ(found({"日本語"}), Starts({2}));
  EXPECT_EQ(found({"  ö"}), Starts({2}));
  EXPECT_EQ(found({"and"}), Starts()) << "capitals are other letters";
  const auto snapshot = value_of(store_->snapshot());
  const auto refused = [&](const SearchSpec& spec) {
    const Status status = snapshot->search(spec, [](const RowView&) { return true; });
    return !status &&
           (status.error().code() == Code::invalid || status.error().code() == Code::not_found);
  };
  EXPECT_TRUE(refused({.table = "spans", .index = "by_text", .pieces = {"ab"}}));
  EXPECT_TRUE(refused({.table = "spans", .index = "by_text", .pieces = {"日本"}}));
  EXPECT_TRUE(refused({.table = "spans", .index = "by_text", .pieces = {std::string("a\0b", 3)}}));
  EXPECT_TRUE(refused({.table = "spans", .index = "by_label", .pieces = {"abc"}}));
  EXPECT_TRUE(refused({.table = "nothing", .index = "by_text", .pieces = {"abc"}}));
  const Status scan =
      snapshot->scan({.table = "spans", .index = "by_text"}, [](const RowView&) { return true; });
  EXPECT_FALSE(scan) << "a search index has no order";
}

TEST_F(SearchTest, an_index_that_comes_later_knows_the_rows_before_it) {
  const TemporaryDirectory other;
  const auto store = open_store({.path = other.file("store.db")});
  (void)value_of(store->ensure_table(spans_table(), "test"));
  ASSERT_OK(put(*store, 1, "early"));
  ASSERT_OK(put(*store, 2, {}));
  (void)value_of(store->ensure_table(searched_spans(), "test"));
  ASSERT_OK(put(*store, 2, "late"));
  EXPECT_EQ(found(*value_of(store->snapshot()), {"ear", "lat"}).size(), 2U);
  TableDefinition otherwise = spans_table();
  otherwise.indexes.push_back({.name = "by_text", .columns = {"label"}});
  EXPECT_FALSE(store->ensure_table(otherwise, "test")) << "of another kind";
}

TEST_F(SearchTest, it_survives_reopening_and_backup) {
  ASSERT_OK(put(*store_, 1, "kept"));
  const std::string copy = directory_.file("copy");
  ASSERT_OK(store_->backup(copy));
  ASSERT_OK(put(*store_, 1, "changed"));
  store_.reset();
  store_ = open();
  EXPECT_EQ(found({"cha"}), Starts({1}));
  const auto restored = open_store({.path = copy + "/store.db"});
  EXPECT_EQ(found(*value_of(restored->snapshot()), {"kep"}), Starts({1}));
  ASSERT_OK(put(*restored, 1, "other"));
  EXPECT_EQ(found(*value_of(restored->snapshot()), {"kep", "oth"}), Starts({1}));
}

TEST_F(SearchTest, random_histories_find_what_a_look_at_every_row_finds) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto pick = [&](int count) {
    return static_cast<int>(random() % static_cast<unsigned>(count));
  };
  const auto label = [&] {
    std::string text;
    const int length = pick(8);
    for (int i = 0; i < length; ++i) text.push_back("ab \"d"[pick(5)]);
    return text;
  };
  std::map<std::int64_t, std::string> rows;
  for (int step = 0; step < 400; ++step) {
    const std::int64_t start = pick(20);
    const std::string text = label();
    Batch batch;
    if (rows.contains(start) && pick(3) == 0) {
      batch.erase("spans", span_key(1, start));
      rows.erase(start);
    } else if (rows.contains(start) && pick(2) == 0) {
      batch.update("spans", span_key(1, start), {{"label", text}});
      rows[start] = text;
    } else {
      batch.upsert("spans", span_key(1, start), {{"label", text}});
      rows[start] = text;
    }
    ASSERT_OK(store_->commit(std::move(batch)));
    std::string piece = label();
    piece.resize(3, 'a');
    std::set<std::int64_t> expected;
    for (const auto& [at_start, held] : rows) {
      if (held.find(piece) != std::string::npos) expected.insert(at_start);
    }
    const Starts starts = found({piece});
    ASSERT_EQ(std::set<std::int64_t>(starts.begin(), starts.end()), expected) << piece;
    ASSERT_EQ(starts.size(), expected.size());
  }
  EXPECT_EQ(value_of(value_of(store_->snapshot())->ledger("spans")),
            value_of(store_->recount("spans")));
}

}  // namespace
}  // namespace reel::store

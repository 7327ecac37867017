//! Readers, writers and a migrator at the same time.

#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "store/sqlite/test_tables.h"

namespace reel::store {
namespace {

using namespace testing;
using Steady = std::chrono::steady_clock;

constexpr int kThreads = 8;  // of each kind
constexpr std::int64_t kRowsOfWriter = 100;
const Reason kReason{.by = "test"};

//! Two columns whose names the migrator exchanges; their ids hold n and n + 1 for ever.
TableDefinition pairs_table() {
  const Type number = Type::of(TypeKind::int64);
  return {.name = "pairs",
          .columns = {{.name = "writer", .type = number, .nullable = false},
                      {.name = "row", .type = number, .nullable = false},
                      {.name = "low", .type = number},
                      {.name = "high", .type = number}},
          .partition_key = {"writer"},
          .clustering_key = {"row"}};
}

class SchemaChangeLoadTest : public ::testing::Test {
 protected:
  SchemaChangeLoadTest() {
    SqliteOptions options;
    options.path = directory_.file("store.db");
    store_ = open_store(options);
    const auto schema = value_of(store_->create_table(pairs_table(), kReason));
    low_ = schema->find_named("low")->id;
    high_ = schema->find_named("high")->id;
  }

  //! While the time runs, and until enough has happened on a slow machine.
  bool goes_on() const {
    const bool enough = migrations_ >= 20 && reads_ >= 20 && writes_ >= 100;
    return Steady::now() < end_ || (!enough && !::testing::Test::HasFailure());
  }

  bool names_are_exchanged(const TableSchema& schema) const {
    return schema.find_named("low")->id != low_;
  }

  void read() {
    while (goes_on()) {
      const auto snapshot = value_of(store_->snapshot());
      const auto schema = value_of(snapshot->catalog().table("pairs"));
      const Column* const extra = schema->find_named("extra");
      const std::size_t by_name =
          schema->position(schema->find_named(names_are_exchanged(*schema) ? "high" : "low")->id);
      ASSERT_EQ(by_name, schema->position(low_));
      const std::size_t high = schema->position(high_);
      ASSERT_OK(snapshot->scan_all("pairs", 0, 1, [&](const RowView& row) {
        EXPECT_EQ(row.cells.size(), schema->columns.size());
        EXPECT_EQ(row[by_name].get<std::int64_t>() + 1, row[high].get<std::int64_t>());
        EXPECT_EQ(row[by_name].get<std::int64_t>() % 2, 0);
        if (extra != nullptr) EXPECT_EQ(row[schema->position(extra->id)], Value(7));
        return !HasFailure();
      }));
      ++reads_;
    }
  }

  //! By id, or by the names of a version, in which case another version must be a conflict.
  void write(std::int64_t writer) {
    for (std::int64_t n = 0; goes_on(); n += 2) {
      const auto schema = value_of(store_->catalog()->table("pairs"));
      Cells cells = {{fmt::format("#{}", low_), n}, {fmt::format("#{}", high_), n + 1}};
      Batch batch;
      if (n % 4 == 0) {
        const bool exchanged = names_are_exchanged(*schema);
        cells = {{exchanged ? "high" : "low", n}, {exchanged ? "low" : "high", n + 1}};
        batch.schema_versions = {{"pairs", schema->version}};
      }
      const std::int64_t row = (n / 2) % kRowsOfWriter;
      batch.upsert("pairs", {writer, row}, std::move(cells));
      const Status done = store_->commit(std::move(batch));
      if (done) {
        acknowledged_[static_cast<std::size_t>(writer)][row] = n;
        ++writes_;
      } else {
        ASSERT_EQ(done.error().code(), Code::conflict) << done.error().message();
        ASSERT_EQ(n % 4, 0) << "ids need no version";
        ++conflicts_;
      }
    }
  }

  SchemaChangeLoadTest& migrate(std::vector<Operation> operations) {
    value_of(store_->migrate({.table = "pairs", .operations = std::move(operations)}, kReason));
    ++migrations_;
    return *this;
  }

  void change() {
    const AddColumn extra{
        {.name = "extra", .type = Type::of(TypeKind::int8), .nullable = false, .default_value = 7}};
    while (goes_on()) {
      migrate({RenameColumn{"low", "high"}, RenameColumn{"high", "low"}, extra});
      const ColumnId id = value_of(store_->catalog()->table("pairs"))->find_named("extra")->id;
      migrate({DropColumn{"extra"}}).migrate({UndropColumn{id}}).migrate({DropColumn{"extra"}});
      PurgePlace place;
      for (PurgeStep step; !step.done; place = step.next) {
        step = value_of(store_->purge(Instant{INT64_MAX}, 200, place));
      }
    }
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  ColumnId low_ = 0;
  ColumnId high_ = 0;
  const Steady::time_point end_ =
      Steady::now() + (std::getenv("REELHOUSE_FULL") != nullptr ? std::chrono::seconds(60)
                                                                : std::chrono::seconds(1));
  std::atomic<int> migrations_ = 0;
  std::atomic<int> reads_ = 0;
  std::atomic<int> writes_ = 0;
  std::atomic<int> conflicts_ = 0;
  //! Of each writer: the last value of each of its rows that the store confirmed.
  std::vector<std::map<std::int64_t, std::int64_t>> acknowledged_{kThreads};
};

TEST_F(SchemaChangeLoadTest, nobody_sees_a_mix_and_nothing_is_lost) {
  std::vector<std::thread> threads;
  for (std::int64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] { read(); });
    threads.emplace_back([this, i] { write(i); });
  }
  change();
  for (std::thread& thread : threads) thread.join();
  fmt::print("{} migrations, {} reads, {} writes, {} conflicts\n", migrations_.load(),
             reads_.load(), writes_.load(), conflicts_.load());
  const auto snapshot = value_of(store_->snapshot());
  const auto schema = value_of(snapshot->catalog().table("pairs"));
  for (std::int64_t writer = 0; writer < kThreads; ++writer) {
    for (const auto& [row, n] : acknowledged_[static_cast<std::size_t>(writer)]) {
      const auto cells = value_of(snapshot->get("pairs", {writer, row}));
      ASSERT_TRUE(cells.has_value());
      EXPECT_EQ((*cells)[schema->position(low_)], Value(n));
    }
  }
  EXPECT_EQ(value_of(snapshot->ledger("pairs")), value_of(store_->recount("pairs")));
}

}  // namespace
}  // namespace reel::store

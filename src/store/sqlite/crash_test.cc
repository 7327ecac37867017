//! What survives failing disks and power cuts.

#include <algorithm>
#include <map>
#include <thread>

#include "store/sqlite/fault_disk_test_support.h"
#include "store/sqlite/test_tables.h"
#include "store/test_values.h"

namespace reel::store {
namespace {

using namespace testing;

//! One row per batch that a client sent, so that a test can see which batches are there.
TableDefinition markers_table() {
  const Type number = Type::of(TypeKind::int64);
  return {.name = "markers",
          .columns = {{.name = "client", .type = number, .nullable = false},
                      {.name = "sequence", .type = number, .nullable = false}},
          .partition_key = {"client"},
          .clustering_key = {"sequence"}};
}

enum class Fate : std::uint8_t { there, absent, open, unknown };

//! A client that sends random batches for rows of its own flow and notes what it was told. Some
//! need not be durable at once: their fate is open until one that is has gone through.
class Client {
 public:
  Client(std::uint8_t number, std::uint64_t seed) : number_(number), random_(seed) {}

  void send(Store& store) {
    const Batch batch = next_batch();
    sent_.push_back(batch);
    const Fate fate = fate_of(store.commit(batch));
    if (batch.durability == Durability::with_the_next) {
      fates_.push_back(fate == Fate::there ? Fate::open : fate);
      return;
    }
    fates_.push_back(fate);
    if (fate == Fate::there) std::ranges::replace(fates_, Fate::open, Fate::there);
  }

  //! After a power cut nothing is open any more.
  void settle(Store& store) {
    const auto snapshot = value_of(store.snapshot());
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      if (fates_[i] == Fate::open) fates_[i] = is_there(*snapshot, i) ? Fate::there : Fate::absent;
    }
  }

  //! Every promise was kept, and the rows are what the batches that are there make together.
  void verify(Store& store) const {
    const auto snapshot = value_of(store.snapshot());
    bool lost = false;
    std::map<std::int64_t, std::pair<Value, Value>> expected;  // start → label, until
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      const bool there = is_there(*snapshot, i);
      ASSERT_FALSE(fates_[i] == Fate::there && !there) << "acknowledged batch " << i << " is gone";
      ASSERT_FALSE(fates_[i] == Fate::absent && there) << "refused batch " << i << " is there";
      ASSERT_FALSE(lost && there) << "batch " << i << " is there without one before it";
      lost = lost || (fates_[i] == Fate::open && !there);
      if (there) replay(sent_[i], expected);
    }
    std::map<std::int64_t, std::pair<Value, Value>> found;
    ASSERT_OK(
        snapshot->scan({.table = "spans", .partition = {flow(number_)}}, [&](const RowView& row) {
          const auto start = row[2].get<Decimal>().unscaled / 1'000'000'000;
          found[static_cast<std::int64_t>(start)] = {row[4], row[3]};
          return true;
        }));
    ASSERT_EQ(found, expected);
  }

  std::size_t count(Fate fate) const {
    return static_cast<std::size_t>(std::count(fates_.begin(), fates_.end(), fate));
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  bool is_there(Snapshot& snapshot, std::size_t batch) const {
    return value_of(snapshot.get("markers", {std::int64_t{number_}, std::int64_t(batch)}))
        .has_value();
  }

  static Fate fate_of(const Status& status) {
    if (status) return Fate::there;
    return status.error().code() == Code::unknown_outcome ? Fate::unknown : Fate::absent;
  }

  Batch next_batch() {
    Batch batch;
    if (below(3) == 0) batch.durability = Durability::with_the_next;
    const auto key = [&] { return span_key(number_, static_cast<std::int64_t>(below(12))); };
    if (below(10) == 0) batch.require_absent("spans", key());
    if (below(10) == 0) batch.require_present("spans", key());
    for (std::uint64_t i = below(4); i > 0; --i) {
      const Cells cells = {{"label", std::string(below(2'500), static_cast<char>('a' + below(26)))},
                           {"until", at(static_cast<std::int64_t>(below(100)))}};
      switch (below(10)) {
        case 0: batch.insert("spans", key(), cells); break;
        case 1: batch.update("spans", key(), cells); break;
        case 2: batch.erase("spans", key()); break;
        default: batch.upsert("spans", key(), cells); break;
      }
    }
    batch.insert("markers", {std::int64_t{number_}, std::int64_t(sent_.size())}, {});
    return batch;
  }

  static void replay(const Batch& batch, std::map<std::int64_t, std::pair<Value, Value>>& rows) {
    for (const Mutation& mutation : batch.mutations) {
      if (mutation.table != "spans") continue;
      const auto start =
          static_cast<std::int64_t>(mutation.key[1].get<Decimal>().unscaled / 1'000'000'000);
      if (mutation.kind == Mutation::Kind::erase) {
        rows.erase(start);
      } else {
        rows[start] = {mutation.cells[0].second, mutation.cells[1].second};
      }
    }
  }

  std::uint8_t number_;
  std::mt19937_64 random_;
  std::vector<Batch> sent_;
  std::vector<Fate> fates_;
};

class CrashTest : public ::testing::Test {
 protected:
  SqliteOptions options(const FaultDisk& disk) {
    SqliteOptions options;
    options.path = directory_.file("store.db");
    options.vfs = disk.vfs_name();
    options.clock = &clock_;
    options.busy_ms = 200;
    options.wal_pages_soft = 12;  // many checkpoints
    options.wal_pages_hard = 24;
    options.checkpoint_in_background = false;
    options.retry_ms = 0;
    options.writer_cache_kib = 64;  // large batches spill into the log before their commit
    options.health_changed = [](const StoreHealth&) {};
    return options;
  }

  void create(FaultDisk& disk) {
    const auto store = open_store(options(disk));
    value_of(store->ensure_table(spans_table(), "test"));
    value_of(store->ensure_table(markers_table(), "test"));
  }

  static void expect_true_ledger(Store& store) {
    for (const char* table : {"spans", "markers"}) {
      ASSERT_EQ(value_of(value_of(store.snapshot())->ledger(table)), value_of(store.recount(table)))
          << table;
    }
  }

  //! Sends batches until the power is off, or all have been sent; then looks what is there after
  //! the restart, and that the store goes on.
  void run_until_cut(FaultDisk& disk, Client& client, int batches) {
    {
      auto store = open_sqlite_store(options(disk));
      for (int i = 0; store && i < batches && !disk.power_is_off(); ++i) client.send(**store);
    }
    disk.restart();
    const auto store = open_store(options(disk));
    client.verify(*store);
    client.settle(*store);
    if (::testing::Test::HasFatalFailure()) return;
    expect_true_ledger(*store);
    client.send(*store);
    client.verify(*store);
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
};

constexpr int kBatches = 14;

TEST_F(CrashTest, a_cut_at_any_point_loses_nothing_that_was_acknowledged) {
  const std::uint64_t seed = test_seed();
  std::uint64_t points = 0;
  {
    FaultDisk disk(seed);
    create(disk);
    const std::uint64_t before = disk.operations();
    Client client(1, seed);
    run_until_cut(disk, client, kBatches);
    ASSERT_GT(client.count(Fate::there), 3U);
    points = disk.operations() - before;
  }
  for (std::uint64_t point = 0; point < points; ++point) {
    SCOPED_TRACE(fmt::format("cut at {} of {}, REELHOUSE_SEED={}", point, points, seed));
    FaultDisk disk(seed + point);
    create(disk);
    disk.cut_power_after(point);
    Client client(1, seed);
    run_until_cut(disk, client, kBatches);
    if (HasFatalFailure()) return;
  }
}

TEST_F(CrashTest, random_cuts_one_after_the_other) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t round = 0; round < 20; ++round) {
    SCOPED_TRACE(fmt::format("round {}, REELHOUSE_SEED={}", round, seed));
    std::mt19937_64 random(seed + round);
    FaultDisk disk(random());
    create(disk);
    Client client(1, random());
    for (int cut = 0; cut < 6; ++cut) {
      disk.cut_power_after(random() % 150);
      run_until_cut(disk, client, 30);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(CrashTest, a_new_store_survives_a_cut_at_any_point) {
  for (std::uint64_t point = 0;; ++point) {
    FaultDisk disk(point);
    disk.cut_power_after(point);
    {
      auto store = open_sqlite_store(options(disk));
      if (store) (void)(*store)->ensure_table(spans_table(), "test");
    }
    if (!disk.power_is_off()) break;
    disk.restart();
    const auto store = open_store(options(disk));
    value_of(store->ensure_table(spans_table(), "test"));
    ASSERT_OK(store->commit(Batch().insert("spans", span_key(1, 1), {})));
  }
}

TEST_F(CrashTest, schema_changes_survive_a_cut_at_any_point) {
  TableDefinition newer = spans_table();
  newer.columns.push_back(
      {.name = "note", .type = Type::of(TypeKind::string), .default_value = "n"});
  newer.indexes.push_back({.name = "by_note", .columns = {"note"}});
  for (std::uint64_t point = 0;; ++point) {
    FaultDisk disk(point);
    create(disk);
    disk.cut_power_after(point);
    bool acknowledged = false;
    {
      auto store = open_sqlite_store(options(disk));
      acknowledged = store && (*store)->ensure_table(newer, "test");
    }
    const bool cut = disk.power_is_off();
    disk.restart();
    const auto store = open_store(options(disk));
    const auto schema = value_of(store->catalog()->table("spans"));
    ASSERT_EQ(schema->version, schema->find("note") == nullptr ? 1U : 2U);
    ASSERT_FALSE(acknowledged && schema->version == 1);
    value_of(store->ensure_table(newer, "test"));
    ASSERT_OK(store->commit(Batch().insert("spans", span_key(1, 1), {{"note", "x"}})));
    expect_true_ledger(*store);
    if (!cut) break;
  }
}

struct Fault {
  unsigned kinds;
  int rc;
  std::uint64_t times;
};

TEST_F(CrashTest, faults_at_any_point_never_break_a_promise) {
  const std::uint64_t seed = test_seed();
  const std::vector<Fault> faults = {{FaultDisk::on_sync, SQLITE_IOERR, 1},
                                     {FaultDisk::on_sync, SQLITE_IOERR, 3},
                                     {FaultDisk::on_write, SQLITE_FULL, 1},
                                     {FaultDisk::on_write, SQLITE_FULL, 40},
                                     {FaultDisk::on_write, SQLITE_IOERR_WRITE, 2},
                                     {FaultDisk::on_truncate, SQLITE_IOERR_TRUNCATE, 2},
                                     {FaultDisk::on_all, SQLITE_IOERR, 5}};
  for (const Fault& fault : faults) {
    // Every third point, another third with another seed: the whole sweep is slow without -O2.
    for (std::uint64_t point = seed % 3;; point += 3) {
      SCOPED_TRACE(fmt::format("operations {} fail with {} {} times after {}, REELHOUSE_SEED={}",
                               fault.kinds, fault.rc, fault.times, point, seed));
      FaultDisk disk(seed + point);
      create(disk);
      Client client(1, seed + point);
      const std::uint64_t before = disk.operations(fault.kinds);
      disk.fail(fault.kinds, point, fault.times, fault.rc);
      {
        auto store = open_sqlite_store(options(disk));
        for (int i = 0; store && i < kBatches; ++i) client.send(**store);
        disk.heal();
        if (store) {
          client.verify(**store);  // readers see nothing that is not so
          if (HasFatalFailure()) return;
        }
      }
      const bool reached = disk.operations(fault.kinds) - before > point;
      disk.restart();  // and a power cut on top
      const auto store = open_store(options(disk));
      client.verify(*store);
      if (HasFatalFailure()) return;
      expect_true_ledger(*store);
      if (!reached) break;
    }
  }
}

//! The log that only memory has must not go to the database: the disk's one, which is shorter, may
//! be back after a power cut.
TEST_F(CrashTest, a_store_that_ends_unwell_leaves_its_log_alone) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    FaultDisk disk(seed);
    create(disk);
    Client client(1, seed);
    {
      const auto store = open_store(options(disk));
      for (int i = 0; i < 6; ++i) client.send(*store);
      client.verify(*store);  // leaves a reader, which is closed last
      disk.fail(FaultDisk::on_sync, 0, UINT64_MAX, SQLITE_IOERR);
      for (int i = 0; i < 3; ++i) client.send(*store);
      disk.heal();
    }
    disk.restart();
    const auto store = open_store(options(disk));
    client.verify(*store);
    if (HasFatalFailure()) return;
    expect_true_ledger(*store);
  }
}

TEST_F(CrashTest, a_full_disk_makes_the_store_read_only_until_there_is_room) {
  FaultDisk disk(1);
  create(disk);
  SqliteOptions slow = options(disk);
  slow.retry_ms = 100;
  std::vector<bool> told;
  slow.health_changed = [&](const StoreHealth& health) { told.push_back(health.writable); };
  const auto store = open_store(slow);
  ASSERT_OK(store->commit(Batch().insert("spans", span_key(1, 1), {})));
  disk.fail(FaultDisk::on_write, 0, UINT64_MAX, SQLITE_FULL);
  const Status first = store->commit(Batch().insert("spans", span_key(1, 2), {}));
  ASSERT_FALSE(first);
  EXPECT_TRUE(first.error().code() == Code::io || first.error().code() == Code::unknown_outcome);
  EXPECT_FALSE(store->health().writable);
  EXPECT_NE(store->health().reason.find("full"), std::string::npos) << store->health().reason;
  disk.heal();
  const Status second = store->commit(Batch().insert("spans", span_key(1, 3), {}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::read_only);
  EXPECT_TRUE(value_of(value_of(store->snapshot())->get("spans", span_key(1, 1))));
  while (!store->health().writable) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_OK(store->commit(Batch().insert("spans", span_key(1, 4), {})));
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
}

TEST_F(CrashTest, a_failed_sync_is_not_taken_back_by_a_good_one) {
  FaultDisk disk(1);
  create(disk);
  const auto store = open_store(options(disk));
  disk.fail(FaultDisk::on_sync, 0, 1, SQLITE_IOERR);
  const Status failed = store->commit(Batch().insert("spans", span_key(1, 1), {}));
  ASSERT_FALSE(failed);
  // The disk took the commit that followed, which proves that this one did not happen.
  EXPECT_EQ(failed.error().code(), Code::io);
  EXPECT_NE(failed.error().message().find("nothing was applied"), std::string::npos);
  while (!store->health().writable) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(value_of(value_of(store->snapshot())->get("spans", span_key(1, 1))), std::nullopt);
  ASSERT_OK(store->commit(Batch().insert("spans", span_key(1, 1), {})));
}

TEST_F(CrashTest, many_clients_share_commits_and_a_cut) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t round = 0; round < 8; ++round) {
    SCOPED_TRACE(fmt::format("round {}, REELHOUSE_SEED={}", round, seed));
    FaultDisk disk(seed + round);
    create(disk);
    std::vector<Client> clients;
    for (std::uint8_t i = 0; i < 8; ++i) clients.emplace_back(i, seed + round * 100 + i);
    {
      SqliteOptions with_checkpoints = options(disk);
      with_checkpoints.checkpoint_in_background = round % 2 == 0;
      const auto store = open_store(with_checkpoints);
      disk.cut_power_after(100 + 100 * round);
      std::vector<std::jthread> threads;
      for (Client& client : clients) {
        threads.emplace_back([&] {
          for (int i = 0; i < 100 && !disk.power_is_off(); ++i) client.send(*store);
        });
      }
    }
    disk.restart();
    const auto store = open_store(options(disk));
    for (const Client& client : clients) {
      client.verify(*store);
      if (HasFatalFailure()) return;
    }
    expect_true_ledger(*store);
  }
}

}  // namespace
}  // namespace reel::store

//! Many threads at once: group commit, isolation, limits.

#include <unistd.h>

#include <fstream>
#include <latch>
#include <thread>

#include "store/sqlite/fault_disk_test_support.h"
#include "store/sqlite/test_tables.h"

namespace reel::store {
namespace {

using namespace testing;

class ConcurrencyTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open(SqliteOptions options) {
    options.path = path_;
    auto store = open_store(std::move(options));
    value_of(store->ensure_table(spans_table(), "test"));
    return store;
  }

  static std::size_t rows(Store& store) {
    std::size_t count = 0;
    EXPECT_OK(value_of(store.snapshot())->scan_all("spans", 0, 1, [&](const RowView&) {
      return ++count > 0;
    }));
    return count;
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.file("store.db");
};

//! Runs `work(i)` on `count` threads that start together.
template <class Work>
void in_parallel(std::uint8_t count, Work work) {
  std::latch start(count);
  std::vector<std::jthread> threads;
  for (std::uint8_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
}

TEST_F(ConcurrencyTest, waiting_batches_share_one_sync) {
  FaultDisk disk(1);
  const auto store = open({.vfs = disk.vfs_name()});
  disk.slow_syncs(std::chrono::milliseconds(2));
  const std::uint64_t before = disk.operations(FaultDisk::on_sync);
  in_parallel(32, [&](std::uint8_t i) {
    for (int n = 0; n < 10; ++n) {
      EXPECT_OK(store->commit(Batch().insert("spans", span_key(i, n), {})));
    }
  });
  EXPECT_EQ(rows(*store), 320U);
  const std::uint64_t syncs = disk.operations(FaultDisk::on_sync) - before;
  EXPECT_GE(syncs, 10U);  // every thread waits for its own
  EXPECT_LE(syncs, 80U);
  EXPECT_EQ(value_of(value_of(store->snapshot())->ledger("spans")),
            value_of(store->recount("spans")));
}

TEST_F(ConcurrencyTest, batches_of_one_group_see_each_other) {
  FaultDisk disk(1);
  const auto store = open({.vfs = disk.vfs_name()});
  disk.slow_syncs(std::chrono::milliseconds(2));
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    in_parallel(16, [&](std::uint8_t i) {
      // Half of them by precondition, half by the row itself; some with a row that must go again.
      Batch batch;
      if (i % 2 == 0) batch.require_absent("spans", span_key(0, round));
      batch.upsert("spans", span_key(100, i * 1'000 + round), {});
      batch.insert("spans", span_key(0, round), {});
      const Status done = store->commit(batch);
      if (done) {
        ++won;
      } else {
        EXPECT_EQ(done.error().code(), Code::conflict);
        ++lost;
      }
    });
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 15);
  }
  EXPECT_EQ(rows(*store), 20U);
  EXPECT_EQ(value_of(value_of(store->snapshot())->ledger("spans")),
            value_of(store->recount("spans")));
}

TEST_F(ConcurrencyTest, a_reader_never_sees_half_a_batch) {
  const auto store = open({.wal_pages_soft = 50, .wal_pages_hard = 200});
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> acknowledged{0};
  std::jthread writer([&] {
    for (std::int64_t n = 1; !stop; ++n) {
      Batch batch;
      for (std::uint8_t f = 0; f < 5; ++f) batch.upsert("spans", span_key(f, 0), {{"size", n}});
      if (n % 10 == 0) batch.upsert("spans", span_key(9, n), {});
      EXPECT_OK(store->commit(batch));
      acknowledged = n;
    }
  });
  const auto size_at = [](Snapshot& snapshot, std::uint8_t f) {
    const auto row = value_of(snapshot.get("spans", span_key(f, 0), {"size"}));
    return row ? row->back().get<std::int64_t>() : 0;
  };
  in_parallel(4, [&](std::uint8_t) {
    while (acknowledged < 300) {
      const std::int64_t promised = acknowledged;
      const auto snapshot = value_of(store->snapshot());
      const std::int64_t first = size_at(*snapshot, 0);
      EXPECT_GE(first, promised);
      for (std::uint8_t f = 1; f < 5; ++f) EXPECT_EQ(size_at(*snapshot, f), first);
      std::int64_t counted = 0;
      EXPECT_OK(snapshot->scan_all("spans", 0, 1, [&](const RowView&) { return ++counted > 0; }));
      std::int64_t noted = 0;
      for (const LedgerEntry& entry : value_of(snapshot->ledger("spans"))) noted += entry.rows;
      EXPECT_EQ(counted, noted);
    }
  });
  stop = true;
}

TEST_F(ConcurrencyTest, snapshots_taken_together_see_the_same) {
  const auto store = open({});
  std::atomic<bool> stop{false};
  std::jthread writer([&] {
    for (int n = 0; !stop; ++n)
      EXPECT_OK(store->commit(Batch().insert("spans", span_key(1, n), {})));
  });
  for (int round = 0; round < 50; ++round) {
    const auto views = value_of(store->snapshots(4));
    ASSERT_EQ(views.size(), 4U);
    for (const auto& view : views) {
      EXPECT_EQ(value_of(view->ledger("spans")), value_of(views[0]->ledger("spans")));
    }
  }
  stop = true;
  writer.join();
  store->stop();
  EXPECT_EQ(value_of(store->snapshots(2)).size(), 2U);
}

TEST_F(ConcurrencyTest, the_log_stays_bounded_under_load_with_readers) {
  const auto store = open({.wal_pages_soft = 100, .wal_pages_hard = 400});
  std::atomic<bool> stop{false};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) EXPECT_GE(rows(*store), 0U);
    });
  }
  std::uintmax_t largest = 0;
  for (int n = 0; n < 1'000; ++n) {
    Batch batch;
    for (int i = 0; i < 20; ++i) {
      batch.upsert("spans", span_key(1, (n * 20 + i) % 500), {{"label", std::string(300, 'x')}});
    }
    ASSERT_OK(store->commit(batch));
    largest = std::max(largest, std::filesystem::file_size(path_ + "-wal"));
  }
  stop = true;
  EXPECT_LT(largest, 3'000U * 4'120U);  // without restarts it has 8,000
}

//! As requests do: what was read must still be there when the batch is applied.
TEST_F(ConcurrencyTest, the_log_stays_bounded_while_writers_hold_snapshots) {
  const auto store = open({.wal_pages_soft = 100, .wal_pages_hard = 400});
  std::atomic<std::uintmax_t> largest = 0;
  in_parallel(6, [&](std::uint8_t client) {
    for (int n = 0; n < 250; ++n) {
      const auto snapshot = value_of(store->snapshot());
      Batch batch;
      if (client % 2 == 0) batch.durability = Durability::with_the_next;
      for (int i = 0; i < 10; ++i) {
        batch.upsert("spans", span_key(client, (n * 10 + i) % 250),
                     {{"label", std::string(300, 'x')}});
      }
      ASSERT_OK(store->commit(batch));
      if (client == 0)
        largest = std::max<std::uintmax_t>(largest, std::filesystem::file_size(path_ + "-wal"));
    }
  });
  EXPECT_LT(largest, 3'000U * 4'120U);
}

TEST_F(ConcurrencyTest, the_log_stays_bounded_during_a_bulk_load) {
  const auto store = open({.wal_pages_soft = 100, .wal_pages_hard = 400});
  std::uintmax_t largest = 0;
  for (int n = 0; n < 150; ++n) {
    Batch batch;
    for (int i = 0; i < 150; ++i) {
      batch.insert("spans", span_key(1, (n * 150 + i) * 7'919 % 22'501),
                   {{"label", std::string(300, 'x')}});
    }
    ASSERT_OK(store->commit(batch));
    largest = std::max(largest, std::filesystem::file_size(path_ + "-wal"));
  }
  EXPECT_LT(largest, 1'600U * 4'120U);
}

TEST_F(ConcurrencyTest, schema_changes_and_batches_do_not_mind_each_other) {
  const auto store = open({});
  in_parallel(4, [&](std::uint8_t i) {
    for (int n = 0; n < 40; ++n) {
      if (i == 0 && n % 4 == 0) {
        TableDefinition newer = spans_table();
        for (int column = 0; column <= n; column += 4) {
          newer.columns.push_back({.name = fmt::format("extra_{}", column),
                                   .type = Type::of(TypeKind::int64),
                                   .default_value = column});
        }
        value_of(store->ensure_table(newer, "test"));
      }
      EXPECT_OK(store->commit(Batch().insert("spans", span_key(i, n), {{"label", "x"}})));
      const auto row = value_of(value_of(store->snapshot())->get("spans", span_key(i, n)));
      EXPECT_TRUE(row);
    }
  });
  EXPECT_EQ(value_of(store->catalog()->table("spans"))->version, 11U);
  EXPECT_EQ(value_of(value_of(store->snapshot())->ledger("spans")),
            value_of(store->recount("spans")));
}

TEST_F(ConcurrencyTest, a_full_queue_refuses_and_a_stopping_store_finishes) {
  FaultDisk disk(1);
  const auto store = open({.vfs = disk.vfs_name(), .commit_queue_max = 4, .group_batches_max = 1});
  disk.slow_syncs(std::chrono::milliseconds(20));
  std::atomic<int> done{0};
  std::atomic<int> refused{0};
  in_parallel(12, [&](std::uint8_t i) {
    const Status status = store->commit(Batch().insert("spans", span_key(i, 1), {}));
    if (status) {
      ++done;
    } else {
      EXPECT_EQ(status.error().code(), Code::overloaded);
      ++refused;
    }
  });
  EXPECT_GE(done, 4);
  EXPECT_GE(refused, 1);
  EXPECT_EQ(rows(*store), static_cast<std::size_t>(done));
  std::vector<std::jthread> late;
  for (std::uint8_t i = 0; i < 3; ++i) {
    late.emplace_back([&, i] {
      const Status status = store->commit(Batch().insert("spans", span_key(i, 2), {}));
      EXPECT_TRUE(status || status.error().code() == Code::shutting_down);
      if (status) ++done;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  store->stop();
  late.clear();
  EXPECT_EQ(rows(*store), static_cast<std::size_t>(done));
}

TEST_F(ConcurrencyTest, readers_are_bounded) {
  const auto store = open({.readers_max = 2, .busy_ms = 20});
  const auto one = value_of(store->snapshot());
  auto two = value_of(store->snapshot());
  const auto three = store->snapshot();
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().code(), Code::overloaded);
  two.reset();
  EXPECT_TRUE(store->snapshot());
}

class OpenTest : public ConcurrencyTest {
 protected:
  std::string refusal() {
    const auto store = open_sqlite_store({.path = path_});
    return store ? "opened" : text_of(tl::unexpected(store.error().clone()));
  }

  void run_sql(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
};

TEST_F(OpenTest, a_newer_store_is_left_alone) {
  open({}).reset();
  run_sql("PRAGMA user_version=7");
  EXPECT_EQ(refusal(), "unsupported: " + path_ +
                           ": the store has format version 7, this program knows versions up to 3");
}

TEST_F(OpenTest, somebody_elses_database_is_left_alone) {
  run_sql("CREATE TABLE x (y)");
  EXPECT_EQ(refusal(), "unsupported: " + path_ + ": the database is not a Reelhouse store");
}

TEST_F(OpenTest, what_is_no_database_is_corrupt) {
  std::ofstream(path_) << std::string(5'000, 'x');
  EXPECT_EQ(refusal().substr(0, 8), "corrupt:") << refusal();
}

TEST_F(OpenTest, a_path_that_cannot_be_is_named) {
  std::ofstream(directory_.file("file")) << "x";
  const auto store = open_sqlite_store({.path = directory_.file("file/below/store.db")});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), Code::io);
  EXPECT_NE(store.error().message().find(directory_.file("file")), std::string::npos);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(refusal().substr(0, 3), "io:") << refusal();
}

TEST_F(OpenTest, a_directory_that_may_not_be_written_is_named) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::owner_read);
  EXPECT_EQ(refusal().substr(0, 3), "io:");
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::owner_all);
}

TEST_F(OpenTest, the_lock_ends_with_the_store) {
  auto store = open({});
  EXPECT_EQ(refusal().substr(0, 9), "conflict:");
  store.reset();
  EXPECT_EQ(refusal(), "opened");
}

TEST_F(OpenTest, a_damaged_page_is_an_error_and_not_a_crash) {
  {
    const auto store = open({});
    Batch batch;
    for (int n = 0; n < 2'000; ++n) {
      batch.insert("spans", span_key(1, n), {{"label", std::string(50, 'x')}});
    }
    ASSERT_OK(store->commit(batch));
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 8; page < 30; ++page) {
    file.seekp(page * 4'096);
    file << std::string(4'096, '\xee');
  }
  file.close();
  const auto store = open({});
  const Status scanned =
      value_of(store->snapshot())->scan_all("spans", 0, 1, [](const RowView&) { return true; });
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code(), Code::corrupt);
}

}  // namespace
}  // namespace reel::store

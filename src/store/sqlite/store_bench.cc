//! The store against the disk and against bare SQLite. REELHOUSE_BENCH_DIR chooses the disk
//! (default: the working directory); each bench prints what the disk's own fsync costs.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <sqlite3.h>

#include "store/sqlite/sqlite_store.h"

namespace reel::store {
namespace {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    const char* given = std::getenv("REELHOUSE_BENCH_DIR");
    path_ = fs::path(given == nullptr ? "." : given) / "reelhouse-store-bench";
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Directory() { fs::remove_all(path_); }
  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

TableDefinition segments_table() {
  return {.name = "segments",
          .columns = {{.name = "flow", .type = Type::of(TypeKind::uuid), .nullable = false},
                      {.name = "start", .type = Type::media_time(), .nullable = false},
                      {.name = "until", .type = Type::media_time(), .nullable = false},
                      {.name = "object", .type = Type::of(TypeKind::string), .nullable = false},
                      {.name = "sample_offset", .type = Type::of(TypeKind::int64)},
                      {.name = "sample_count", .type = Type::of(TypeKind::int64)}},
          .partition_key = {"flow"},
          .clustering_key = {"start"},
          .indexes = {{.name = "by_object", .columns = {"object"}}}};
}

std::unique_ptr<Store> open_store(const std::string& path) {
  SqliteOptions options{.path = path};
  if (const char* page = std::getenv("REELHOUSE_BENCH_PAGE")) {
    options.page_bytes = std::strtoull(page, nullptr, 10);
  }
  auto store = open_sqlite_store(options);
  REEL_CHECK(store.has_value());
  REEL_CHECK((*store)->ensure_table(segments_table(), "bench").has_value());
  return *std::move(store);
}

Uuid flow(std::uint64_t number) {
  Uuid uuid;
  for (std::size_t i = 0; i < 8; ++i) {
    uuid.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return uuid;
}

Value at(std::int64_t seconds) { return Decimal{Int128{seconds} * 1'000'000'000}; }

std::string object_name(std::int64_t number) {
  return fmt::format("flows/2f1a/{:016x}/segment.ts",
                     static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15);
}

void add_segment(Batch& batch, std::uint64_t flow_number, std::int64_t number) {
  batch.insert("segments", {flow(flow_number), at(number * 2)},
               {{"until", at(number * 2 + 2)},
                {"object", object_name(number)},
                {"sample_offset", std::int64_t{0}},
                {"sample_count", std::int64_t{50}}});
}

void commit_one_row(benchmark::State& state) {
  static std::unique_ptr<Directory> directory;
  static std::unique_ptr<Store> store;
  if (state.thread_index() == 0) {
    directory = std::make_unique<Directory>();
    store = open_store(directory->file("store.db"));
  }
  std::int64_t number = 0;
  for (auto _ : state) {
    Batch batch;
    batch.preconditions.push_back({.kind = Precondition::Kind::no_overlap,
                                   .table = "segments",
                                   .key = {flow(static_cast<std::uint64_t>(state.thread_index()))},
                                   .end_column = "until",
                                   .start = at(number * 2),
                                   .end = at(number * 2 + 2)});
    add_segment(batch, static_cast<std::uint64_t>(state.thread_index()), number++);
    REEL_CHECK(store->commit(std::move(batch)).has_value());
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) {
    store.reset();
    directory.reset();
  }
}
BENCHMARK(commit_one_row)
    ->MeasureProcessCPUTime()
    ->Threads(1)
    ->Threads(8)
    ->Threads(64)
    ->UseRealTime();

void commit_batch_of_1000(benchmark::State& state) {
  const Directory directory;
  const auto store = open_store(directory.file("store.db"));
  std::int64_t number = 0;
  for (auto _ : state) {
    Batch batch;
    for (int i = 0; i < 1'000; ++i) add_segment(batch, 1, number++);
    REEL_CHECK(store->commit(std::move(batch)).has_value());
  }
  state.SetItemsProcessed(state.iterations() * 1'000);
}
BENCHMARK(commit_batch_of_1000)->MeasureProcessCPUTime()->UseRealTime();

//! The same rows, one transaction per 1000, without anything of ours: no ledger, no checks.
void bare_sqlite_batch_of_1000(benchmark::State& state) {
  const Directory directory;
  sqlite3* db = nullptr;
  sqlite3_open(directory.file("bare.db").c_str(), &db);
  const auto run = [&](const char* sql) {
    REEL_CHECK(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  };
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; "
      "PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=4000;"
      "CREATE TABLE t (inserted INTEGER, flow BLOB, start BLOB, until BLOB, object TEXT, "
      "o INTEGER, n INTEGER, PRIMARY KEY (flow, start)) WITHOUT ROWID;"
      "CREATE INDEX i ON t (object, flow, start)");
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?,?,?,?,?,?,?)", -1, &insert, nullptr);
  std::int64_t number = 0;
  const Uuid one = flow(1);
  for (auto _ : state) {
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < 1'000; ++i, ++number) {
      const std::string start = encode_decimal_key(at(number * 2).get<Decimal>());
      const std::string until = encode_decimal_key(at(number * 2 + 2).get<Decimal>());
      const std::string object = object_name(number);
      sqlite3_bind_int64(insert, 1, 1'700'000'000'000'000);
      sqlite3_bind_blob(insert, 2, one.bytes.data(), 16, SQLITE_STATIC);
      sqlite3_bind_blob(insert, 3, start.data(), 12, SQLITE_STATIC);
      sqlite3_bind_blob(insert, 4, until.data(), 12, SQLITE_STATIC);
      sqlite3_bind_text(insert, 5, object.data(), static_cast<int>(object.size()), SQLITE_STATIC);
      sqlite3_bind_int64(insert, 6, 0);
      sqlite3_bind_int64(insert, 7, 50);
      REEL_CHECK(sqlite3_step(insert) == SQLITE_DONE);
      sqlite3_reset(insert);
    }
    run("COMMIT");
  }
  state.SetItemsProcessed(state.iterations() * 1'000);
  sqlite3_finalize(insert);
  sqlite3_close(db);
}
BENCHMARK(bare_sqlite_batch_of_1000)->MeasureProcessCPUTime()->UseRealTime();

//! A flow with a million segments.
class Million {
 public:
  Million() : store(open_store(directory.file("store.db"))) {
    for (std::int64_t number = 0; number < kRows;) {
      Batch batch;
      for (int i = 0; i < 10'000; ++i) add_segment(batch, 1, number++);
      REEL_CHECK(store->commit(std::move(batch)).has_value());
    }
  }
  static constexpr std::int64_t kRows = 1'000'000;
  Directory directory;
  std::unique_ptr<Store> store;
};

Million& million() {
  static Million one;
  return one;
}

ScanSpec middle(std::int64_t first) {
  ScanSpec spec{.table = "segments", .partition = {flow(1)}};
  spec.lower = RangeBound{{at(first * 2)}};
  spec.upper = RangeBound{{at((first + 30) * 2)}, false};
  return spec;
}

void scan_30_rows(benchmark::State& state) {
  const auto snapshot = *million().store->snapshot();
  std::uint64_t random = 1;
  for (auto _ : state) {
    random = random * 6364136223846793005 + 1442695040888963407;
    std::size_t bytes = 0;
    const Status done = snapshot->scan(middle(static_cast<std::int64_t>((random >> 33) % 900'000)),
                                       [&](const RowView& row) {
                                         bytes += row[4].get<std::string>().size();
                                         return true;
                                       });
    REEL_CHECK(done.has_value());
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * 30);
}
BENCHMARK(scan_30_rows);

//! The same with two columns and with a snapshot of its own, as a request does.
void request_of_30_rows(benchmark::State& state) {
  std::uint64_t random = 1;
  for (auto _ : state) {
    random = random * 6364136223846793005 + 1442695040888963407;
    ScanSpec spec = middle(static_cast<std::int64_t>((random >> 33) % 900'000));
    spec.columns = {"start", "object"};
    const auto snapshot = *million().store->snapshot();
    REEL_CHECK(snapshot->scan(spec, [](const RowView&) { return true; }).has_value());
  }
  state.SetItemsProcessed(state.iterations() * 30);
}
BENCHMARK(request_of_30_rows);

void get_one_row(benchmark::State& state) {
  const auto snapshot = *million().store->snapshot();
  std::uint64_t random = 1;
  for (auto _ : state) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const auto row = snapshot->get(
        "segments", {flow(1), at(static_cast<std::int64_t>((random >> 33) % 1'000'000) * 2)});
    REEL_CHECK(row.has_value() && row->has_value());
  }
}
BENCHMARK(get_one_row);

void open_snapshot(benchmark::State& state) {
  for (auto _ : state) {
    auto snapshot = million().store->snapshot();
    benchmark::DoNotOptimize(snapshot);
  }
}
BENCHMARK(open_snapshot);

void scan_everything(benchmark::State& state) {
  const auto snapshot = *million().store->snapshot();
  for (auto _ : state) {
    std::int64_t rows = 0;
    REEL_CHECK(snapshot->scan_all("segments", 0, 1, [&](const RowView&) { return ++rows > 0; })
                   .has_value());
    REEL_CHECK(rows == Million::kRows);
  }
  state.SetItemsProcessed(state.iterations() * Million::kRows);
}
BENCHMARK(scan_everything)->Unit(benchmark::kMillisecond);

void recount(benchmark::State& state) {
  for (auto _ : state) REEL_CHECK(million().store->recount("segments").has_value());
  state.SetItemsProcessed(state.iterations() * Million::kRows);
}
BENCHMARK(recount)->Unit(benchmark::kMillisecond);

//! What the disk itself asks for 8 kB made durable: the floor of a commit.
void bare_append_and_sync(benchmark::State& state) {
  const Directory directory;
  const int file = ::open(directory.file("bare").c_str(), O_WRONLY | O_CREAT, 0644);
  REEL_CHECK(file >= 0);
  const std::string bytes(8'192, 'x');
  for (auto _ : state) {
    REEL_CHECK(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    REEL_CHECK(::fdatasync(file) == 0);
  }
  ::close(file);
}
BENCHMARK(bare_append_and_sync)->UseRealTime();

}  // namespace
}  // namespace reel::store

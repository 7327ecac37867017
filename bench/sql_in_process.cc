// links: sql tams store_sqlite
//! SQL over one large flow, and the same file read by a bare loop over sqlite3_step.
//! Usage: bench_sql_in_process FOLDER SEGMENTS LOOKUPS; prints JSON.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include <sqlite3.h>
#include <sys/resource.h>

#include "sql/engine.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/tables.h"

namespace {

using namespace reel;

constexpr std::int64_t kRowsPerBatch = 20'000;

[[noreturn]] void fail_with(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

//! Wall and processor time since it was made.
class Stopwatch {
 public:
  double wall() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  double cpu() const { return cpu_now() - cpu_begin_; }

 private:
  static double cpu_now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double cpu_begin_ = cpu_now();
};

//! Keeps the last row.
class LastRow final : public sql::ResultSink {
 public:
  Status begin(sql::ResultKind, const std::vector<sql::ResultColumn>&) override { return {}; }
  Status row(const store::Row& cells) override {
    cells_ = cells;
    return {};
  }
  Status end() override { return {}; }
  const store::Row& cells() const { return cells_; }

 private:
  store::Row cells_;
};

store::Row run(sql::Session& session, const std::string& statement) {
  LastRow sink;
  if (const Status done = session.execute(statement, sink); !done) {
    fail_with(statement + ": " + done.error().message());
  }
  return sink.cells();
}

void fill(store::Store& store, const Uuid& flow, std::int64_t count) {
  for (std::int64_t from = 0; from < count; from += kRowsPerBatch) {
    store::Batch batch;
    for (std::int64_t i = from; i < std::min(from + kRowsPerBatch, count); ++i) {
      const store::Int128 start = store::Int128{i} * 1'000'000'000;
      batch.upsert(std::string(tams::table::kSegments), {flow, store::Decimal{start}},
                   {{"end_time", store::Decimal{start + 1'000'000'000}},
                    {"object_id", fmt::format("bench/{}.ts", i)},
                    {"sample_count", 25},
                    {"object_timerange", fmt::format("[{}:0_{}:0)", i, i + 1)}});
    }
    if (const Status done = store.commit(std::move(batch)); !done) fail_with("a commit failed");
  }
}

struct Times {
  double wall = 0;
  double cpu = 0;
};

//! Of three runs.
template <class Work>
Times best_of_three(const Work& work) {
  Times best;
  for (int i = 0; i < 3; ++i) {
    const Stopwatch watch;
    work();
    const Times times{watch.wall(), watch.cpu()};
    if (i == 0 || times.wall < best.wall) best = times;
  }
  return best;
}

//! Median microseconds of each of two statements, which take turns.
std::pair<double, double> compare_statements(sql::Session& session, const std::string& first,
                                             const std::function<std::string(int)>& second,
                                             int rounds) {
  std::vector<double> times[2];
  for (int i = 0; i < rounds; ++i) {
    for (const int which : {0, 1}) {
      const std::string statement = which == 0 ? first : second(i);
      const Stopwatch watch;
      run(session, statement);
      times[which].push_back(watch.wall() * 1e6);
    }
  }
  for (auto& values : times)
    std::nth_element(values.begin(), values.begin() + rounds / 2, values.end());
  return {times[0][static_cast<std::size_t>(rounds) / 2],
          times[1][static_cast<std::size_t>(rounds) / 2]};
}

std::vector<const store::Column*> columns_of(const store::TableSchema& schema) {
  std::vector<const store::Column*> columns;
  for (const store::Column& column : schema.columns) {
    if (column.id != store::kInsertedAt) columns.push_back(&column);
  }
  return columns;
}

//! Reads every cell of every row, in the order of the key, as a scan does.
std::int64_t step_through(const std::string& path, const store::TableSchema& schema) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) {
    fail_with("the database does not open");
  }
  sqlite3_exec(db, "PRAGMA cache_size=-512", nullptr, nullptr,
               nullptr);  // as a reader of the store
  std::string names;
  for (const store::Column* column : columns_of(schema)) {
    names += fmt::format("{}c{}", names.empty() ? "" : ", ", column->id);
  }
  sqlite3_stmt* rows = nullptr;
  const std::string sql = fmt::format("SELECT {} FROM t{}", names, schema.id);
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &rows, nullptr) != SQLITE_OK) {
    fail_with(sqlite3_errmsg(db));
  }
  std::int64_t count = 0;
  std::uint64_t sum = 0;
  const int columns = sqlite3_column_count(rows);
  while (sqlite3_step(rows) == SQLITE_ROW) {
    ++count;
    for (int i = 0; i < columns; ++i) {
      switch (sqlite3_column_type(rows, i)) {
        case SQLITE_NULL: break;
        case SQLITE_INTEGER:
          sum += static_cast<std::uint64_t>(sqlite3_column_int64(rows, i));
          break;
        case SQLITE_FLOAT: sum += static_cast<std::uint64_t>(sqlite3_column_double(rows, i)); break;
        default:
          sum +=
              static_cast<unsigned char>(*static_cast<const char*>(sqlite3_column_blob(rows, i)));
          sum += static_cast<std::uint64_t>(sqlite3_column_bytes(rows, i));
      }
    }
  }
  sqlite3_finalize(rows);
  sqlite3_close(db);
  if (sum == 0) fail_with("nothing was read");
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail_with("usage: bench_sql_in_process FOLDER SEGMENTS LOOKUPS");
  const std::string path = std::string(argv[1]) + "/store.db";
  const std::int64_t count = std::atoll(argv[2]);
  const int lookups = std::atoi(argv[3]);
  auto store = store::open_sqlite_store({.path = path});
  if (!store || !tams::ensure_tables(**store)) fail_with("the tables could not be made");
  const Uuid flow = Uuid::random();
  fill(**store, flow, count);
  const auto schema = *(*store)->catalog()->table(tams::table::kSegments);

  const std::uint32_t threads = std::max(std::thread::hardware_concurrency(), 1U);
  const auto engine = sql::Engine::make(**store, {.threads = threads});
  const auto session = engine->connect();
  const auto single_engine = sql::Engine::make(**store, {.threads = 1});
  const auto single = single_engine->connect();

  const auto [one_us, point_us] = compare_statements(
      *session, "SELECT 1",
      [&](int i) {
        return fmt::format(
            "SELECT object_id, end_time FROM segments WHERE timeline_id = '{}' AND start_time = {}",
            flow.to_string(), (std::int64_t{i} * 7919) % count);
      },
      lookups);

  std::string counts;
  for (const store::Column* column : columns_of(*schema)) {
    counts += fmt::format("{}count(\"{}\")", counts.empty() ? "" : ", ", column->name);
  }
  const auto scan = [&](sql::Session& by) {
    return best_of_three([&] {
      const auto row = run(by, "SELECT " + counts + " FROM segments");
      if (row.at(0) != store::Value(count)) fail_with("the scan has not seen every row");
    });
  };
  const Times scan_one = scan(*single);
  const Times scan_all = scan(*session);
  const Times loop = best_of_three([&] {
    if (step_through(path, *schema) != count) fail_with("the loop has not seen every row");
  });
  const Times aggregation = best_of_three([&] {
    const auto row = run(*session,
                         "SELECT sum(sample_count)::BIGINT, max(end_time - start_time), "
                         "count(DISTINCT length(object_id)) FROM segments");
    if (row.at(0) != store::Value(25 * count)) fail_with("the sum is wrong");
  });

  const auto rate = [&](const Times& times) { return static_cast<double>(count) / times.wall; };
  std::printf(
      "{\"rows\":%lld,\"threads\":%u,\"select_one_us\":%.1f,\"point_us\":%.1f,"
      "\"scan_one_thread\":%.0f,\"scan\":%.0f,\"scan_cpu_per_wall\":%.2f,\"loop\":%.0f,"
      "\"aggregation_seconds\":%.3f,\"aggregation_cpu_per_wall\":%.2f}\n",
      static_cast<long long>(count), threads, one_us, point_us, rate(scan_one), rate(scan_all),
      scan_all.cpu / scan_all.wall, rate(loop), aggregation.wall,
      aggregation.cpu / aggregation.wall);
  (*store)->stop();
  return 0;
}

// links: tams store_sqlite
//! What bulk requests are compared with: the same rows put into the same tables by a bare loop over
//! prepared statements, one transaction per request, synchronous=FULL. No rule is checked.
//! Usage: bench_sqlite_loop FOLDER SEGMENTS_PER_REQUEST REQUESTS; prints JSON.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "store/sqlite/sqlite_store.h"
#include "tams/instances.h"
#include "tams/tables.h"

namespace {

using namespace reel;

[[noreturn]] void fail_with(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

//! One table's INSERT; parameters are named by the columns of the product's schema.
class Insert {
 public:
  Insert(sqlite3* db, const store::TableSchema& schema, const std::vector<std::string>& columns) {
    std::string names;
    std::string marks;
    for (const std::string& column : columns) {
      names += fmt::format("{}c{}", names.empty() ? "" : ", ", schema.find(column)->id);
      marks += marks.empty() ? "?" : ", ?";
    }
    const std::string sql =
        fmt::format("INSERT INTO t{} ({}) VALUES ({})", schema.id, names, marks);
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK) {
      fail_with(sqlite3_errmsg(db));
    }
  }
  ~Insert() { sqlite3_finalize(statement_); }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;

  Insert& integer(std::int64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
  }
  Insert& text(const std::string& value) {
    sqlite3_bind_text(statement_, ++bound_, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Insert& blob(std::string_view value) {
    sqlite3_bind_blob(statement_, ++bound_, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }
  void run() {
    if (sqlite3_step(statement_) != SQLITE_DONE) fail_with("an insert failed");
    sqlite3_reset(statement_);
    bound_ = 0;
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

//! What a segment of a bulk request becomes, as the cells of its three rows.
struct Segment {
  explicit Segment(std::int64_t second)
      : start(store::encode_decimal_key({store::Int128{second} * 1'000'000'000})),
        end(store::encode_decimal_key({store::Int128{second + 1} * 1'000'000'000})),
        object_id(fmt::format("bulk/{}.ts", second)),
        timerange(fmt::format("[{}:0_{}:0)", second, second + 1)),
        instances(encoded_instances(fmt::format("https://media.example/bulk/{}.ts", second))) {}

  static std::string encoded_instances(std::string url) {
    tams::Instance instance;
    instance.url = std::move(url);
    instance.label = "cdn";
    std::string bytes;
    store::encode_value(bytes, tams::instances_type(), tams::instances_cell({instance}));
    return bytes;
  }

  std::string start;
  std::string end;
  std::string object_id;
  std::string timerange;
  std::string instances;
};

void run_sql(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail_with(sqlite3_errmsg(db));
}

//! The seconds that it took.
double insert_all(sqlite3* db, const store::Catalog& catalog, std::int64_t count,
                  std::int64_t requests) {
  const Uuid flow = Uuid::random();
  const std::string_view flow_id(reinterpret_cast<const char*>(flow.bytes.data()), 16);
  Insert objects(
      db, **catalog.table(tams::table::kObjects),
      {"inserted_at", "id", "registered", "is_init", "flow_id", "timerange", "instances"});
  Insert segments(db, **catalog.table(tams::table::kSegments),
                  {"inserted_at", "timeline_id", "start_time", "end_time", "end_inclusive",
                   "object_id", "sample_count", "object_timerange"});
  Insert uses(db, **catalog.table(tams::table::kObjectUses),
              {"inserted_at", "object_id", "timeline_id", "start_time"});
  const std::int64_t now = system_clock().now().micros;
  std::chrono::duration<double> took{};
  for (std::int64_t request = 0; request < requests; ++request) {
    std::vector<Segment> rows;
    for (std::int64_t i = 0; i < count; ++i) rows.emplace_back(request * count + i);
    const auto begin = std::chrono::steady_clock::now();
    run_sql(db, "BEGIN IMMEDIATE");
    for (const Segment& row : rows) {
      objects.integer(now).text(row.object_id).integer(1).integer(0).blob(flow_id);
      objects.text(row.timerange).blob(row.instances).run();
      segments.integer(now).blob(flow_id).blob(row.start).blob(row.end).integer(0);
      segments.text(row.object_id).integer(25).text(row.timerange).run();
      uses.integer(now).text(row.object_id).blob(flow_id).blob(row.start).run();
    }
    run_sql(db, "COMMIT");
    took += std::chrono::steady_clock::now() - begin;
  }
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail_with("usage: bench_sqlite_loop FOLDER SEGMENTS_PER_REQUEST REQUESTS");
  const std::string folder = argv[1];
  const std::int64_t count = std::atoll(argv[2]);
  const std::int64_t requests = std::atoll(argv[3]);
  std::filesystem::remove_all(folder);
  const std::string path = folder + "/store.db";
  std::shared_ptr<const store::Catalog> catalog;
  {
    auto made = store::open_sqlite_store({.path = path});
    if (!made || !tams::ensure_tables(**made)) fail_with("the tables could not be made");
    catalog = (*made)->catalog();
  }
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) fail_with("the database does not open");
  // As the store has it, so that only what is done per row differs.
  run_sql(db,
          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; "
          "PRAGMA wal_autocheckpoint=4000");
  const double seconds = insert_all(db, *catalog, count, requests);
  sqlite3_close(db);
  std::filesystem::remove_all(folder);
  std::printf("{\"per_second\":%.0f}\n", static_cast<double>(count * requests) / seconds);
}

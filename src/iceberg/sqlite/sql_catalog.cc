#include "iceberg/sqlite/sql_catalog.h"

#include <charconv>
#include <vector>

#include <sqlite3.h>

#include "iceberg/file.h"

namespace reel::iceberg::sqlite {
namespace {

constexpr int kBusyMs = 10'000;
constexpr std::string_view kEnding = ".metadata.json";

//! What pyiceberg and Java create; the last column came with Java's schema version 1.
constexpr const char* kCreate = R"(
CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name));
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000) NOT NULL,
  PRIMARY KEY (catalog_name, namespace, property_key));
)";

constexpr std::string_view kFind =
    "SELECT metadata_location FROM iceberg_tables"
    " WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?";
constexpr std::string_view kSwap =
    "UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?"
    " WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?";
constexpr std::string_view kInsert =
    "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location)"
    " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
//! Both libraries take a namespace with a property for one that exists.
constexpr std::string_view kInsertNamespace =
    "INSERT INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true') ON CONFLICT DO "
    "NOTHING";

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Failure failure(sqlite3* database, const std::string& path) {
  const int code = sqlite3_errcode(database) & 0xFF;
  const char* reason = sqlite3_errmsg(database);
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return overloaded("catalog {}: {}", path, reason);
  }
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    return corrupt("catalog {}: {}", path, reason);
  }
  return io("catalog {}: {}", path, reason);
}

//! A connection for one call: calls are rare, and none waits for another's.
Result<Database> open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, &sqlite3_close);
  if (code != SQLITE_OK) return io("catalog {}: {}", path, sqlite3_errstr(code));
  sqlite3_busy_timeout(handle, kBusyMs);
  // A commit is durable with the removal of the journal, which has to be synced too.
  if (sqlite3_exec(handle, "PRAGMA synchronous = EXTRA", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(handle, path);
  }
  return database;
}

//! Runs one statement; the first column of its first row, if there is one.
Result<std::optional<std::string>> run(sqlite3* database, const std::string& path,
                                       std::string_view sql,
                                       const std::vector<std::string>& parameters) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &handle, nullptr) !=
      SQLITE_OK) {
    return failure(database, path);
  }
  const Statement statement(handle, &sqlite3_finalize);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& text = parameters[i];
    sqlite3_bind_text(handle, static_cast<int>(i + 1), text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
  }
  const int code = sqlite3_step(handle);
  if (code == SQLITE_DONE) return std::nullopt;
  if (code != SQLITE_ROW) return failure(database, path);
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle, 0));
  return std::string(text != nullptr ? text : "");
}

//! The number in ".../00007-<uuid>.metadata.json", -1 when there is none.
std::int64_t version_in(std::string_view location) {
  const std::string_view file = location.substr(location.rfind('/') + 1);
  std::int64_t version = -1;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), version);
  const bool numbered = error == std::errc() && end != file.data() + file.size() && *end == '-';
  return numbered && version >= 0 ? version : -1;
}

class SqlCatalog final : public Catalog {
 public:
  explicit SqlCatalog(SqlCatalogOptions options) : options_(std::move(options)) {}

  Result<std::string> default_location(const TableName& table) const override {
    REEL_TRY(check_table_name(table));
    return location_of(fmt::format("{}/{}/{}", options_.warehouse, table.space, table.name));
  }

  Result<std::string> current(const TableName& table) override {
    REEL_TRY(check_table_name(table));
    REEL_ASSIGN(const Database database, open(options_.path));
    REEL_ASSIGN(auto location, run(database.get(), options_.path, kFind,
                                   {options_.catalog_name, table.space, table.name}));
    if (!location) return not_found("there is no table {}", table.to_string());
    return *std::move(location);
  }

  Result<std::string> replace(const TableName& table, const TableMetadata& next,
                              const std::string& base) override {
    REEL_TRY(check_table_name(table));
    const std::string file =
        fmt::format("{:05}-{}", version_in(base) + 1, Uuid::random().to_string());
    std::string location = fmt::format("{}/metadata/{}{}", next.location, file, kEnding);
    REEL_TRY(write_new_file(location, next.to_text()));
    Status swapped = sync_folder_of(location);
    if (swapped) swapped = swap(table, location, base);
    if (!swapped) {
      if (swapped.error().code() != Code::unknown_outcome) (void)remove_file(location);
      return Failure(std::move(swapped).error());
    }
    // For readers that know only the folder; another commit mends a hint that could not be written.
    (void)write_version_hint(next.location, file);
    return location;
  }

 private:
  Status swap(const TableName& table, const std::string& location, const std::string& base) {
    REEL_ASSIGN(const Database database, open(options_.path));
    const auto execute = [&](std::string_view sql,
                             const std::vector<std::string>& parameters) -> Status {
      const auto done = run(database.get(), options_.path, sql, parameters);
      if (done) return {};
      // Whether the disk has it is not known after a failed write or sync.
      if (done.error().code() == Code::io) return unknown_outcome("{}", done.error().message());
      return Failure(done.error().clone());
    };
    const std::string& catalog = options_.catalog_name;
    if (base.empty()) {
      REEL_TRY(execute(kInsertNamespace, {catalog, table.space}));
      REEL_TRY(execute(kInsert, {catalog, table.space, table.name, location}));
    } else {
      REEL_TRY(execute(kSwap, {location, base, catalog, table.space, table.name, base}));
    }
    if (sqlite3_changes(database.get()) == 1) return {};
    return conflict("table {} {}", table.to_string(),
                    base.empty() ? "is there already" : "has changed meanwhile");
  }

  const SqlCatalogOptions options_;
};

}  // namespace

Result<std::unique_ptr<Catalog>> open_sql_catalog(SqlCatalogOptions options) {
  REEL_TRY(location_of(options.warehouse));
  while (options.warehouse.size() > 1 && options.warehouse.ends_with('/')) {
    options.warehouse.pop_back();
  }
  REEL_ASSIGN(const Database database, open(options.path));
  if (sqlite3_exec(database.get(), kCreate, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(database.get(), options.path);
  }
  return std::make_unique<SqlCatalog>(std::move(options));
}

}  // namespace reel::iceberg::sqlite

#include "store/sqlite/catalog_internal.h"

#include "store/schema_codec.h"
#include "store/sqlite/physical_internal.h"

namespace reel::store::sqlite {
namespace {

constexpr const char* kCatalogTables = R"sql(
  CREATE TABLE _catalog (id INTEGER PRIMARY KEY CHECK (id = 1),
                         version INTEGER NOT NULL, next_table_id INTEGER NOT NULL);
  INSERT INTO _catalog VALUES (1, 0, 1);
  CREATE TABLE _tables (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, dropped_at INTEGER,
                        purging INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE _schemas (table_id INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,
                         by TEXT NOT NULL, comment TEXT NOT NULL, schema BLOB NOT NULL,
                         operations TEXT NOT NULL DEFAULT '',
                         PRIMARY KEY (table_id, version)) WITHOUT ROWID;
  CREATE TABLE _ledger (table_id INTEGER NOT NULL, hour INTEGER NOT NULL, rows INTEGER NOT NULL,
                        fingerprint BLOB NOT NULL, PRIMARY KEY (table_id, hour)) WITHOUT ROWID;
  CREATE TABLE _namespaces (name TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE _commits (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL);
  INSERT INTO _commits VALUES (1, 0);
)sql";

Status create_file(Connection& writer, std::size_t page_bytes) {
  // The page size must be set before the file has a first page, the journal mode outside a
  // transaction; both are harmless when a crash comes between them and the rest. The change to WAL
  // is itself done with a rollback journal: EXTRA makes its removal durable, or a power cut much
  // later could bring the journal back and roll the whole file back to nothing.
  REEL_TRY(
      writer.run(fmt::format("PRAGMA synchronous=EXTRA; PRAGMA page_size={}; "
                             "PRAGMA auto_vacuum=NONE; PRAGMA journal_mode=WAL",
                             page_bytes)));
  return writer.run(
      fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id={}; "
                  "PRAGMA user_version={}; COMMIT",
                  kCatalogTables, kApplicationId, kFormatVersion));
}

//! A store of an earlier format becomes one of this format.
Status upgrade(Connection& writer, std::int64_t format) {
  if (format == kFormatVersion) return {};
  std::string steps;
  if (format < 2) {
    steps +=
        "ALTER TABLE _schemas ADD COLUMN operations TEXT NOT NULL DEFAULT ''; "
        "ALTER TABLE _tables ADD COLUMN purging INTEGER NOT NULL DEFAULT 0; ";
  }
  if (format < 3) steps += "CREATE TABLE _namespaces (name TEXT PRIMARY KEY) WITHOUT ROWID; ";
  return writer.run(
      fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version={}; COMMIT", steps, kFormatVersion));
}

//! One statement with the name as its parameter, and a new version of the catalog.
Status change_namespaces(Connection& writer, const char* sql, std::string_view name) {
  {
    REEL_ASSIGN(const Statement change, writer.prepare(sql));
    sqlite3_bind_text64(change.get(), 1, name.data(), name.size(), SQLITE_STATIC, SQLITE_UTF8);
    REEL_TRY(writer.finish(change));
  }
  return writer.run("UPDATE _catalog SET version = version + 1");
}

}  // namespace

Status prepare_file(Connection& writer, std::size_t page_bytes) {
  REEL_ASSIGN(const std::int64_t format, writer.read_integer("PRAGMA user_version"));
  REEL_ASSIGN(const std::int64_t application, writer.read_integer("PRAGMA application_id"));
  REEL_ASSIGN(const std::int64_t objects,
              writer.read_integer("SELECT count(*) FROM sqlite_schema"));
  if (format == 0 && application == 0 && objects == 0) {
    REEL_TRY(create_file(writer, page_bytes));
  } else if (application != kApplicationId) {
    return unsupported("the database is not a Reelhouse store");
  } else if (format > kFormatVersion) {
    return unsupported("the store has format version {}, this program knows versions up to {}",
                       format, kFormatVersion);
  }
  REEL_TRY(
      writer.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                 "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=268435456; "
                 "PRAGMA secure_delete=OFF"));
  if (format == 0) return {};
  return upgrade(writer, format);
}

Result<std::int64_t> read_catalog_version(Connection& connection) {
  return connection.read_integer("SELECT version FROM _catalog");
}

Result<std::shared_ptr<const Layouts>> load_layouts(Connection& connection) {
  auto catalog = std::make_shared<Catalog>();
  REEL_ASSIGN(const std::int64_t version, read_catalog_version(connection));
  catalog->version = static_cast<std::uint64_t>(version);
  REEL_ASSIGN(const Statement rows,
              connection.prepare("SELECT s.schema FROM _tables t JOIN _schemas s "
                                 "ON s.table_id = t.id AND s.version = t.version "
                                 "WHERE t.dropped_at IS NULL"));
  while (true) {
    REEL_ASSIGN(const bool more, connection.step(rows));
    if (!more) break;
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(rows.get(), 0));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(rows.get(), 0));
    REEL_ASSIGN(TableSchema schema, decode_schema(std::string_view(bytes, size)));
    std::string name = schema.name;
    catalog->tables.emplace(std::move(name),
                            std::make_shared<const TableSchema>(std::move(schema)));
  }
  REEL_ASSIGN(const Statement spaces, connection.prepare("SELECT name FROM _namespaces"));
  while (true) {
    REEL_ASSIGN(const bool more, connection.step(spaces));
    if (!more) break;
    const auto* name = static_cast<const char*>(sqlite3_column_blob(spaces.get(), 0));
    catalog->namespaces.emplace(name, std::size_t(sqlite3_column_bytes(spaces.get(), 0)));
  }
  return std::make_shared<const Layouts>(std::move(catalog));
}

Result<std::int64_t> count_rows(Connection& connection, TableId table) {
  return connection.read_integer(
      fmt::format("SELECT coalesce(sum(rows), 0) FROM _ledger WHERE table_id = {}", table));
}

Status note_schema(Connection& writer, const TableSchema& schema, const ChangeNote& note) {
  const std::string bytes = encode_schema(schema);
  REEL_ASSIGN(const Statement insert,
              writer.prepare("INSERT INTO _schemas VALUES (?, ?, ?, ?, ?, ?, ?)"));
  sqlite3_stmt* handle = insert.get();
  sqlite3_bind_int64(handle, 1, schema.id);
  sqlite3_bind_int64(handle, 2, schema.version);
  sqlite3_bind_int64(handle, 3, note.at.micros);
  sqlite3_bind_text64(handle, 4, note.by.data(), note.by.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text64(handle, 5, note.comment.data(), note.comment.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  sqlite3_bind_blob64(handle, 6, bytes.data(), bytes.size(), SQLITE_STATIC);
  sqlite3_bind_text64(handle, 7, note.operations.data(), note.operations.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  REEL_TRY(writer.finish(insert));
  return writer.run(
      fmt::format("INSERT OR REPLACE INTO _tables VALUES ({}, {}, NULL, 0); "
                  "UPDATE _catalog SET version = version + 1, "
                  "next_table_id = max(next_table_id, {})",
                  schema.id, schema.version, schema.id + 1));
}

Status note_namespace(Connection& writer, std::string_view name) {
  return change_namespaces(writer, "INSERT INTO _namespaces VALUES (?)", name);
}

Status forget_namespace(Connection& writer, std::string_view name) {
  return change_namespaces(writer, "DELETE FROM _namespaces WHERE name = ?", name);
}

Status create_table(Connection& writer, const TableDefinition& definition, const ChangeNote& note) {
  REEL_ASSIGN(const std::int64_t id, writer.read_integer("SELECT next_table_id FROM _catalog"));
  REEL_ASSIGN(TableSchema schema, make_schema(static_cast<TableId>(id), definition));
  const Layout layout(std::make_shared<const TableSchema>(std::move(schema)));
  REEL_TRY(create_physical(writer, layout, definition.large_rows));
  REEL_TRY(create_indexes(writer, layout, 0));
  return note_schema(writer, *layout.schema, note);
}

Result<bool> ensure_table(Connection& writer, const Layouts& current,
                          const TableDefinition& definition, const ChangeNote& note) {
  const auto found = current.tables.find(definition.name);
  if (found == current.tables.end()) {
    const std::string_view space = split_table_name(definition.name).space;
    if (!current.catalog->namespaces.contains(space)) {
      REEL_TRY(check_table_name(definition.name));
      REEL_TRY(note_namespace(writer, space));
    }
    REEL_TRY(create_table(writer, definition, note));
    return true;
  }
  const TableSchema& old = *found->second->schema;
  REEL_ASSIGN(std::optional<TableSchema> next, extend_schema(old, definition));
  if (!next) return false;
  const Layout layout(std::make_shared<const TableSchema>(*std::move(next)));
  REEL_TRY(add_physical(writer, old, layout));
  REEL_TRY(create_indexes(writer, layout, old.next_index_id));
  REEL_TRY(note_schema(writer, *layout.schema, note));
  return true;
}

}  // namespace reel::store::sqlite

#include "store/sqlite/catalog_internal.h"

#include "store/schema_codec.h"

namespace reel::store::sqlite {
namespace {

constexpr const char* kCatalogTables = R"sql(
  CREATE TABLE _catalog (id INTEGER PRIMARY KEY CHECK (id = 1),
                         version INTEGER NOT NULL, next_table_id INTEGER NOT NULL);
  INSERT INTO _catalog VALUES (1, 0, 1);
  CREATE TABLE _tables (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, dropped_at INTEGER);
  CREATE TABLE _schemas (table_id INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,
                         by TEXT NOT NULL, comment TEXT NOT NULL, schema BLOB NOT NULL,
                         PRIMARY KEY (table_id, version)) WITHOUT ROWID;
  CREATE TABLE _ledger (table_id INTEGER NOT NULL, hour INTEGER NOT NULL, rows INTEGER NOT NULL,
                        fingerprint BLOB NOT NULL, PRIMARY KEY (table_id, hour)) WITHOUT ROWID;
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

//! Writes the current version of a schema and raises the catalog's.
Status note_schema(Connection& writer, const TableSchema& schema, const ChangeNote& note) {
  const std::string bytes = encode_schema(schema);
  REEL_ASSIGN(const Statement insert,
              writer.prepare("INSERT INTO _schemas VALUES (?, ?, ?, ?, ?, ?)"));
  sqlite3_stmt* handle = insert.get();
  sqlite3_bind_int64(handle, 1, schema.id);
  sqlite3_bind_int64(handle, 2, schema.version);
  sqlite3_bind_int64(handle, 3, note.at.micros);
  sqlite3_bind_text64(handle, 4, note.by.data(), note.by.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text64(handle, 5, note.comment.data(), note.comment.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  sqlite3_bind_blob64(handle, 6, bytes.data(), bytes.size(), SQLITE_STATIC);
  REEL_TRY(writer.finish(insert));
  return writer.run(
      fmt::format("INSERT OR REPLACE INTO _tables VALUES ({}, {}, NULL); "
                  "UPDATE _catalog SET version = version + 1, "
                  "next_table_id = max(next_table_id, {})",
                  schema.id, schema.version, schema.id + 1));
}

//! Columns carry no constraints: the store checks values, so that dropping a constraint or a
//! column stays a change of the catalog only.
Status create_physical(Connection& writer, const Layout& layout) {
  std::string columns;
  for (const std::size_t position : layout.all) {
    columns += fmt::format("{} {}, ", layout.physical(position),
                           affinity(layout.schema->columns[position].type));
  }
  return writer.run(fmt::format("CREATE TABLE {} ({}PRIMARY KEY ({})) WITHOUT ROWID", layout.table,
                                columns, layout.list(layout.key)));
}

//! The literal that SQLite reads as exactly this value. Its own reading of decimal fractions is not
//! always right in the last bit; more digits, or fewer, then are.
Result<std::string> exact_literal(Connection& writer, const Type& type, const Value& value) {
  for (const int digits : {16, 17, 18, 19, 20, 15}) {
    REEL_ASSIGN(std::string text, literal(type, value, digits));
    REEL_ASSIGN(const Statement select, writer.prepare_once("SELECT " + text));
    REEL_ASSIGN(const bool row, writer.step(select));
    Value read;
    REEL_TRY(row ? read_value(sqlite3_column_value(select.get(), 0), type, read) : Status());
    if (read == value) return text;
  }
  return unsupported("SQLite cannot read this default exactly");
}

Status add_physical(Connection& writer, const TableSchema& old, const Layout& layout) {
  for (const std::size_t position : layout.all) {
    const Column& column = layout.schema->columns[position];
    if (old.find(column.id) != nullptr) continue;
    auto initial = exact_literal(writer, column.type, column.initial_default);
    if (!initial) {
      return fail(initial.error().code(), "column '{}': {}", column.name,
                  initial.error().message());
    }
    REEL_TRY(writer.run(fmt::format("ALTER TABLE {} ADD COLUMN {} {} DEFAULT {}", layout.table,
                                    layout.physical(position), affinity(column.type), *initial)));
  }
  return {};
}

//! FTS5 counts rows, our tables have keys: a table beside it knows the number of each key.
Status create_search(Connection& writer, const Layout& layout, const Layout::SearchLayout& search) {
  const std::string keys = layout.list(layout.key);
  std::string definitions;
  for (const std::size_t position : layout.key) {
    definitions += fmt::format("{} {}, ", layout.physical(position),
                               affinity(layout.schema->columns[position].type));
  }
  return writer.run(
      fmt::format("CREATE TABLE {1} (id INTEGER PRIMARY KEY, {2}UNIQUE ({3})); "
                  "CREATE VIRTUAL TABLE {0} USING fts5(text, tokenize='trigram case_sensitive 1'); "
                  "INSERT INTO {1} ({3}) SELECT {3} FROM {4}; "
                  "INSERT INTO {0} (rowid, text) SELECT n.id, coalesce(t.{5}, '') FROM {1} n "
                  "JOIN {4} t USING ({3})",
                  search.texts, search.numbers, definitions, keys, layout.table,
                  layout.physical(search.column)));
}

Status create_indexes(Connection& writer, const Layout& layout, IndexId first) {
  for (const Index& index : layout.schema->indexes) {
    if (index.id < first) continue;
    if (index.kind == IndexKind::search) {
      REEL_TRY(create_search(writer, layout, layout.searches.at(index.name)));
      continue;
    }
    const auto& physical = layout.indexes.at(index.name);
    REEL_TRY(writer.run(fmt::format("CREATE INDEX {} ON {} ({})", physical.physical, layout.table,
                                    layout.list(physical.order))));
  }
  return {};
}

Status create_table(Connection& writer, const TableDefinition& definition, const ChangeNote& note) {
  REEL_ASSIGN(const std::int64_t id, writer.read_integer("SELECT next_table_id FROM _catalog"));
  REEL_ASSIGN(TableSchema schema, make_schema(static_cast<TableId>(id), definition));
  const Layout layout(std::make_shared<const TableSchema>(std::move(schema)));
  REEL_TRY(create_physical(writer, layout));
  REEL_TRY(create_indexes(writer, layout, 0));
  return note_schema(writer, *layout.schema, note);
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
  return writer.run(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
      "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864; "
      "PRAGMA secure_delete=OFF");
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
  return std::make_shared<const Layouts>(std::move(catalog));
}

Result<bool> ensure_table(Connection& writer, const Layouts& current,
                          const TableDefinition& definition, const ChangeNote& note) {
  const auto found = current.tables.find(definition.name);
  if (found == current.tables.end()) {
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

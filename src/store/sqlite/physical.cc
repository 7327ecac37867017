#include "store/sqlite/physical_internal.h"

#include <fmt/format.h>

namespace reel::store::sqlite {
namespace {

//! SQLite's own limit is 2000.
constexpr std::int64_t kPhysicalMax = 1990;

//! FTS5 counts rows, our tables have keys: a table beside it knows the number of each key.
Status create_search(Connection& writer, const Layout& layout, const Layout::SearchLayout& search) {
  const std::string keys = layout.list(layout.key);
  std::string definitions;
  for (const std::size_t position : layout.key) {
    definitions +=
        fmt::format("{} {}, ", layout.physical(position), affinity(layout.type(position)));
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

bool is_stored(const TableSchema& schema, ColumnId id) {
  for (std::size_t i = 0; i < schema.stored_count(); ++i) {
    if (schema.stored(i).id == id) return true;
  }
  return false;
}

}  // namespace

Status create_physical(Connection& writer, const Layout& layout, bool large_rows) {
  std::string columns;
  for (const std::size_t position : layout.all) {
    columns += fmt::format("{} {}, ", layout.physical(position), affinity(layout.type(position)));
  }
  // A key is looked up among the rows themselves, which SQLite reads whole for it, with all pages
  // that a large one takes.
  return writer.run(fmt::format("CREATE TABLE {} ({}PRIMARY KEY ({})) {}", layout.table, columns,
                                layout.list(layout.key), large_rows ? "" : "WITHOUT ROWID"));
}

Result<std::string> exact_literal(Connection& writer, const Type& type, const Value& value) {
  // SQLite's own reading of decimal fractions is not always right in the last bit; more digits, or
  // fewer, then are.
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
  // Also what the same migration adds and drops: it can be brought back.
  for (const std::size_t position : layout.stored) {
    const Column& column = layout.schema->stored(position);
    if (is_stored(old, column.id)) continue;
    REEL_ASSIGN(const std::int64_t count,
                writer.read_integer(
                    fmt::format("SELECT count(*) FROM pragma_table_info('{}')", layout.table)));
    if (count >= kPhysicalMax) {
      return too_large("table '{}' had {} columns in its time; copy its rows to a new table",
                       layout.schema->name, count);
    }
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

Status check_no_null(Connection& writer, const Layout& layout, ColumnId column) {
  const std::size_t position = layout.schema->position(column);
  REEL_ASSIGN(const Statement probe,
              writer.prepare_once(fmt::format("SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1",
                                              layout.table, layout.physical(position))));
  REEL_ASSIGN(const bool found, writer.step(probe));
  if (!found) return {};
  return invalid("table '{}': column '{}' has no value in some rows", layout.schema->name,
                 layout.schema->columns[position].name);
}

Status drop_physical(Connection& writer, const Layout& layout) {
  for (const auto& [name, search] : layout.searches) {
    REEL_TRY(writer.run(fmt::format("DROP TABLE {}; DROP TABLE {}", search.texts, search.numbers)));
  }
  return writer.run(fmt::format("DROP TABLE {}", layout.table));
}

}  // namespace reel::store::sqlite

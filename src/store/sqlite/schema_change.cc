#include "store/sqlite/schema_change_internal.h"

#include <fmt/format.h>

#include "store/document.h"
#include "store/schema_codec.h"
#include "store/sqlite/physical_internal.h"
#include "store/sqlite/row_rewrite_internal.h"

namespace reel::store::sqlite {
namespace {

//! As the history shows what is no operation on columns.
std::string only_operation(std::string_view name) {
  json::Value operation;
  operation.set("op", name);
  return json::to_text(json::Array{operation});
}

std::string_view text_at(const Statement& row, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row.get(), column));
  const int size = sqlite3_column_bytes(row.get(), column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, std::size_t(size));
}

}  // namespace

namespace {

//! Fills the cells of a column from another's, in all rows.
Status convert_rows(Connection& writer, const Layout& layout, const Conversion& conversion) {
  constexpr std::size_t kRowsAtOnce = 1'000;
  const TableSchema& schema = *layout.schema;
  const auto stored_position = [&](ColumnId id) {
    std::size_t i = 0;
    while (schema.stored(i).id != id) ++i;
    return i;
  };
  const std::size_t from = stored_position(conversion.from);
  const std::size_t to = stored_position(conversion.to);
  RowRewrite rewrite(writer, layout, to);
  Key last;
  while (true) {
    REEL_ASSIGN(std::vector<Row> rows, rows_behind(writer, layout, last, kRowsAtOnce));
    for (Row& row : rows) {
      auto value = convert_value(schema.stored(from).type, schema.stored(to).type, row[from]);
      if (!value && !conversion.or_null) {
        return invalid("column '{}', row {}: {}", schema.stored(to).name,
                       key_text(schema, layout_key(layout, row)), value.error().message());
      }
      REEL_TRY(rewrite.set(row, value ? *value : Value()));
    }
    if (rows.size() < kRowsAtOnce) return rewrite.finish();
    last = layout_key(layout, rows.back());
  }
}

//! Returns the name that the table has then; whether it is free is not looked at.
Result<std::string> migrate_table(Connection& writer, const Layouts& current,
                                  const Migration& migration, const MigrationTerms& terms) {
  REEL_ASSIGN(const auto old, current.table(migration.table));
  if (migration.expected_version && *migration.expected_version != old->schema->version) {
    return conflict("table '{}' has schema version {} by now, not {}", migration.table,
                    old->schema->version, *migration.expected_version);
  }
  REEL_ASSIGN(MigrationPlan plan,
              plan_migration(*old->schema, migration.operations, terms.note.at));
  if (!migration.wait && !plan.conversions.empty()) {
    REEL_ASSIGN(const std::int64_t rows, count_rows(writer, plan.schema.id));
    REEL_TRY(check_conversions(plan, rows, terms.convert_rows_max));
  }
  const Layout layout(std::make_shared<const TableSchema>(std::move(plan.schema)));
  REEL_TRY(add_physical(writer, *old->schema, layout));
  for (const Conversion& conversion : plan.conversions) {
    REEL_TRY(convert_rows(writer, layout, conversion));
  }
  for (const ColumnId column : plan.columns_to_check) {
    REEL_TRY(check_no_null(writer, layout, column));
  }
  ChangeNote note = terms.note;
  note.operations = json::to_text(operations_to_json(*old->schema, migration.operations));
  REEL_TRY(note_schema(writer, *layout.schema, note));
  return layout.schema->name;
}

}  // namespace

Result<std::vector<std::string>> migrate_tables(Connection& writer, const Layouts& current,
                                                const std::vector<Migration>& migrations,
                                                const MigrationTerms& terms) {
  std::vector<std::string> names;
  Catalog after = *current.catalog;  // names may pass from one table to another
  for (const Migration& migration : migrations) {
    REEL_ASSIGN(std::string name, migrate_table(writer, current, migration, terms));
    after.tables.erase(migration.table);
    names.push_back(std::move(name));
  }
  for (const std::string& name : names) {
    REEL_TRY(after.check_new_table(name));
    after.tables.emplace(name, nullptr);
  }
  return names;
}

Status drop_table(Connection& writer, const Layouts& current, std::string_view name,
                  ChangeNote note) {
  REEL_ASSIGN(const auto layout, current.table(name));
  if (layout->schema->product) {
    return invalid("table '{}' belongs to the product: it cannot be dropped", name);
  }
  TableSchema schema = *layout->schema;
  ++schema.version;
  note.operations = only_operation("drop_table");
  REEL_TRY(note_schema(writer, schema, note));
  return writer.run(
      fmt::format("UPDATE _tables SET dropped_at = {} WHERE id = {}", note.at.micros, schema.id));
}

Result<std::string> undrop_table(Connection& writer, const Layouts& current, TableId id,
                                 std::string_view name, ChangeNote note) {
  REEL_ASSIGN(auto dropped, read_dropped_tables(writer));
  for (DroppedTable& table : dropped) {
    TableSchema& schema = table.schema;
    if (schema.id != id || table.purging) continue;
    Catalog catalog = *current.catalog;
    if (!name.empty()) {
      REEL_TRY(check_table_name(name));
      schema.name = name;
    } else if (catalog.namespaces.emplace(split_table_name(schema.name).space).second) {
      REEL_TRY(note_namespace(writer, split_table_name(schema.name).space));
    }
    REEL_TRY(catalog.check_new_table(schema.name));
    ++schema.version;
    note.operations = only_operation("undrop_table");
    REEL_TRY(note_schema(writer, schema, note));
    return std::move(schema.name);
  }
  return not_found("no dropped table has the id {}, or it is purged", id);
}

Status drop_namespace(Connection& writer, const Layouts& current, std::string_view name,
                      bool with_tables, const ChangeNote& note) {
  REEL_TRY(current.catalog->check_namespace(name));
  if (name == kMainNamespace) return invalid("the schema 'main' cannot be dropped");
  std::vector<std::string_view> tables;
  for (const auto& [table, layout] : current.tables) {
    if (split_table_name(table).space != name) continue;
    if (layout->schema->product) {
      return invalid("the schema '{}' belongs to the product: it cannot be dropped", name);
    }
    tables.push_back(table);
  }
  if (!tables.empty() && !with_tables) {
    return conflict("the schema '{}' has tables, which CASCADE drops too: {}", name,
                    fmt::join(tables, ", "));
  }
  for (const std::string_view table : tables) REEL_TRY(drop_table(writer, current, table, note));
  return forget_namespace(writer, name);
}

Result<std::vector<DroppedTable>> read_dropped_tables(Connection& connection) {
  REEL_ASSIGN(
      const Statement rows,
      connection.prepare("SELECT s.schema, t.dropped_at, t.purging FROM _tables t JOIN _schemas s "
                         "ON s.table_id = t.id AND s.version = t.version "
                         "WHERE t.dropped_at IS NOT NULL ORDER BY t.dropped_at, t.id"));
  std::vector<DroppedTable> tables;
  while (true) {
    REEL_ASSIGN(const bool more, connection.step(rows));
    if (!more) return tables;
    REEL_ASSIGN(TableSchema schema, decode_schema(text_at(rows, 0)));
    tables.push_back({.schema = std::move(schema),
                      .dropped_at = Instant{sqlite3_column_int64(rows.get(), 1)},
                      .purging = sqlite3_column_int(rows.get(), 2) != 0});
  }
}

Result<std::vector<SchemaVersion>> read_history(Connection& connection, TableId table) {
  REEL_ASSIGN(const Statement rows,
              connection.prepare("SELECT schema, at, by, comment, operations FROM _schemas "
                                 "WHERE table_id = ? ORDER BY version"));
  sqlite3_bind_int64(rows.get(), 1, table);
  std::vector<SchemaVersion> versions;
  while (true) {
    REEL_ASSIGN(const bool more, connection.step(rows));
    if (!more) break;
    REEL_ASSIGN(TableSchema schema, decode_schema(text_at(rows, 0)));
    versions.push_back({.schema = std::move(schema),
                        .at = Instant{sqlite3_column_int64(rows.get(), 1)},
                        .by = std::string(text_at(rows, 2)),
                        .comment = std::string(text_at(rows, 3)),
                        .operations = std::string(text_at(rows, 4))});
  }
  if (versions.empty()) return not_found("there never was a table with the id {}", table);
  return versions;
}

}  // namespace reel::store::sqlite

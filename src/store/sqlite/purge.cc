#include "store/sqlite/purge_internal.h"

#include "store/schema_codec.h"
#include "store/sqlite/physical_internal.h"
#include "store/sqlite/row_rewrite_internal.h"
#include "store/sqlite/schema_change_internal.h"

namespace reel::store::sqlite {
namespace {

//! A table of so few rows can be written anew without a purged column while others wait.
constexpr std::int64_t kRowsToRewrite = 10'000;

//! Writes the current version of a schema once more.
Status rewrite_schema(Connection& writer, const TableSchema& schema) {
  const std::string bytes = encode_schema(schema);
  REEL_ASSIGN(const Statement update,
              writer.prepare_once(
                  fmt::format("UPDATE _schemas SET schema = ? WHERE table_id = {} AND version = {}",
                              schema.id, schema.version)));
  sqlite3_bind_blob64(update.get(), 1, bytes.data(), bytes.size(), SQLITE_STATIC);
  REEL_TRY(writer.finish(update));
  return writer.run("UPDATE _catalog SET version = version + 1");
}

//! The column cannot be brought back any more.
Status note_purging(Connection& writer, const TableSchema& current, std::size_t position) {
  TableSchema schema = current;
  schema.tombstones[position - schema.columns.size()].purging = true;
  return rewrite_schema(writer, schema);
}

//! The column is gone for good.
Status forget_column(Connection& writer, const Layout& layout, std::size_t position) {
  TableSchema schema = *layout.schema;
  const ColumnId column = schema.stored(position).id;
  schema.tombstones.erase(schema.tombstones.begin() +
                          static_cast<std::ptrdiff_t>(position - schema.columns.size()));
  REEL_TRY(rewrite_schema(writer, schema));
  REEL_ASSIGN(const std::int64_t rows, count_rows(writer, schema.id));
  if (rows > kRowsToRewrite) return {};
  return writer.run(fmt::format("ALTER TABLE {} DROP COLUMN c{}", layout.table, column));
}

Result<PurgeStep> purge_column(Connection& writer, const Layout& layout, std::size_t position,
                               const PurgeTask& task) {
  const TableSchema& schema = *layout.schema;
  const Column& column = schema.stored(position);
  const bool goes_on = task.from.table == schema.id && task.from.column == column.id;
  REEL_ASSIGN(std::vector<Row> rows,
              rows_behind(writer, layout, goes_on ? task.from.behind : Key(), task.rows_max));
  if (!column.purging) REEL_TRY(note_purging(writer, schema, position));
  RowRewrite rewrite(writer, layout, position);
  for (Row& row : rows) REEL_TRY(rewrite.set(row, column.initial_default));
  REEL_TRY(rewrite.finish());
  PurgeStep step{.rows = rows.size()};
  if (rows.size() < task.rows_max) {
    REEL_TRY(forget_column(writer, layout, position));
  } else {
    step.next = {schema.id, column.id, layout_key(layout, rows.back())};
  }
  return step;
}

Result<PurgeStep> purge_table(Connection& writer, const DroppedTable& table, std::size_t rows_max) {
  const Layout layout(std::make_shared<const TableSchema>(table.schema));
  const std::string keys = layout.list(layout.key);
  const TableId id = table.schema.id;
  REEL_TRY(
      writer.run(fmt::format("DELETE FROM _ledger WHERE table_id = {0}; "
                             "UPDATE _tables SET purging = 1 WHERE id = {0}",
                             id)));
  REEL_TRY(writer.run(
      fmt::format("DELETE FROM {0} WHERE ({1}) IN (SELECT {1} FROM {0} ORDER BY {1} LIMIT {2})",
                  layout.table, keys, rows_max)));
  const auto rows = static_cast<std::size_t>(sqlite3_changes64(writer.get()));
  if (rows < rows_max) {
    REEL_TRY(drop_physical(writer, layout));
    REEL_TRY(writer.run(fmt::format("DELETE FROM _tables WHERE id = {}", id)));
  }
  return PurgeStep{.rows = rows};
}

}  // namespace

Result<PurgeStep> purge_step(Connection& writer, const Layouts& current, const PurgeTask& task) {
  for (const auto& [name, layout] : current.tables) {
    const TableSchema& schema = *layout->schema;
    for (std::size_t i = schema.columns.size(); i < schema.stored_count(); ++i) {
      if (schema.stored(i).dropped_at >= task.dropped_before) continue;
      return purge_column(writer, *layout, i, task);
    }
  }
  REEL_ASSIGN(const auto dropped, read_dropped_tables(writer));
  for (const DroppedTable& table : dropped) {
    if (table.dropped_at >= task.dropped_before) continue;
    return purge_table(writer, table, task.rows_max);
  }
  return PurgeStep{.rows = 0, .done = true};
}

}  // namespace reel::store::sqlite

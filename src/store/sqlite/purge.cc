#include "store/sqlite/purge_internal.h"

#include <map>

#include "store/row_hash.h"
#include "store/schema_codec.h"
#include "store/sqlite/applier_internal.h"
#include "store/sqlite/physical_internal.h"
#include "store/sqlite/schema_change_internal.h"

namespace reel::store::sqlite {
namespace {

//! A table of so few rows can be written anew without a purged column while others wait.
constexpr std::int64_t kRowsToRewrite = 10'000;

std::string marks(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += text.empty() ? "?" : ", ?";
  return text;
}

void bind_key(const Statement& statement, int first, const Layout& layout, const Key& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    bind_value(statement.get(), first + static_cast<int>(i), layout.type(layout.key[i]), key[i]);
  }
}

//! The next rows behind a key with all stored cells.
Result<std::vector<Row>> rows_behind(Connection& writer, const Layout& layout, const Key& key,
                                     std::size_t rows_max) {
  const std::string keys = layout.list(layout.key);
  const std::string behind =
      key.empty() ? "" : fmt::format(" WHERE ({}) > ({})", keys, marks(key.size()));
  REEL_ASSIGN(const Statement select,
              writer.prepare_once(fmt::format("SELECT {} FROM {}{} ORDER BY {} LIMIT {}",
                                              layout.list(layout.stored), layout.table, behind,
                                              keys, rows_max)));
  bind_key(select, 1, layout, key);
  std::vector<Row> rows;
  while (true) {
    REEL_ASSIGN(const bool more, writer.step(select));
    if (!more) return rows;
    Row& row = rows.emplace_back(layout.stored.size());
    for (const std::size_t position : layout.stored) {
      REEL_TRY(read_value(sqlite3_column_value(select.get(), static_cast<int>(position)),
                          layout.type(position), row[position]));
    }
  }
}

Key key_of(const Layout& layout, const Row& row) {
  Key key;
  for (const std::size_t position : layout.key) key.push_back(row[position]);
  return key;
}

//! What purged cells take from the fingerprints of their hours.
Status write_differences(Connection& writer, TableId table,
                         const std::map<std::int64_t, Hash128>& differences) {
  for (const auto& [hour, difference] : differences) {
    const std::string where = fmt::format("table_id = {} AND hour = {}", table, hour);
    Hash128 fingerprint;
    {
      REEL_ASSIGN(const Statement select,
                  writer.prepare_once("SELECT fingerprint FROM _ledger WHERE " + where));
      REEL_ASSIGN(const bool found, writer.step(select));
      if (!found) return corrupt("the ledger has no entry for hour {} of table {}", hour, table);
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(select.get(), 0));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(select.get(), 0));
      REEL_ASSIGN(fingerprint, decode_fingerprint(std::string_view(bytes, size)));
    }
    fingerprint += difference;
    const std::string bytes = encode_fingerprint(fingerprint);
    REEL_ASSIGN(const Statement update,
                writer.prepare_once("UPDATE _ledger SET fingerprint = ? WHERE " + where));
    sqlite3_bind_blob(update.get(), 1, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    REEL_TRY(writer.finish(update));
  }
  return {};
}

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
  REEL_ASSIGN(const std::int64_t rows,
              writer.read_integer(fmt::format(
                  "SELECT coalesce(sum(rows), 0) FROM _ledger WHERE table_id = {}", schema.id)));
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
  std::map<std::int64_t, Hash128> differences;
  std::string scratch;
  REEL_ASSIGN(const Statement update,
              writer.prepare_once(fmt::format("UPDATE {} SET {} = ? WHERE {}", layout.table,
                                              layout.physical(position),
                                              layout.list(layout.key, " = ?", " AND "))));
  for (Row& row : rows) {
    if (row[position] == column.initial_default) continue;
    Hash128& difference = differences[hour_of(row[layout.inserted_at].get<Instant>())];
    difference -= row_hash(schema, layout.by_id, row, scratch);
    row[position] = column.initial_default;
    difference += row_hash(schema, layout.by_id, row, scratch);
    const Key key = key_of(layout, row);
    bind_value(update.get(), 1, column.type, column.initial_default);
    bind_key(update, 2, layout, key);
    REEL_TRY(writer.finish(update));
    sqlite3_reset(update.get());
  }
  REEL_TRY(write_differences(writer, schema.id, differences));
  PurgeStep step{.rows = rows.size()};
  if (rows.size() < task.rows_max) {
    REEL_TRY(forget_column(writer, layout, position));
  } else {
    step.next = {schema.id, column.id, key_of(layout, rows.back())};
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

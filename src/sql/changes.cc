#include "sql/changes.h"

#include <set>
#include <utility>

#include "sql/present.h"
#include "store/document.h"

namespace reel::sql {
namespace {

using store::Key;
using store::Row;
using store::TableSchema;

std::string describe_key(const TableSchema& schema, const Row& row) {
  std::string text;
  for (const store::ColumnId id : schema.key()) {
    const std::size_t position = schema.position(id);
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", schema.columns[position].name,
                        cell_text(value_to_json(schema.columns[position].type, row[position])));
  }
  return text;
}

Failure duplicate(const TableSchema& schema, const Row& row) {
  return conflict("duplicate key in table {}: {}", schema.name, describe_key(schema, row));
}

Status check_row(const TableSchema& schema, const Row& row) {
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const store::Column& column = schema.columns[i];
    if (column.id == store::kInsertedAt) continue;  // the store's own
    if (row[i].is_null() && !column.nullable) {
      return invalid("NOT NULL constraint failed: {}.{}", schema.name, column.name);
    }
    if (const Status fits = check_value(column.type, row[i]); !fits) {
      return invalid("{}.{}: {}", schema.name, column.name, fits.error().message());
    }
  }
  return {};
}

//! Cells outside the key; with `other`, only those that differ from it.
store::Cells cells_of(const TableSchema& schema, const Row& row, const Row* other = nullptr) {
  store::Cells cells;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const store::Column& column = schema.columns[i];
    if (column.id == store::kInsertedAt || schema.is_key(column.id)) continue;
    if (other == nullptr || !(row[i] == (*other)[i])) {
      cells.emplace_back(store::column_reference(column.id), row[i]);
    }
  }
  return cells;
}

//! Where a row was read, nothing else may have changed it.
void require_unchanged(store::Batch& batch, const TableSchema& schema, const RowChange& change) {
  store::Cells cells = cells_of(schema, *change.before);
  const std::size_t inserted_at = schema.position(store::kInsertedAt);
  cells.emplace_back(store::kInsertedAtName, (*change.before)[inserted_at]);
  batch.require_cells(
      schema.name, change.key, std::move(cells),
      fmt::format("write-write conflict: another transaction changed the row of {} with {}",
                  schema.name, describe_key(schema, *change.before)));
}

void append_change(store::Batch& batch, const TableSchema& schema, const RowChange& change) {
  if (!change.before) {
    if (!change.after) return;
    batch.require_absent(
        schema.name, change.key,
        fmt::format("write-write conflict: another transaction inserted the row of {} with {}",
                    schema.name, describe_key(schema, *change.after)));
    batch.insert(schema.name, change.key, cells_of(schema, *change.after));
    return;
  }
  require_unchanged(batch, schema, change);
  if (!change.after) {
    batch.erase(schema.name, change.key);
    return;
  }
  store::Cells cells = cells_of(schema, *change.after, &*change.before);
  if (!cells.empty()) batch.update(schema.name, change.key, std::move(cells));
}

}  // namespace

std::string encode_key(const TableSchema& schema, const Row& row) {
  std::string bytes;
  for (const store::ColumnId id : schema.key()) {
    const std::size_t position = schema.position(id);
    encode_value(bytes, schema.columns[position].type, row[position]);
  }
  return bytes;
}

Result<Key> decode_key(const TableSchema& schema, std::string_view bytes) {
  Key key;
  for (const store::ColumnId id : schema.key()) {
    auto value = store::decode_value(schema.find(id)->type, bytes);
    if (!value) return invalid("not a rowid of table {}", schema.name);
    key.push_back(*std::move(value));
  }
  if (!bytes.empty()) return invalid("not a rowid of table {}", schema.name);
  return key;
}

Status check_new_rows(const TableSchema& schema, const std::vector<Row>& rows) {
  std::set<std::string> keys;
  for (const Row& row : rows) {
    REEL_TRY(check_row(schema, row));
    if (!keys.insert(encode_key(schema, row)).second) return duplicate(schema, row);
  }
  return {};
}

const TableChanges* Changes::find(store::TableId table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? nullptr : &found->second;
}

std::size_t Changes::row_count() const {
  std::size_t count = 0;
  for (const auto& [id, table] : tables_) count += table.rows.size();
  return count;
}

Result<std::optional<Row>> Changes::current(store::Snapshot& snapshot, const TableSchema& schema,
                                            const std::string& encoded_key) const {
  if (const TableChanges* changes = find(schema.id)) {
    const auto found = changes->rows.find(encoded_key);
    if (found != changes->rows.end()) return found->second.after;
  }
  REEL_ASSIGN(const Key key, decode_key(schema, encoded_key));
  return snapshot.get(schema.name, key);
}

Status Changes::apply(store::Snapshot& snapshot, const SchemaPtr& schema,
                      std::vector<RowEdit> edits) {
  std::map<std::string, RowChange, std::less<>> staged;
  // Each key is read once, when the statement first meets it.
  const auto stage = [&](const std::string& encoded) -> Result<RowChange*> {
    auto [entry, is_new] = staged.try_emplace(encoded);
    if (!is_new) return &entry->second;
    if (const TableChanges* earlier = find(schema->id)) {
      if (const auto found = earlier->rows.find(encoded); found != earlier->rows.end()) {
        entry->second = found->second;
        return &entry->second;
      }
    }
    REEL_ASSIGN(entry->second.key, decode_key(*schema, encoded));
    REEL_ASSIGN(entry->second.before, snapshot.get(schema->name, entry->second.key));
    entry->second.after = entry->second.before;
    return &entry->second;
  };
  for (const RowEdit& edit : edits) {
    if (!edit.old_key) continue;
    REEL_ASSIGN(RowChange * change, stage(*edit.old_key));
    change->after.reset();
  }
  for (RowEdit& edit : edits) {
    if (!edit.row) continue;
    REEL_TRY(check_row(*schema, *edit.row));
    REEL_ASSIGN(RowChange * change, stage(encode_key(*schema, *edit.row)));
    if (change->after) {
      return duplicate(*schema, *edit.row);
    }
    change->after = std::move(edit.row);
  }
  if (staged.empty()) return {};
  if (row_count() + staged.size() > kChangedRowsMax) {
    return too_large("a transaction changes at most {} rows", kChangedRowsMax);
  }
  TableChanges& table = tables_[schema->id];
  table.schema = schema;
  for (auto& [encoded, change] : staged) table.rows.insert_or_assign(encoded, std::move(change));
  return {};
}

store::Batch Changes::to_batch() const {
  store::Batch batch;
  for (const auto& [id, table] : tables_) {
    batch.schema_versions.emplace_back(table.schema->name, table.schema->version);
    for (const auto& [encoded, change] : table.rows) append_change(batch, *table.schema, change);
  }
  return batch;
}

}  // namespace reel::sql

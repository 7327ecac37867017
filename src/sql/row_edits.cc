#include "sql/row_edits.h"

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
void require_unchanged(store::Batch& batch, const TableSchema& schema, const Row& before) {
  store::Cells cells = cells_of(schema, before);
  cells.emplace_back(store::kInsertedAtName, before[schema.position(store::kInsertedAt)]);
  batch.require_cells(
      schema.name, key_of(schema, before), std::move(cells),
      fmt::format("write-write conflict: another transaction changed the row of {} with {}",
                  schema.name, describe_key(schema, before)));
}

void require_absent(store::Batch& batch, const TableSchema& schema, const Row& after) {
  batch.require_absent(
      schema.name, key_of(schema, after),
      fmt::format("write-write conflict: another transaction inserted the row of {} with {}",
                  schema.name, describe_key(schema, after)));
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

Result<store::Batch> to_batch(store::Snapshot& view, const TableSchema& schema,
                              const std::vector<store::RowEdit>& edits) {
  store::Batch batch;
  batch.schema_versions.emplace_back(schema.name, schema.version);
  const auto stays = [&](const store::RowEdit& edit) {
    return edit.before && edit.after && key_of(schema, *edit.before) == key_of(schema, *edit.after);
  };
  std::set<std::string> given_up;
  for (const store::RowEdit& edit : edits) {
    if (!edit.before) continue;
    require_unchanged(batch, schema, *edit.before);
    if (stays(edit)) continue;
    given_up.insert(encode_key(schema, *edit.before));
    batch.erase(schema.name, key_of(schema, *edit.before));
  }
  std::set<std::string> put_in;
  for (const store::RowEdit& edit : edits) {
    if (!edit.after) continue;
    REEL_TRY(check_row(schema, *edit.after));
    const Key key = key_of(schema, *edit.after);
    if (stays(edit)) {
      store::Cells cells = cells_of(schema, *edit.after, &*edit.before);
      if (!cells.empty()) batch.update(schema.name, key, std::move(cells));
      continue;
    }
    const std::string encoded = encode_key(schema, *edit.after);
    if (!put_in.insert(encoded).second) return duplicate(schema, *edit.after);
    if (!given_up.contains(encoded)) {
      REEL_ASSIGN(const auto there, view.get(schema.name, key));
      if (there) return duplicate(schema, *edit.after);
      require_absent(batch, schema, *edit.after);
    }
    batch.insert(schema.name, key, cells_of(schema, *edit.after));
  }
  return batch;
}

}  // namespace reel::sql

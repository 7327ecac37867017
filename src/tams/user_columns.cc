#include "tams/user_columns.h"

#include "store/document.h"

namespace reel::tams {
namespace {

bool is_users(const store::Column& column, IsNamed is_named) {
  return column.product_name.empty() && !is_named(column.name);
}

//! Calls `visit(name, value)` for each cell that is set.
template <class Visit>
void each_user_cell(const Record& record, IsNamed is_named, const Visit& visit) {
  const auto& columns = record.schema().columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const store::Value& cell = record.row()[i];
    if (cell.is_null() || !is_users(columns[i], is_named)) continue;
    visit(columns[i].name, store::value_to_json(columns[i].type, cell));
  }
}

}  // namespace

bool is_user_column(const store::TableSchema& schema, std::string_view member, IsNamed is_named) {
  for (const store::Column& column : schema.columns) {
    if (column.name == member && is_users(column, is_named)) return true;
  }
  return false;
}

bool has_user_cell(const Record& record, std::string_view member, IsNamed is_named) {
  bool found = false;
  each_user_cell(record, is_named,
                 [&](const std::string& name, const json::Value&) { found |= name == member; });
  return found;
}

void write_user_columns(json::Writer& out, const Record& record, IsNamed is_named) {
  each_user_cell(record, is_named, [&](const std::string& name, const json::Value& value) {
    out.key(name);
    out.value(value);
  });
}

void set_user_columns(json::Value& document, const Record& record, IsNamed is_named) {
  each_user_cell(record, is_named, [&](const std::string& name, json::Value value) {
    document.set(name, std::move(value));
  });
}

void add_user_defaults(const store::TableSchema& schema, IsNamed is_named, json::Value& document) {
  for (const store::Column& column : schema.columns) {
    if (!is_users(column, is_named) || column.default_value.is_null()) continue;
    if (document.find(column.name) != nullptr) continue;
    document.set(column.name, store::value_to_json(column.type, column.default_value));
  }
}

Result<store::Cells> user_cells(const store::TableSchema& schema, const json::Value& document,
                                IsNamed is_named) {
  store::Cells cells;
  for (const store::Column& column : schema.columns) {
    if (!is_users(column, is_named)) continue;
    const json::Value* member = document.find(column.name);
    store::Value value = column.nullable ? store::Value() : column.default_value;
    if (member != nullptr) {
      const std::string pointer = json::join_pointer("", column.name);
      auto given = store::value_from_json(column.type, *member);
      if (!given) {
        std::string place = pointer + given.error().pointer();
        return Failure(std::move(given).error().at(std::move(place)));
      }
      if (given->is_null() && !column.nullable) return at(pointer, invalid("may not be null"));
      value = *std::move(given);
    }
    if (value.is_null() && !column.nullable) {
      return at(json::join_pointer("", column.name),
                invalid("is required: the column has no default and may not be null"));
    }
    cells.emplace_back(store::column_reference(column.id), std::move(value));
  }
  return cells;
}

}  // namespace reel::tams

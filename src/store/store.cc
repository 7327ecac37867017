#include "store/store.h"

#include <algorithm>
#include <numeric>

#include "store/row_hash.h"

namespace reel::store {

Batch& Batch::require_absent(std::string table, Key key, std::string message) {
  preconditions.push_back({.kind = Precondition::Kind::absent,
                           .table = std::move(table),
                           .key = std::move(key),
                           .message = std::move(message)});
  return *this;
}

Batch& Batch::require_present(std::string table, Key key, std::string message) {
  preconditions.push_back({.kind = Precondition::Kind::present,
                           .table = std::move(table),
                           .key = std::move(key),
                           .message = std::move(message)});
  return *this;
}

Batch& Batch::require_empty(std::string table, Key partition, std::string message) {
  preconditions.push_back({.kind = Precondition::Kind::empty,
                           .table = std::move(table),
                           .key = std::move(partition),
                           .message = std::move(message)});
  return *this;
}

Batch& Batch::require_cells(std::string table, Key key, Cells cells, std::string message) {
  preconditions.push_back({.kind = Precondition::Kind::cells_are,
                           .table = std::move(table),
                           .key = std::move(key),
                           .cells = std::move(cells),
                           .message = std::move(message)});
  return *this;
}

Batch& Batch::insert(std::string table, Key key, Cells cells) {
  mutations.push_back({Mutation::Kind::insert, std::move(table), std::move(key), std::move(cells)});
  return *this;
}

Batch& Batch::upsert(std::string table, Key key, Cells cells) {
  mutations.push_back({Mutation::Kind::upsert, std::move(table), std::move(key), std::move(cells)});
  return *this;
}

Batch& Batch::update(std::string table, Key key, Cells cells) {
  mutations.push_back({Mutation::Kind::update, std::move(table), std::move(key), std::move(cells)});
  return *this;
}

Batch& Batch::erase(std::string table, Key key) {
  mutations.push_back({Mutation::Kind::erase, std::move(table), std::move(key), {}});
  return *this;
}

Batch& Batch::append(std::string table, Key partition, Cells cells) {
  mutations.push_back(
      {Mutation::Kind::append, std::move(table), std::move(partition), std::move(cells)});
  return *this;
}

std::vector<std::size_t> positions_by_id(const TableSchema& schema) {
  std::vector<std::size_t> order(schema.stored_count());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return schema.stored(a).id < schema.stored(b).id;
  });
  return order;
}

namespace {

//! `cell_at` gives the cell of a position.
template <class CellAt>
Hash128 hash_cells(const TableSchema& schema, const std::vector<std::size_t>& by_id,
                   const CellAt& cell_at, std::string& scratch) {
  scratch.clear();
  for (const std::size_t position : by_id) {
    const Column& column = schema.stored(position);
    const Value& cell = cell_at(position);
    const bool initial =
        cell.is_null() ? column.initial_default.is_null() : cell == column.initial_default;
    if (initial) continue;
    ColumnId id = column.id;
    for (; id >= 0x80; id >>= 7) scratch.push_back(static_cast<char>((id & 0x7f) | 0x80));
    scratch.push_back(static_cast<char>(id));
    encode_value(scratch, column.type, cell);
  }
  return hash128(scratch);
}

}  // namespace

Result<std::shared_ptr<const TableSchema>> Store::migrate(Migration migration,
                                                          const Reason& reason) {
  REEL_ASSIGN(const auto schemas, migrate_all({std::move(migration)}, reason));
  return schemas.front();
}

Hash128 row_hash(const TableSchema& schema, const std::vector<std::size_t>& by_id, const Row& row,
                 std::string& scratch) {
  return hash_cells(schema, by_id, [&](std::size_t i) -> const Value& { return row[i]; }, scratch);
}

Hash128 row_hash(const TableSchema& schema, const std::vector<std::size_t>& by_id,
                 const CellRefs& row, std::string& scratch) {
  return hash_cells(schema, by_id, [&](std::size_t i) -> const Value& { return *row[i]; }, scratch);
}

Hash128 row_hash(const TableSchema& schema, const Row& row) {
  std::string scratch;
  return row_hash(schema, positions_by_id(schema), row, scratch);
}

}  // namespace reel::store

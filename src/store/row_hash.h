#pragma once
//! row_hash for callers that hash many rows of one table, such as engines.

#include <string>
#include <vector>

#include "store/store.h"

namespace reel::store {

//! Positions of the schema's stored columns in the order of their ids.
std::vector<std::size_t> positions_by_id(const TableSchema& schema);

//! A row whose cells lie in different places, by position.
using CellRefs = std::vector<const Value*>;

//! As row_hash(schema, row), with by_id = positions_by_id(schema) and a buffer to reuse.
Hash128 row_hash(const TableSchema& schema, const std::vector<std::size_t>& by_id, const Row& row,
                 std::string& scratch);
Hash128 row_hash(const TableSchema& schema, const std::vector<std::size_t>& by_id,
                 const CellRefs& row, std::string& scratch);

}  // namespace reel::store

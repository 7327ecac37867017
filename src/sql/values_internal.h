#pragma once
//! Cells of the store as DuckDB's values, and back.

#include <duckdb/common/types/value.hpp>
#include <duckdb/common/types/vector.hpp>

#include "store/value.h"

namespace reel::sql {

duckdb::hugeint_t to_hugeint(store::Int128 number);
store::Int128 from_hugeint(duckdb::hugeint_t number);

//! Writes one cell into a flat vector of to_logical(type). REQUIRES: check_value(type, cell).
void write_cell(duckdb::Vector& vector, duckdb::idx_t row, const store::Type& type,
                const store::Value& cell);

duckdb::Value to_duckdb(const store::Type& type, const store::Value& cell);

//! A parameter of a statement: its type follows from the value.
duckdb::Value to_parameter(const store::Value& value);

//! The value as a cell of this type, which is to_stored() or to_shown() of the value's type.
//! Code::invalid for what a cell cannot be, such as the timestamp infinity.
Result<store::Value> to_cell(const store::Type& type, const duckdb::Value& value);

}  // namespace reel::sql

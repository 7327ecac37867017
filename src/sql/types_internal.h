#pragma once
//! Column types of the store as DuckDB's, and back.

#include <duckdb/common/types.hpp>

#include "store/value.h"

namespace reel::sql {

duckdb::LogicalType to_logical(const store::Type& type);

//! The type of a column that can hold every value of a DuckDB type. Code::unsupported for types
//! without one, such as HUGEINT and INTERVAL.
Result<store::Type> to_stored(const duckdb::LogicalType& type);

//! The same for a column of a result: what the store has no type for is shown as text, and HUGEINT
//! as a decimal of 38 digits.
store::Type to_shown(const duckdb::LogicalType& type);

}  // namespace reel::sql

#pragma once
//! Media time in SQL: ts(), timerange() and their like (docs/guide/sql.md lists them).
//!
//! A moment is DECIMAL(24,9) seconds. A range is STRUCT(start_time, end_time), half-open as the
//! segments are kept; a bound that is null is open, and what holds no moment is [0, 0). Wherever a
//! range is expected, its text or two bounds may stand; where a moment is, its text.

#include <vector>

#include <duckdb/main/database.hpp>
#include <duckdb/planner/expression.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>

#include "store/store.h"

namespace reel::sql {

void register_functions(duckdb::DatabaseInstance& instance);

//! What a filter asks of a column that holds a bound; true of rows where the bound is null.
struct TimeBound {
  const duckdb::BoundColumnRefExpression* column = nullptr;
  store::Predicate::Op op = store::Predicate::Op::less;
  store::Value value = {};
};

//! What a filter implies that compares two columns, as bounds, with a constant: tr_overlaps(start,
//! end, '[10:0_20:0)') needs start < 20 and end > 10. Empty for every other filter.
std::vector<TimeBound> time_bounds(duckdb::ClientContext& context,
                                   const duckdb::Expression& filter);

}  // namespace reel::sql

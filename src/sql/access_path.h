#pragma once
//! Which rows of a table a statement has to read.

#include <vector>

#include "store/store.h"

namespace reel::sql {

//! What a filter asks of one column. Filters say more than that (IN, OR, functions): DuckDB checks
//! every row that was read against all of them.
struct Condition {
  std::size_t column = 0;  //!< position in the schema
  store::Predicate::Op op = store::Predicate::Op::equal;
  store::Value value = {};
};

//! The narrowest scan that has every row for which all conditions hold, and maybe others.
struct AccessPath {
  store::ScanSpec spec;  //!< columns, limit and paging are the caller's
  //! Columns by which the rows come, positions in the schema: their values in the row that was read
  //! last, as an exclusive lower bound, continue the scan.
  std::vector<std::size_t> order;
};

//! One partition when its key is given, else the index or key of which most leading columns are.
AccessPath choose_path(const store::TableSchema& schema, const std::vector<Condition>& conditions);

}  // namespace reel::sql

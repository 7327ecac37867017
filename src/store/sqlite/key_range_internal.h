#pragma once
//! Ranges over several sort columns, cut into pieces that are one index range each.

#include <string>
#include <vector>

#include "store/sqlite/layout_internal.h"

namespace reel::store::sqlite {

//! One comparison of a sort column.
struct Term {
  enum class Op : char {
    equal = '=',
    less = '<',
    less_equal = 'l',
    greater = '>',
    greater_equal = 'g',
    is_null = '0',
    not_null = '1',
  };
  std::size_t column;  //!< which sort column, 0 the first
  Op op;
  const Value* value;  //!< borrowed from the bound; unused by is_null and not_null
};

//! Rows that fulfil every term: equalities on leading columns, then at most one range, so that
//! SQLite reads exactly one stretch of the index.
using Piece = std::vector<Term>;

//! The rows between two bounds as disjoint pieces in ascending order; nulls sort first. Rows that
//! compare as (a, b, c) are cut at every column: "(a, b) > (1, 2)" becomes "a = 1 and b > 2", then
//! "a > 1". Row-value comparisons would do for columns that are never null only.
//! `nullable[i]` says whether sort column i may hold nulls.
//! REQUIRES: no bound has more values than there are sort columns.
std::vector<Piece> cut_range(const std::optional<RangeBound>& lower,
                             const std::optional<RangeBound>& upper,
                             const std::vector<bool>& nullable);

}  // namespace reel::store::sqlite

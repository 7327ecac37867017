#pragma once
//! Changing one column's cells in rows that are there, beside all batches.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "store/sqlite/connection_internal.h"
#include "store/sqlite/layout_internal.h"

namespace reel::store::sqlite {

//! The next rows behind a key (empty: the first ones), with all stored cells.
Result<std::vector<Row>> rows_behind(Connection& writer, const Layout& layout, const Key& key,
                                     std::size_t rows_max);

//! The key of a row with all stored cells.
Key layout_key(const Layout& layout, const Row& row);

//! Sets cells of one stored column, and keeps the ledger true.
class RowRewrite {
 public:
  RowRewrite(Connection& writer, const Layout& layout, std::size_t position);

  //! `row`: all stored cells.
  Status set(Row& row, const Value& value);
  //! Adds what changed to the ledger; once, at the end.
  Status finish();

 private:
  Connection& writer_;
  const Layout& layout_;
  const std::size_t position_;
  const std::string sql_;
  std::map<std::int64_t, Hash128> differences_;
  std::string scratch_;
};

}  // namespace reel::store::sqlite

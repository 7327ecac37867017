#pragma once
//! Erasing what was dropped, little by little.

#include "store/sqlite/connection_internal.h"
#include "store/sqlite/layout_internal.h"
#include "store/store.h"

namespace reel::store::sqlite {

struct PurgeTask {
  Instant dropped_before;
  std::size_t rows_max;
  const PurgePlace& from;
};

//! One step of Store::purge. A cell that is erased becomes the column's initial default, which the
//! ledger does not count. REQUIRES: a write transaction.
Result<PurgeStep> purge_step(Connection& writer, const Layouts& current, const PurgeTask& task);

}  // namespace reel::store::sqlite

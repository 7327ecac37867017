#pragma once
//! A batch that has been looked at once: names resolved, values checked. Done on the caller's
//! thread, so that the committer only binds and steps.

#include <memory>
#include <vector>

#include "store/sqlite/layout_internal.h"
#include "store/store.h"

namespace reel::store::sqlite {

struct BatchLimits {
  std::size_t mutations_max;
  std::size_t cell_bytes_max;
};

struct PlannedPrecondition {
  const Layout* layout;
  std::vector<std::size_t> cells;  //!< positions of Precondition::cells
  std::size_t end_column = 0;      //!< no_overlap
};

struct PlannedMutation {
  const Layout* layout;
  std::vector<std::size_t> cells;  //!< positions of Mutation::cells
};

struct BatchPlan {
  std::shared_ptr<const Layouts> layouts;
  std::vector<PlannedPrecondition> preconditions;
  std::vector<PlannedMutation> mutations;
  //! A mutation behind the first may fail, so that earlier ones may have to be taken back.
  bool needs_savepoint = false;
};

//! Refuses what can never be applied: unknown tables and columns (not_found, invalid), wrong types
//! and missing values (invalid), too many or too large ones (too_large), other schema versions
//! than the batch was prepared against (conflict).
Result<BatchPlan> plan_batch(std::shared_ptr<const Layouts> layouts, const Batch& batch,
                             const BatchLimits& limits);

//! All key columns, or only the partition's, of the right types and not null.
Status check_key(const Layout& layout, const Key& key, std::size_t size);

}  // namespace reel::store::sqlite

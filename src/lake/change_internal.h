#pragma once
//! What changes of the catalog have in common.

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lake/catalog.h"
#include "lake/tables.h"
#include "store/retry.h"

namespace reel::lake {

inline std::string name_of(std::string_view table) { return std::string(table); }

//! Commits what `prepare` makes of a snapshot, again when someone else was faster. What it refuses
//! is final.
template <class Prepare>
Status commit_change(store::RowStore& store, const Prepare& prepare) {
  std::optional<Error> refused;
  REEL_TRY(store::retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, store.snapshot());
    Result<store::Batch> batch = prepare(*snapshot);
    if (!batch) {
      refused = std::move(batch).error();
      return {};
    }
    return batch->mutations.empty() ? Status() : store.commit(*std::move(batch));
  }));
  if (refused) return Failure(*std::move(refused));
  return {};
}

//! A batch on its way, over the snapshot in which its conditions were checked.
struct Change {
  store::Snapshot& snapshot;
  store::Batch batch = {};
  std::set<std::pair<ViewSetId, std::string>> touched = {};

  //! Nobody else may have changed what is active in the partition's instance.
  Status touch(const Partition& partition);
  //! The partition must still be in the state that it has here.
  void set_state(const Partition& partition, PartitionState state,
                 const std::optional<RetirementId>& retirement);
  //! The one place where partitions retire. `retirement` says when, by whom and why, and is
  //! completed.
  Status retire(const std::vector<Partition>& partitions, Retirement& retirement,
                std::chrono::seconds undo);
  //! Nobody else may end it. `retirement` is as it is then.
  void end(Retirement& retirement, RetirementState state, Instant now, std::string_view by);
};

}  // namespace reel::lake

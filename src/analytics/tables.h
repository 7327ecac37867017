#pragma once
//! The tables that keep figures, and how far in the change log they are.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace reel::analytics {

namespace table {
//! How far the others are.
inline constexpr std::string_view kState = "analytics_state";
//! The summary of all segments of a flow: the root of its tree.
inline constexpr std::string_view kFlowSummaries = "flow_summaries";
//! The nodes below the roots.
inline constexpr std::string_view kNodes = "flow_summary_nodes";
//! What the tallies contain of each object, and how often its media was read.
inline constexpr std::string_view kObjectUsage = "object_usage";
//! The tally of the objects that the same timelines use; the nil id: that of all objects.
inline constexpr std::string_view kObjectGroups = "object_groups";
//! The groups of each timeline.
inline constexpr std::string_view kTimelineGroups = "timeline_object_groups";
}  // namespace table

//! Creates what is missing. In a store that holds no flows and no objects yet the figures are
//! complete at once; otherwise refresh() computes them. Called once at start, before there are
//! writers.
Status prepare(store::Store& store);

struct State {
  std::int64_t cursor = 0;  //!< every change up to this one is contained
  //! False while the figures are computed from scratch: nobody may read them.
  bool complete = false;
};

//! How many changes the figures do not contain yet.
Result<std::int64_t> changes_behind(store::RowStore& store);
void write_state(store::Batch& batch, const State& state);
//! That the figures are still where they were read.
void require_state(store::Batch& batch, const State& state);

//! nullopt while the figures cannot be brought up to date by changes: they are not complete, or
//! changes behind their cursor have been forgotten.
Result<std::optional<State>> sound_state(store::Snapshot& snapshot);

}  // namespace reel::analytics

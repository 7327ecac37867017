#pragma once
//! Which flow collects which: the reverse side of flow_collection, kept with every change.

#include <set>
#include <vector>

#include "tams/context.h"
#include "tams/edit.h"
#include "tams/record.h"

namespace reel::tams {

//! The flows that collect this one, by id.
Result<std::vector<FlowId>> collectors_of(store::Snapshot& snapshot, FlowId member);

//! Adds to the batch what it takes that `collection` collects `now` instead of `before`: every
//! member must exist (invalid), is pinned against deletion by its collected_count, and nobody
//! collects itself.
Status change_members(Write& write, FlowId collection, const std::set<FlowId>& before,
                      const std::set<FlowId>& now);

}  // namespace reel::tams

#include "events/event_filter.h"

#include <algorithm>

namespace reel::events {
namespace {

template <class IdType>
bool is_one_of(const std::optional<IdType>& id, const std::vector<IdType>& wanted) {
  return id && std::find(wanted.begin(), wanted.end(), *id) != wanted.end();
}

template <class IdType>
bool is_collected(const std::vector<IdType>& collectors, const std::vector<IdType>& wanted) {
  if (wanted.empty()) return collectors.empty();
  return std::find_first_of(collectors.begin(), collectors.end(), wanted.begin(), wanted.end()) !=
         collectors.end();
}

}  // namespace

bool EventFilter::matches(const Change& change) const {
  if (std::find(types.begin(), types.end(), change.type) == types.end()) return false;
  if (source_ids && !is_one_of(change.source_id, *source_ids)) return false;
  if (source_collected_by && !is_collected(change.source_collected_by, *source_collected_by)) {
    return false;
  }
  if (!change.flow_id) return true;
  return (!flow_ids || is_one_of(change.flow_id, *flow_ids)) &&
         (!flow_collected_by || is_collected(change.flow_collected_by, *flow_collected_by));
}

}  // namespace reel::events

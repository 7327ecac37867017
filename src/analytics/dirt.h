#pragma once
//! What changes make stale: slices of media time of flows, and objects.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "store/store.h"

namespace reel::analytics {

//! The slices of one flow whose summaries differ from those that are kept. Slices are counted in
//! leaves, see summary_tree.h.
struct FlowDirt {
  std::int64_t as_of = 0;        //!< older changes are contained in the flow's tree
  bool whole = false;            //!< nothing that is kept counts
  std::set<std::int64_t> added;  //!< segments begin there that did not
  //! From the first to the last: segments that began in there are gone.
  std::vector<std::pair<std::int64_t, std::int64_t>> removed;

  bool empty() const { return !whole && added.empty() && removed.empty(); }
  bool touches(std::int64_t first, std::int64_t last) const;
};

struct Dirt {
  std::int64_t cursor = 0;  //!< the last change that is contained
  bool ended = true;        //!< there is no further change
  std::size_t items = 0;    //!< segments, ranges and objects that the changes named
  std::map<FlowId, FlowDirt> flows;
  std::set<std::string> objects;
};

//! From the changes behind `cursor`, until about `items_max` things were named; at least one
//! change.
Result<Dirt> collect_dirt(store::Snapshot& snapshot, std::int64_t cursor, std::size_t items_max);

}  // namespace reel::analytics

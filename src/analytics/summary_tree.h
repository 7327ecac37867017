#pragma once
//! The summaries of a flow: a tree over media time. A leaf summarises the segments that begin in
//! one slice of 2^37 ns (137 s); 64 nodes have one parent, and the root, seven levels above the
//! leaves, covers all of PTP time. Only nodes with segments are kept. A node is always computed
//! from its children, a leaf from the segments, so nothing can drift.

#include <cstdint>
#include <map>
#include <optional>

#include "analytics/dirt.h"
#include "analytics/summary.h"
#include "analytics/tables.h"
#include "time/time_range.h"

namespace reel::analytics {

inline constexpr int kRootLevel = 7;

//! The leaf of a segment that begins at this moment. REQUIRES: within PTP time.
std::int64_t leaf_of(Int128 start_nanoseconds);

//! Moments in nanoseconds, [from, to).
struct Span {
  Int128 from;
  Int128 to;
};

//! A flow, and where its segments are. Its tree is kept by its id and begins anew with each
//! creation of the flow, of which the change log tells.
struct FlowKey {
  FlowId id;
  TimelineId timeline;
};

//! The tree as one snapshot has it, brought up to date by what changes have made stale since.
class SummaryTree {
 public:
  //! `dirt` nullptr: nothing is stale. REQUIRES: snapshot and dirt outlive the tree.
  static Result<SummaryTree> open(store::Snapshot& snapshot, const FlowKey& flow,
                                  const FlowDirt* dirt);

  //! Of all segments. Code::overloaded, here and below, when there is no tree yet and the segments
  //! are too many to look at now.
  Result<Summary> all();
  //! Of the segments that overlap the range.
  Result<Summary> within(const time::TimeRange& range);
  //! Adds to the batch what writes the stale nodes anew. REQUIRES: the dirt is not `whole`.
  Status update(store::Batch& batch);

 private:
  SummaryTree(store::Snapshot& snapshot, const FlowKey& flow, const FlowDirt* dirt)
      : snapshot_(&snapshot), flow_(flow), dirt_(dirt) {}

  Result<Summary> walk(int level, std::int64_t slice, const Summary* kept, const Span& starts);
  Result<Summary> merge_children(int level, std::int64_t slice, bool kept, const Span& starts);
  using Children = std::map<std::int64_t, std::optional<Summary>>;
  Result<Children> children(int level, std::int64_t slice, bool kept, const Span& starts);
  void write_node(int level, std::int64_t slice, const Summary& summary);

  store::Snapshot* snapshot_;
  FlowKey flow_;
  const FlowDirt* dirt_;
  std::optional<Summary> root_;
  std::int64_t as_of_ = 0;
  store::Batch* batch_ = nullptr;  //!< while updating
};

//! Summarises the segments that begin in the span, leaf by leaf; `visit` may be called repeatedly
//! for one leaf, with adjoining pieces.
using LeafVisitor = std::function<Status(std::int64_t leaf, const Summary& summary)>;
Status summarize(store::Snapshot& snapshot, TimelineId timeline, const Span& starts,
                 const LeafVisitor& visit);

//! Receives batches that are to be committed.
using BatchSink = std::function<Status(store::Batch batch)>;

//! Computes the whole tree of a flow from its segments, in bounded batches; the root, with which
//! it begins to count, comes last. REQUIRES: the flow has no nodes, see drop_tree().
Status build_tree(store::Snapshot& snapshot, const FlowKey& flow, const BatchSink& commit);

//! Removes a flow's nodes in bounded batches, the root first.
Status drop_tree(store::Snapshot& snapshot, FlowId flow, const BatchSink& commit);

}  // namespace reel::analytics

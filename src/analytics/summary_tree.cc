#include "analytics/summary_tree.h"

#include <algorithm>
#include <array>

#include "events/change_log.h"
#include "tams/segments.h"
#include "tams/tables.h"

namespace reel::analytics {
namespace {

using store::Value;
using time::TimeRange;
using time::Timestamp;

constexpr int kLeafBits = 37;
constexpr int kFanBits = 6;
//! Before the first moment of PTP time, so that slices count from 0 and one root covers all.
constexpr Int128 kOrigin = -(Int128{1} << 78);
constexpr Span kAlways{kOrigin, -kOrigin};
static_assert(kLeafBits + kFanBits * kRootLevel == 79);

//! Nodes per transaction: bounds the time that other writers wait.
constexpr std::size_t kNodesAtOnce = 500;
//! Segments whose objects are looked up together.
constexpr std::size_t kSegmentsAtOnce = 1000;

//! Segments of a flow without a tree that a report looks at itself.
constexpr std::int64_t kSegmentsMax = 50'000;

const std::string kRoots(table::kFlowSummaries);
const std::string kNodes(table::kNodes);

Span span_of(int level, std::int64_t slice) {
  const Int128 width = Int128{1} << (kLeafBits + kFanBits * level);
  return {kOrigin + slice * width, kOrigin + (slice + 1) * width};
}

//! First and last leaf of a node.
std::pair<std::int64_t, std::int64_t> leaves_of(int level, std::int64_t slice) {
  const int bits = kFanBits * level;
  return {slice << bits, ((slice + 1) << bits) - 1};
}

TimeRange range_of(const Span& span) {
  const auto bound = [](Int128 at, bool inclusive) -> std::optional<TimeRange::Bound> {
    const auto timestamp = Timestamp::checked(at);
    if (!timestamp) return std::nullopt;  // beyond all time, where no segment begins
    return TimeRange::Bound{*timestamp, inclusive};
  };
  return TimeRange::make(bound(span.from, true), bound(span.to, false));
}

//! Segments on the way to their summaries.
class Summarizer {
 public:
  Summarizer(store::Snapshot& snapshot, const LeafVisitor& visit)
      : snapshot_(snapshot), visit_(visit) {}

  Status add(Int128 start, Int128 end, const std::string& object_id) {
    const std::int64_t leaf = leaf_of(start);
    if (leaf != leaf_ || segments_.size() == kSegmentsAtOnce) REEL_TRY(flush());
    leaf_ = leaf;
    segments_.push_back({start, end, 0});
    objects_.push_back({object_id});
    return {};
  }

  Status flush() {
    if (segments_.empty()) return {};
    REEL_TRY(snapshot_.get_each(tams::table::kObjects, objects_, {"size_bytes"},
                                [&](std::size_t index, const store::RowView& row) {
                                  const Value& size = row[row.schema.position("size_bytes")];
                                  if (!size.is_null()) {
                                    segments_[index].bytes = size.get<std::int64_t>();
                                  }
                                }));
    Summary summary;
    for (const Segment& segment : segments_) {
      summary.append(Summary::of(segment.start, segment.end, segment.bytes));
    }
    segments_.clear();
    objects_.clear();
    return visit_(leaf_, summary);
  }

 private:
  struct Segment {
    Int128 start;
    Int128 end;
    std::int64_t bytes;
  };
  store::Snapshot& snapshot_;
  const LeafVisitor& visit_;
  std::int64_t leaf_ = -1;
  std::vector<Segment> segments_;
  std::vector<store::Key> objects_;
};

//! Makes the nodes of a flow from its leaves, which come in order.
class TreeBuilder {
 public:
  TreeBuilder(FlowId flow, const BatchSink& commit) : flow_(flow), commit_(commit) {}

  Status add(std::int64_t leaf, const Summary& piece) {
    root_.append(piece);
    for (int level = 0; level < kRootLevel; ++level) {
      Open& node = open_[static_cast<std::size_t>(level)];
      const std::int64_t slice = leaf >> (kFanBits * level);
      if (slice != node.slice) {
        REEL_TRY(write(level, node));
        node = {slice, {}};
      }
      node.summary.append(piece);
    }
    return {};
  }

  Status finish(std::int64_t as_of) {
    for (int level = 0; level < kRootLevel; ++level) {
      REEL_TRY(write(level, open_[static_cast<std::size_t>(level)]));
    }
    if (root_.segments == 0) return {};
    store::Cells cells = summary_cells(root_);
    cells.emplace_back("as_of", as_of);
    batch_.upsert(kRoots, {flow_}, std::move(cells));
    return commit_(std::move(batch_));
  }

 private:
  //! The node of a level to which segments are still added.
  struct Open {
    std::int64_t slice = -1;
    Summary summary = {};
  };

  Status write(int level, const Open& node) {
    if (node.summary.segments == 0) return {};
    batch_.upsert(kNodes, {flow_, level, node.slice}, summary_cells(node.summary));
    if (batch_.mutations.size() < kNodesAtOnce) return {};
    return commit_(std::exchange(batch_, {}));
  }

  const FlowId flow_;
  const BatchSink& commit_;
  store::Batch batch_;
  std::array<Open, kRootLevel> open_;
  Summary root_;
};

}  // namespace

std::int64_t leaf_of(Int128 start_nanoseconds) {
  return static_cast<std::int64_t>((start_nanoseconds - kOrigin) >> kLeafBits);
}

Status summarize(store::Snapshot& snapshot, TimelineId timeline, const Span& starts,
                 const LeafVisitor& visit) {
  if (starts.from >= starts.to) return {};
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(tams::table::kSegments));
  const std::size_t start_time = schema->position("start_time");
  const std::size_t end_time = schema->position("end_time");
  const std::size_t object_id = schema->position("object_id");
  Summarizer summarizer(snapshot, visit);
  Status status;
  const tams::SegmentScan scan{.range = range_of(starts),
                               .columns = {"start_time", "end_time", "object_id"}};
  REEL_TRY(tams::scan_segments(snapshot, timeline, scan, [&](const store::RowView& row) {
    const Int128 start = row[start_time].get<store::Decimal>().unscaled;
    if (start < starts.from) return true;  // it only reaches into the span
    status = summarizer.add(start, row[end_time].get<store::Decimal>().unscaled,
                            row[object_id].get<std::string>());
    return status.has_value();
  }));
  REEL_TRY(std::move(status));
  return summarizer.flush();
}

Result<SummaryTree> SummaryTree::open(store::Snapshot& snapshot, const FlowKey& flow,
                                      const FlowDirt* dirt) {
  SummaryTree tree(snapshot, flow, dirt);
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(kRoots));
  REEL_ASSIGN(const auto row, snapshot.get(kRoots, {flow.id}));
  if (row) {
    tree.root_ = SummaryColumns(*schema).read(*row);
    tree.as_of_ = (*row)[schema->position("as_of")].get<std::int64_t>();
  }
  return tree;
}

Result<Summary> SummaryTree::all() {
  return walk(kRootLevel, 0, root_ ? &*root_ : nullptr, kAlways);
}

Result<Summary> SummaryTree::within(const TimeRange& range) {
  if (range.is_never()) return Summary();
  Span starts = kAlways;
  if (const auto end = range.past_last_nanoseconds()) starts.to = *end;
  if (const auto first = range.first()) {
    // The segment that is running at the first moment belongs to it as well.
    starts.from = first->nanoseconds();
    REEL_ASSIGN(const auto schema, snapshot_->catalog().table(tams::table::kSegments));
    const std::size_t start_time = schema->position("start_time");
    const tams::SegmentScan scan{.range = range, .columns = {"start_time"}};
    REEL_TRY(tams::scan_segments(*snapshot_, flow_.timeline, scan, [&](const store::RowView& row) {
      const Int128 start = row[start_time].get<store::Decimal>().unscaled;
      starts.from = std::min(starts.from, start);
      return false;
    }));
  }
  return walk(kRootLevel, 0, root_ ? &*root_ : nullptr, starts);
}

Status SummaryTree::update(store::Batch& batch) {
  REEL_CHECK(dirt_ != nullptr && !dirt_->whole);
  batch_ = &batch;
  auto updated = walk(kRootLevel, 0, root_ ? &*root_ : nullptr, kAlways);
  batch_ = nullptr;
  REEL_TRY(std::move(updated));
  return {};
}

//! The segments of a node that begin within `starts`. `kept`: what is stored of it, if anything.
//! NOLINTNEXTLINE(misc-no-recursion): as deep as the tree is high
Result<Summary> SummaryTree::walk(int level, std::int64_t slice, const Summary* kept,
                                  const Span& starts) {
  const auto [first, last] = leaves_of(level, slice);
  const bool dirty = dirt_ != nullptr && dirt_->touches(first, last);
  if (!dirty && kept == nullptr) return Summary();
  const Span span = span_of(level, slice);
  const Span within{std::max(span.from, starts.from), std::min(span.to, starts.to)};
  if (within.from >= within.to) return Summary();
  const bool complete = within.from == span.from && within.to == span.to;
  if (!dirty && complete) return *kept;
  Summary summary;
  if (level == 0 || (dirty && dirt_->whole)) {
    const auto add = [&](std::int64_t, const Summary& piece) -> Status {
      summary.append(piece);
      if (level == 0 || summary.segments <= kSegmentsMax) return {};
      return overloaded("flow {} is new and its segments are still to be taken in",
                        flow_.id.to_string());
    };
    REEL_TRY(summarize(*snapshot_, flow_.timeline, within, add));
  } else {
    REEL_ASSIGN(summary, merge_children(level, slice, kept != nullptr, starts));
  }
  if (batch_ != nullptr && dirty) write_node(level, slice, summary);
  return summary;
}

//! NOLINTNEXTLINE(misc-no-recursion): see walk()
Result<Summary> SummaryTree::merge_children(int level, std::int64_t slice, bool kept,
                                            const Span& starts) {
  REEL_ASSIGN(const auto nodes, children(level, slice, kept, starts));
  Summary summary;
  for (const auto& [child, stored] : nodes) {
    REEL_ASSIGN(const Summary piece, walk(level - 1, child, stored ? &*stored : nullptr, starts));
    summary.append(piece);
  }
  return summary;
}

//! Those that are stored, and those where there are new segments; only where `starts` reaches.
Result<SummaryTree::Children> SummaryTree::children(int level, std::int64_t slice, bool kept,
                                                    const Span& starts) {
  Children found;
  if (dirt_ != nullptr) {
    const auto [first, last] = leaves_of(level, slice);
    const int bits = kFanBits * (level - 1);
    for (auto leaf = dirt_->added.lower_bound(first);
         leaf != dirt_->added.end() && *leaf <= last;) {
      const std::int64_t child = *leaf >> bits;
      found.emplace_hint(found.end(), child, std::nullopt);
      leaf = dirt_->added.lower_bound((child + 1) << bits);
    }
  }
  if (!kept) return found;
  REEL_ASSIGN(const auto schema, snapshot_->catalog().table(kNodes));
  const SummaryColumns columns(*schema);
  const std::size_t position = schema->position("slice");
  store::ScanSpec spec{.table = kNodes, .partition = {flow_.id}};
  const std::int64_t first = slice << kFanBits;
  const std::int64_t last = first + (1 << kFanBits) - 1;
  const auto child_at = [&](Int128 moment) { return leaf_of(moment) >> (kFanBits * (level - 1)); };
  spec.lower = store::RangeBound{.prefix = {level - 1, std::max(first, child_at(starts.from))}};
  spec.upper = store::RangeBound{.prefix = {level - 1, std::min(last, child_at(starts.to - 1))}};
  REEL_TRY(snapshot_->scan(spec, [&](const store::RowView& row) {
    found[row[position].get<std::int64_t>()] = columns.read(row.cells);
    return true;
  }));
  return found;
}

void SummaryTree::write_node(int level, std::int64_t slice, const Summary& summary) {
  const bool root = level == kRootLevel;
  const std::string& table = root ? kRoots : kNodes;
  store::Key key = root ? store::Key{flow_.id} : store::Key{flow_.id, level, slice};
  if (summary.segments == 0) return void(batch_->erase(table, std::move(key)));
  store::Cells cells = summary_cells(summary);
  if (root) cells.emplace_back("as_of", as_of_);
  batch_->upsert(table, std::move(key), std::move(cells));
}

Status build_tree(store::Snapshot& snapshot, const FlowKey& flow, const BatchSink& commit) {
  REEL_ASSIGN(const std::int64_t newest, events::newest_change(snapshot));
  TreeBuilder builder(flow.id, commit);
  REEL_TRY(
      summarize(snapshot, flow.timeline, kAlways,
                [&](std::int64_t leaf, const Summary& piece) { return builder.add(leaf, piece); }));
  return builder.finish(newest);
}

Status drop_tree(store::Snapshot& snapshot, FlowId flow, const BatchSink& commit) {
  store::Batch batch;
  REEL_ASSIGN(const auto root, snapshot.get(kRoots, {flow}, {"as_of"}));
  if (root) batch.erase(kRoots, {flow});
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(kNodes));
  const std::size_t level = schema->position("level");
  const std::size_t slice = schema->position("slice");
  Status status;
  const store::ScanSpec spec{.table = kNodes, .partition = {flow}, .columns = {"level", "slice"}};
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    batch.erase(kNodes, {flow, row[level], row[slice]});
    if (batch.mutations.size() >= kNodesAtOnce) status = commit(std::exchange(batch, {}));
    return status.has_value();
  }));
  REEL_TRY(std::move(status));
  return batch.mutations.empty() ? Status() : commit(std::move(batch));
}

}  // namespace reel::analytics

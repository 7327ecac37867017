//! Removing segments, and the objects that nothing uses any more.

#include "tams/edit.h"
#include "tams/flows.h"
#include "tams/garbage.h"
#include "tams/objects.h"
#include "tams/segments.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using store::Value;
using time::TimeRange;

//! Segments per transaction: bounds the time that other writers wait.
constexpr std::size_t kChunkSegments = 500;

Status collect_doomed(store::Snapshot& snapshot, FlowId flow, const TimeRange& timerange,
                      const std::optional<std::string>& object_id, std::vector<Segment>& doomed) {
  const auto take = [&](const store::RowView& row) {
    Segment segment = segment_of(row);
    if (timerange.covers(segment.timerange()) && (!object_id || segment.object_id == *object_id)) {
      doomed.push_back(std::move(segment));
    }
    return doomed.size() < kChunkSegments;
  };
  if (!object_id) {
    return visit_segments(snapshot, flow, timerange, false, std::nullopt, take);
  }
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kSegments));
  REEL_ASSIGN(const auto starts, uses_in_flow(snapshot, *object_id, flow, false, std::nullopt));
  for (const time::Timestamp start : starts) {
    REEL_ASSIGN(const auto row, snapshot.get(table::kSegments, {flow, start}));
    if (row && !take({*schema, *row})) break;
  }
  return {};
}

store::Batch erase_batch(const Context& context, FlowId flow, const std::vector<Segment>& doomed,
                         bool flow_stays) {
  const std::string segments(table::kSegments);
  const std::string uses(table::kObjectUses);
  store::Batch batch;
  for (const Segment& segment : doomed) {
    batch.require_cells(
        segments, {flow, segment.start},
        {{"object_id", segment.object_id}, {"end_time", store::Decimal{segment.end_nanoseconds}}});
    batch.erase(segments, {flow, segment.start});
    batch.erase(uses, {segment.object_id, flow, segment.start});
    check_later(context, batch, segment.object_id);
    if (segment.init_object_id.empty()) continue;
    batch.erase(uses, {segment.init_object_id, flow, segment.start});
    check_later(context, batch, segment.init_object_id);
  }
  if (!flow_stays) {
    // Whoever finishes the removal erases its row; from then on the id may belong to a new flow.
    batch.require_present(std::string(table::kFlowRemovals), {flow});
  } else {
    batch.require_cells(std::string(table::kFlows), {flow}, {{"read_only", false}});
    batch.upsert(std::string(table::kFlowActivity), {flow},
                 {{"segments_updated", context.clock.now()}});
  }
  return batch;
}

//! Removes chunk by chunk. `flow_stays`: the flow must still be there and writable.
Status remove_in_chunks(const Context& context, FlowId flow, const TimeRange& timerange,
                        const std::optional<std::string>& object_id, bool flow_stays) {
  while (true) {
    std::vector<Segment> doomed;
    Status removed = retry_on_conflict([&]() -> Status {
      doomed.clear();
      REEL_ASSIGN(const auto snapshot, context.store.snapshot());
      REEL_TRY(collect_doomed(*snapshot, flow, timerange, object_id, doomed));
      if (doomed.empty()) return {};
      return context.store.commit(erase_batch(context, flow, doomed, flow_stays));
    });
    if (!removed) {
      if (!flow_stays && removed.error().code() == Code::not_found) return {};
      return removed;
    }
    if (doomed.empty()) return {};
    REEL_TRY(collect_unused(context));
  }
}

}  // namespace

Status remove_segments(const Context& context, FlowId flow, const TimeRange& timerange,
                       const std::optional<std::string>& object_id) {
  return remove_in_chunks(context, flow, timerange, object_id, false);
}

Status delete_segments(const Context& context, FlowId flow, const TimeRange& timerange,
                       const std::optional<std::string>& object_id) {
  {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record record, find_flow(*snapshot, flow));
    if (record.flag("read_only")) return forbidden("flow {} is read-only", flow.to_string());
  }
  return remove_in_chunks(context, flow, timerange, object_id, true);
}

}  // namespace reel::tams

//! Removing segments, and the objects that nothing uses any more.

#include "tams/changes.h"
#include "tams/edit.h"
#include "tams/flows.h"
#include "tams/garbage.h"
#include "tams/objects.h"
#include "tams/segments.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

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
    return scan_segments(snapshot, flow, {.range = timerange}, take);
  }
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kSegments));
  REEL_ASSIGN(const auto starts, uses_in_flow(snapshot, *object_id, flow, false, std::nullopt));
  for (const time::Timestamp start : starts) {
    REEL_ASSIGN(const auto row, snapshot.get(table::kSegments, {flow, start}));
    if (row && !take({*schema, *row})) break;
  }
  return {};
}

//! What is removed, and on whose behalf.
struct Removal {
  FlowId flow;
  TimeRange timerange;
  std::optional<std::string> object_id;
  std::string actor;
  //! Where the flow stood, if it is gone; else it must be there and writable.
  std::optional<FlowPlace> gone;
};

//! One change for each run of segments without a hole, so that a range ends in deleted segments.
void note_deleted(ChangeNotes notes, const FlowPlace& place, const std::vector<Segment>& doomed) {
  for (std::size_t i = 0; i < doomed.size();) {
    TimeRange run = doomed[i].timerange();
    time::Int128 end = doomed[i].end_nanoseconds;
    for (++i; i < doomed.size() && doomed[i].start.nanoseconds() == end; ++i) {
      run = run.extent_with(doomed[i].timerange());
      end = doomed[i].end_nanoseconds;
    }
    notes.segments_deleted(place, run);
  }
}

Result<store::Batch> erase_batch(const Context& context, store::Snapshot& snapshot,
                                 const Removal& removal, const std::vector<Segment>& doomed) {
  const std::string segments(table::kSegments);
  const std::string uses(table::kObjectUses);
  const FlowId flow = removal.flow;
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
  const ChangeNotes notes(context, removal.actor, batch);
  if (removal.gone) {
    // Whoever finishes the removal erases its row; from then on the id may belong to a new flow.
    batch.require_present(std::string(table::kFlowRemovals), {flow});
    note_deleted(notes, *removal.gone, doomed);
    return batch;
  }
  REEL_ASSIGN(const Record record, find_flow(snapshot, flow, {"source_id"}));
  REEL_ASSIGN(const FlowPlace place, place_of(snapshot, flow, SourceId{record.uuid("source_id")}));
  batch.require_cells(std::string(table::kFlows), {flow}, {{"read_only", false}});
  batch.upsert(std::string(table::kFlowActivity), {flow},
               {{"segments_updated", context.clock.now()}});
  note_deleted(notes, place, doomed);
  return batch;
}

Status remove_in_chunks(const Context& context, const Removal& removal) {
  while (true) {
    std::vector<Segment> doomed;
    Status removed = retry_on_conflict([&]() -> Status {
      doomed.clear();
      REEL_ASSIGN(const auto snapshot, context.store.snapshot());
      REEL_TRY(
          collect_doomed(*snapshot, removal.flow, removal.timerange, removal.object_id, doomed));
      if (doomed.empty()) return {};
      REEL_ASSIGN(store::Batch batch, erase_batch(context, *snapshot, removal, doomed));
      return context.store.commit(std::move(batch));
    });
    if (!removed) {
      if (removal.gone && removed.error().code() == Code::not_found) return {};
      return removed;
    }
    if (doomed.empty()) return {};
    context.removed->segments.add(doomed.size());
    REEL_TRY(collect_unused(context));
  }
}

}  // namespace

Status remove_segments(const Context& context, std::string_view actor, const FlowPlace& gone) {
  return remove_in_chunks(context, {.flow = gone.flow,
                                    .timerange = TimeRange::eternity(),
                                    .object_id = std::nullopt,
                                    .actor = std::string(actor),
                                    .gone = gone});
}

Status delete_segments(const Context& context, const Caller& caller, FlowId flow,
                       const TimeRange& timerange, const std::optional<std::string>& object_id) {
  {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record record, find_flow(*snapshot, flow));
    if (record.flag("read_only")) return forbidden("flow {} is read-only", flow.to_string());
  }
  return remove_in_chunks(context, {.flow = flow,
                                    .timerange = timerange,
                                    .object_id = object_id,
                                    .actor = caller.principal,
                                    .gone = std::nullopt});
}

}  // namespace reel::tams

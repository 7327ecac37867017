#include "tams/changes.h"
#include "tams/flows.h"
#include "tams/tables.h"
#include "tams/trash_internal.h"

namespace reel::tams {
namespace {

using time::TimeRange;

//! What of a flow's segments is about to move, read from one timeline.
struct Moving {
  std::vector<Segment> segments;
  AddedSegments documents;  //!< the same
};

//! Adds what takes a row of the segments table to another timeline as it is, with its uses.
void move_row(store::Batch& batch, const store::RowView& row, TimelineId from, TimelineId to) {
  const std::string segments(table::kSegments);
  const std::string uses(table::kObjectUses);
  const Segment segment = segment_of(row);
  store::Cells cells;
  for (std::size_t i = 0; i < row.schema.columns.size(); ++i) {
    const store::Column& column = row.schema.columns[i];
    if (!row.schema.is_key(column.id)) cells.emplace_back(column.name, row[i]);
  }
  batch.require_cells(segments, {from, segment.start},
                      {{"object_id", segment.object_id},
                       {"end_time", store::Decimal{segment.end_nanoseconds}},
                       {"tags", row[row.schema.position("tags")]}});
  batch.erase(segments, {from, segment.start});
  batch.insert(segments, {to, segment.start}, std::move(cells));
  for (const std::string& object : {segment.object_id, segment.init_object_id}) {
    if (object.empty()) continue;
    batch.erase(uses, {object, from, segment.start});
    batch.insert(uses, {object, to, segment.start}, {});
  }
}

Result<Moving> move_segments(Write& write, const CoveredScan& scan, TimelineId to) {
  REEL_ASSIGN(const auto schema, write.snapshot.catalog().table(table::kSegments));
  const SegmentColumns columns(*schema);
  const std::size_t most = write.context.limits.bulk_segments_max;
  Moving moving;
  REEL_TRY(scan_covered(write.snapshot, scan, [&](const store::RowView& row) {
    moving.segments.push_back(segment_of(row));
    if (moving.segments.size() > most) return false;
    moving.documents.add(fields_of(row, columns));
    move_row(write.batch, row, scan.timeline, to);
    return true;
  }));
  if (moving.segments.size() <= most) return moving;
  return at("?timerange", invalid("more than {} segments cannot go into the trash at once; name a "
                                  "shorter range",
                                  most));
}

//! That the flow is still the one that was read and may be changed, and that its segments move.
Status touch_flow(Write& write, const Record& flow) {
  REEL_TRY(require_writable(write.batch, flow));
  write.batch.upsert(std::string(table::kFlowActivity), {flow["id"]},
                     {{"segments_updated", write.context.clock.now()}});
  return {};
}

Result<FlowPlace> place_of_flow(Write& write, const Record& flow) {
  return place_of(write.snapshot, FlowId{flow.uuid("id")}, SourceId{flow.uuid("source_id")});
}

}  // namespace

Result<SegmentsAside> put_aside(Write& write, const Record& flow, const CoveredScan& scan,
                                TimelineId aside) {
  REEL_TRY(touch_flow(write, flow));
  REEL_ASSIGN(const Moving moving, move_segments(write, scan, aside));
  REEL_ASSIGN(const FlowPlace place, place_of_flow(write, flow));
  note_deleted(ChangeNotes(write), place, moving.segments);
  SegmentsAside moved{.count = moving.segments.size()};
  for (const Segment& segment : moving.segments) {
    moved.extent = moved.extent.extent_with(segment.timerange());
  }
  return moved;
}

Result<std::optional<TimeRange>> return_segments(Write& write, const Record& flow,
                                                 TimelineId aside) {
  REEL_TRY(touch_flow(write, flow));
  const TimelineId timeline = timeline_of(flow);
  const CoveredScan scan{.timeline = aside, .covering = TimeRange::eternity()};
  REEL_ASSIGN(Moving moving, move_segments(write, scan, timeline));
  for (const Segment& segment : moving.segments) {
    REEL_ASSIGN(const bool taken,
                has_segment_within(write.snapshot, timeline, segment.timerange()));
    if (taken) return segment.timerange();
    write.batch.preconditions.push_back(
        {.kind = store::Precondition::Kind::no_overlap,
         .table = std::string(table::kSegments),
         .key = {timeline},
         .end_column = "end_time",
         .start = store::Value(segment.start),
         .end = store::Value(store::Decimal{segment.end_nanoseconds})});
  }
  REEL_ASSIGN(const FlowPlace place, place_of_flow(write, flow));
  moving.documents.note(ChangeNotes(write), place);
  return std::nullopt;
}

}  // namespace reel::tams

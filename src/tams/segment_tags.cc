//! Tags of segments: the one part of a segment that can be changed.

#include "tams/changes.h"
#include "tams/flows.h"
#include "tams/segments.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

const std::string kSegments(table::kSegments);

std::string name_of(const SegmentName& segment) {
  return fmt::format("segment {} of flow {}", segment.start.to_string(), segment.flow.to_string());
}

Result<Segment> find_segment(store::Snapshot& snapshot, const SegmentName& segment,
                             TimelineId timeline) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kSegments));
  REEL_ASSIGN(const auto row, snapshot.get(table::kSegments, {timeline, segment.start}));
  if (!row) {
    return not_found("flow {} has no segment that starts at {}", segment.flow.to_string(),
                     segment.start.to_string());
  }
  return segment_of({*schema, *row});
}

//! What the change log shows of a segment: {"timerange", "tags"?}.
json::Value document_of(const Segment& segment) {
  json::Value document;
  document.set("timerange", segment.timerange().to_string());
  if (segment.tags.empty()) return document;
  auto tags = json::parse(segment.tags);
  REEL_CHECK(tags.has_value());
  document.set("tags", std::move(*tags));
  return document;
}

store::Value tags_cell(const json::Value& document) {
  const json::Value* tags = document.find("tags");
  if (tags == nullptr || tags->as_object()->empty()) return {};
  return json::to_text(*tags);
}

Status edit_tags(const Context& context, const Caller& caller, const SegmentName& name,
                 const Edit& edit) {
  return retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record flow, find_flow(*snapshot, name.flow));
    Write write{context, caller, *snapshot};
    REEL_TRY(require_writable(write.batch, flow));
    const TimelineId timeline = timeline_of(flow);
    REEL_ASSIGN(const Segment old, find_segment(*snapshot, name, timeline));
    const json::Value before = document_of(old);
    REEL_TRY(check_condition(caller, [&] { return edit.show(before); }));
    json::Value document = before;
    REEL_TRY(edit.change(document));
    // It must still be the same segment, with the tags that were read.
    write.batch.require_cells(kSegments, {timeline, name.start},
                              {{"object_id", old.object_id},
                               {"end_time", store::Decimal{old.end_nanoseconds}},
                               {"tags", tags_cell(before)}});
    write.batch.update(kSegments, {timeline, name.start}, {{"tags", tags_cell(document)}});
    const SourceId source{flow.uuid("source_id")};
    REEL_ASSIGN(const FlowPlace place, place_of(*snapshot, name.flow, source));
    ChangeNotes(write).segment_tags_changed(place, document, before);
    return context.store.commit(std::move(write.batch));
  });
}

}  // namespace

Result<json::Value> get_segment_tags(const Context& context, const SegmentName& segment) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record flow, find_flow(*snapshot, segment.flow));
  REEL_ASSIGN(const Segment found, find_segment(*snapshot, segment, timeline_of(flow)));
  return document_member(document_of(found), "tags", name_of(segment));
}

Status set_segment_tags(const Context& context, const Caller& caller, const SegmentName& segment,
                        std::optional<json::Value> tags) {
  return edit_tags(context, caller, segment,
                   edit_member("tags", std::move(tags), name_of(segment)));
}

Status set_segment_tag(const Context& context, const Caller& caller, const SegmentName& segment,
                       std::string_view tag, std::optional<json::Value> value) {
  return edit_tags(context, caller, segment, edit_tag(tag, std::move(value), name_of(segment)));
}

}  // namespace reel::tams

#include "tams/changes.h"

#include "tams/collections.h"
#include "tams/sources.h"

namespace reel::tams {
namespace {

//! {"<name>": <json>}
std::string object_with(std::string_view name, std::string_view json) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.raw_field(name, json);
  out.end_object();
  return text;
}

std::string quoted(const Uuid& id) { return '"' + id.to_string() + '"'; }

//! {"flow_id": …, "<name>": <json>}
std::string about_flow(FlowId id, std::string_view name, std::string_view json) {
  std::string text;
  text.reserve(json.size() + 80);
  json::Writer out(text);
  out.begin_object();
  out.raw_field("flow_id", quoted(id.uuid));
  out.raw_field(name, json);
  out.end_object();
  return text;
}

}  // namespace

Result<FlowPlace> place_of(store::Snapshot& snapshot, FlowId flow, SourceId source) {
  FlowPlace place{.flow = flow, .source = source, .collected_by = {}, .source_collected_by = {}};
  REEL_ASSIGN(place.collected_by, collectors_of(snapshot, flow));
  REEL_ASSIGN(place.source_collected_by, source_collectors(snapshot, source));
  return place;
}

store::Cells cells_of(const FlowPlace& place) {
  return {{"source_id", place.source},
          {"flow_collected_by", store::id_list(place.collected_by)},
          {"source_collected_by", store::id_list(place.source_collected_by)}};
}

FlowPlace place_in(FlowId flow, const Record& row) {
  return {.flow = flow,
          .source = SourceId{row.uuid("source_id")},
          .collected_by = store::ids_of<FlowId>(row["flow_collected_by"]),
          .source_collected_by = store::ids_of<SourceId>(row["source_collected_by"])};
}

void ChangeNotes::flow_created(const FlowPlace& place, const json::Value& flow) {
  add("flows/created", place, object_with("flow", json::to_text(flow)));
}

void ChangeNotes::flow_updated(const FlowPlace& place, const json::Value& flow,
                               const json::Value& before) {
  add("flows/updated", place, object_with("flow", json::to_text(flow)), json::to_text(before));
}

void ChangeNotes::flow_deleted(const FlowPlace& place, const json::Value& before) {
  add("flows/deleted", place, object_with("flow_id", quoted(place.flow.uuid)),
      json::to_text(before));
}

void ChangeNotes::segments_added(const FlowPlace& place, std::string_view segments) {
  add("flows/segments_added", place, about_flow(place.flow, "segments", segments));
}

void ChangeNotes::segments_deleted(const FlowPlace& place, const time::TimeRange& timerange) {
  const std::string range = '"' + timerange.to_string() + '"';
  add("flows/segments_deleted", place, about_flow(place.flow, "timerange", range));
}

void ChangeNotes::segment_tags_changed(const FlowPlace& place, const json::Value& segment,
                                       const json::Value& before) {
  add("flows/segment_tags_changed", place,
      about_flow(place.flow, "segment", json::to_text(segment)), json::to_text(before));
}

void ChangeNotes::source_created(SourceId id, std::string_view source) {
  add("sources/created", id, {}, object_with("source", source));
}

void ChangeNotes::source_updated(SourceId id, const std::vector<SourceId>& collected_by,
                                 std::string_view source, const json::Value& before) {
  add("sources/updated", id, collected_by, object_with("source", source), json::to_text(before));
}

void ChangeNotes::source_deleted(SourceId id, const std::vector<SourceId>& collected_by,
                                 const json::Value& before) {
  add("sources/deleted", id, collected_by, object_with("source_id", quoted(id.uuid)),
      json::to_text(before));
}

void ChangeNotes::object_stored(const std::string& id) {
  std::string payload;
  json::Writer out(payload);
  out.begin_object();
  out.field("object_id", std::string_view(id));
  out.end_object();
  add(kObjectStored, std::move(payload));
}

void ChangeNotes::objects_settled(const std::vector<std::string>& ids) {
  std::string payload;
  json::Writer out(payload);
  out.begin_object();
  out.key("object_ids");
  out.begin_array();
  for (const std::string& id : ids) out.string(id);
  out.end_array();
  out.end_object();
  add(kObjectsSettled, std::move(payload));
}

void ChangeNotes::add(std::string_view type, std::string payload) {
  events::append_change(batch_, {.at = now_,
                                 .type = std::string(type),
                                 .actor = std::string(actor_),
                                 .payload = std::move(payload)});
}

void ChangeNotes::add(std::string_view type, const FlowPlace& place, std::string payload,
                      std::string before) {
  events::append_change(batch_, {.at = now_,
                                 .type = std::string(type),
                                 .actor = std::string(actor_),
                                 .flow_id = place.flow,
                                 .source_id = place.source,
                                 .flow_collected_by = place.collected_by,
                                 .source_collected_by = place.source_collected_by,
                                 .payload = std::move(payload),
                                 .before = std::move(before)});
}

void ChangeNotes::add(std::string_view type, SourceId id, const std::vector<SourceId>& collected_by,
                      std::string payload, std::string before) {
  events::append_change(batch_, {.at = now_,
                                 .type = std::string(type),
                                 .actor = std::string(actor_),
                                 .source_id = id,
                                 .source_collected_by = collected_by,
                                 .payload = std::move(payload),
                                 .before = std::move(before)});
}

}  // namespace reel::tams

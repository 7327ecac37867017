#include "tams/flows.h"

#include <algorithm>
#include <array>
#include <set>

#include "tams/access.h"
#include "tams/changes.h"
#include "tams/collections.h"
#include "tams/edit.h"
#include "tams/flows_internal.h"
#include "tams/profiles.h"
#include "tams/search.h"
#include "tams/segments.h"
#include "tams/sources.h"
#include "tams/tables.h"
#include "tams/user_columns.h"

namespace reel::tams {
namespace {

using Kind = DocumentField::Kind;

constexpr std::array<DocumentField, 23> kFields = {{
    {"id", "id", Kind::uuid},
    {"source_id", "source_id", Kind::uuid},
    {"profile_id", "profile_id", Kind::uuid},
    {"label", "label"},
    {"description", "description"},
    {"created_by", "created_by"},
    {"updated_by", "updated_by"},
    {"tags", "tags", Kind::json},
    {"metadata_version", "metadata_version"},
    {"generation", "generation", Kind::integer},
    {"created", "created", Kind::moment},
    {"metadata_updated", "metadata_updated", Kind::moment},
    {"status", "status"},
    {"read_only", "read_only", Kind::flag},
    {"max_bit_rate", "max_bit_rate", Kind::integer},
    {"flow_collection", "flow_collection", Kind::json},
    {"format", "format"},
    {"codec", "codec"},
    {"container", "container"},
    {"avg_bit_rate", "avg_bit_rate", Kind::integer},
    {"segment_duration", "segment_duration", Kind::json},
    {"container_mapping", "container_mapping", Kind::json},
    {"essence_parameters", "essence_parameters", Kind::json},
}};

//! Members of a request body that the service manages itself (TAMS 8.2, flow-common.json).
constexpr std::array<std::string_view, 5> kManaged = {
    "timerange", "collected_by", "segments_updated", "created", "metadata_updated"};

const std::string kFlows(table::kFlows);

bool is_known_member(std::string_view name) {
  const auto same = [&](const DocumentField& field) { return field.member == name; };
  return std::any_of(kFields.begin(), kFields.end(), same) ||
         std::find(kManaged.begin(), kManaged.end(), name) != kManaged.end();
}

std::set<FlowId> members_in(const json::Value& document) {
  std::set<FlowId> members;
  const json::Value* collection = document.find("flow_collection");
  if (collection == nullptr || collection->as_array() == nullptr) return members;
  for (const json::Value& item : *collection->as_array()) {
    members.insert(*FlowId::parse(*item.find("id")->as_string()));
  }
  return members;
}

//! Those that neither the specification names nor a column of a user has.
store::Value extra_members(const store::TableSchema& schema, const json::Value& document) {
  json::Value extra;
  for (const json::Member& member : *document.as_object()) {
    if (is_known_member(member.name)) continue;
    if (!is_user_column(schema, member.name, is_known_member)) extra.set(member.name, member.value);
  }
  return extra.is_null() ? store::Value() : store::Value(json::to_text(extra));
}

//! Cells that repeat parts of the document so that they can be filtered and sorted by.
void add_derived_cells(const json::Value& document, store::Cells& cells) {
  const json::Value* essence = document.find("essence_parameters");
  const auto integer = [&](std::string_view name) {
    std::int64_t number = 0;
    const json::Value* member = essence == nullptr ? nullptr : essence->find(name);
    return member != nullptr && member->get_int64(number) ? store::Value(number) : store::Value();
  };
  const json::Value* init = essence == nullptr ? nullptr : essence->find("init_segments");
  cells.emplace_back("frame_width", integer("frame_width"));
  cells.emplace_back("frame_height", integer("frame_height"));
  cells.emplace_back("init_segments",
                     init != nullptr && init->as_bool() != nullptr && *init->as_bool());
  cells.emplace_back("label_order", label_order(document.find("label")));
  cells.emplace_back("search_text", search_text(document));
}

//! All cells but the key. The batch requires that the table still has the same columns.
Result<store::Cells> row_cells(Write& write, const json::Value& document, bool is_new) {
  REEL_ASSIGN(const auto schema, write.snapshot.catalog().table(kFlows));
  store::Cells cells = to_cells(kFields, document);
  std::erase_if(cells, [](const auto& cell) { return cell.first == "id"; });
  add_derived_cells(document, cells);
  cells.emplace_back("extra", extra_members(*schema, document));
  REEL_ASSIGN(store::Cells users, user_cells(*schema, document, is_known_member, is_new));
  if (!users.empty()) write.batch.schema_versions.emplace_back(kFlows, schema->version);
  std::move(users.begin(), users.end(), std::back_inserter(cells));
  return cells;
}

//! Replaces the document of a flow that nobody changed meanwhile.
Status update_row(Write& write, FlowId id, const Record& old, const json::Value& document) {
  const std::int64_t revision = old.integer("revision");
  REEL_ASSIGN(store::Cells cells, row_cells(write, document, false));
  cells.emplace_back("revision", revision + 1);
  write.batch.require_cells(kFlows, {id}, {{"revision", revision}});
  write.batch.update(kFlows, {id}, std::move(cells));
  return {};
}

//! Gives the managed members their values. A client may choose metadata_version, created_by and
//! updated_by; a version that did not move with the change is replaced.
void stamp(const Context& context, const Caller& caller, const json::Value* old,
           json::Value& document) {
  const std::string now = context.clock.now().to_string();
  const auto keep = [&](std::string_view member, const std::string& otherwise) {
    const json::Value* before = old == nullptr ? nullptr : old->find(member);
    document.set(member, before == nullptr ? json::Value(otherwise) : *before);
  };
  for (const std::string_view member : {"timerange", "collected_by", "segments_updated"}) {
    document.erase(member);
  }
  keep("created", now);
  if (document.find("created_by") == nullptr) keep("created_by", caller.principal);
  document.set("metadata_updated", now);
  const json::Value* by = document.find("updated_by");
  const json::Value* by_before = old == nullptr ? nullptr : old->find("updated_by");
  if (by == nullptr || (by_before != nullptr && *by == *by_before)) {
    document.set("updated_by", caller.principal);
  }
  const json::Value* version = document.find("metadata_version");
  const json::Value* version_before = old == nullptr ? nullptr : old->find("metadata_version");
  if (version == nullptr || (version_before != nullptr && *version == *version_before)) {
    document.set("metadata_version", Uuid::random(context.random).to_string());
  }
}

//! A document that is about to be written, as write_flow() will show it.
json::Value as_shown(const json::Value& document) {
  json::Value shown{json::Object{}};
  for (const DocumentField& field : kFields) {
    const json::Value* member = document.find(field.member);
    if (member == nullptr || (field.kind == Kind::flag && !*member->as_bool())) continue;
    shown.set(field.member, *member);
  }
  for (const json::Member& member : *document.as_object()) {
    if (!is_known_member(member.name)) shown.set(member.name, member.value);
  }
  return shown;
}

//! Members of a flow as GET shows it that its document does not have.
Status add_links(store::Snapshot& snapshot, FlowId id, const std::vector<FlowId>& collected_by,
                 json::Value& document) {
  REEL_ASSIGN(const auto activity, load(snapshot, table::kFlowActivity, {id}));
  if (activity) {
    document.set("segments_updated", (*activity)["segments_updated"].get<Instant>().to_string());
  }
  if (collected_by.empty()) return {};
  json::Array collectors;
  for (const FlowId collector : collected_by) collectors.emplace_back(collector.to_string());
  document.set("collected_by", std::move(collectors));
  return {};
}

//! Tells the change log that the flow became `document`. `before`: what it was, if it was.
Status note_change(Write& write, FlowId id, const json::Value* before,
                   const json::Value& document) {
  const SourceId source = *SourceId::parse(*document.find("source_id")->as_string());
  REEL_ASSIGN(const FlowPlace place, place_of(write.snapshot, id, source));
  json::Value shown = as_shown(document);
  REEL_TRY(add_links(write.snapshot, id, place.collected_by, shown));
  ChangeNotes notes(write);
  if (before == nullptr) {
    notes.flow_created(place, shown);
  } else {
    notes.flow_updated(place, shown, *before);
  }
  return {};
}

//! A caller with auth classes adds flows only to sources, and only flows to collections, that it
//! may reach.
Status check_reach(const Write& write, const Record* old, const json::Value& before,
                   const json::Value& document) {
  if (!write.caller.classes) return {};
  const SourceId source = *SourceId::parse(*document.find("source_id")->as_string());
  if (old == nullptr || SourceId{old->uuid("source_id")} != source) {
    REEL_ASSIGN(const auto known, load(write.snapshot, table::kSources, {source}, {"tags"}));
    if (known && access_to(write.caller, known->text("tags")) != Access::write) {
      return at("/source_id", forbidden("source {} takes no flows of yours", source.to_string()));
    }
  }
  const std::set<FlowId> members = members_in(before);
  for (const FlowId id : members_in(document)) {
    if (members.contains(id)) continue;
    REEL_ASSIGN(const auto member, load(write.snapshot, table::kFlows, {id}, {"tags"}));
    if (member && access_to(write.caller, member->text("tags")) == Access::none) {
      return at("/flow_collection", invalid("collected flow {} does not exist", id.to_string()));
    }
  }
  return {};
}

//! Adds what turns the stored flow (nullptr: none) into `document`, which gains its managed
//! members.
Status change_flow(Write& write, FlowId id, const Record* old, json::Value& document) {
  const json::Value before = old == nullptr ? json::Value(json::Object{}) : flow_document(*old);
  stamp(write.context, write.caller, old == nullptr ? nullptr : &before, document);
  REEL_TRY(settle_classes(write.caller, old == nullptr ? nullptr : &before, document));
  REEL_TRY(check_reach(write, old, before, document));
  const SourceId source = *SourceId::parse(*document.find("source_id")->as_string());
  if (old == nullptr) {
    return add_flow(write, id, document, TimelineId::random(write.context.random), document);
  }
  if (SourceId{old->uuid("source_id")} != source) {
    REEL_TRY(leave_source(write, SourceId{old->uuid("source_id")}));
    REEL_TRY(join_source(write, document, document));
  } else if (old->text("format") != *document.find("format")->as_string()) {
    return at("/format", invalid("flow {} and its source have format {}", id.to_string(),
                                 old->text("format")));
  }
  REEL_TRY(change_members(write, id, members_in(before), members_in(document)));
  REEL_TRY(update_row(write, id, *old, document));
  return note_change(write, id, &before, document);
}

Failure read_only_failure(FlowId id) { return forbidden("flow {} is read-only", id.to_string()); }

//! Fills in what the flow's profile fixes. An empty profile_id means none.
Status apply_profile(store::Snapshot& snapshot, const Record* old, json::Value& document) {
  const bool was_linked = old != nullptr && !(*old)["profile_id"].is_null();
  const json::Value* member = document.find("profile_id");
  if (member == nullptr) {
    if (!was_linked) return {};
    return at("/profile_id", invalid("the flow is linked to profile {}; give its id, or an empty "
                                     "string and the technical metadata",
                                     old->uuid("profile_id").to_string()));
  }
  if (member->as_string()->empty()) {
    document.erase("profile_id");
    return {};
  }
  REEL_ASSIGN(const json::Value metadata, profile_metadata(snapshot, *member->as_string()));
  for (const json::Member& fixed : *metadata.as_object()) document.set(fixed.name, fixed.value);
  return {};
}

std::string name_of(FlowId id) { return "flow " + id.to_string(); }

//! Changes a part of an existing flow's document.
Status edit_flow(const Context& context, const Caller& caller, FlowId id, const Edit& edit) {
  return retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record old, find_flow(*snapshot, id));
    if (old.flag("read_only") && !edit.even_if_read_only) return read_only_failure(id);
    json::Value document = flow_document(old);
    REEL_TRY(check_condition(caller, [&] { return edit.show(document); }));
    REEL_TRY(edit.change(document));
    Write write{context, caller, *snapshot};
    REEL_TRY(change_flow(write, id, &old, document));
    return context.store.commit(std::move(write.batch));
  });
}

Status write_flow(store::Snapshot& snapshot, json::Writer& out, const Record& flow,
                  const std::optional<time::TimeRange>& timerange) {
  const FlowId id{flow.uuid("id")};
  out.begin_object();
  write_fields(out, kFields, flow);
  REEL_ASSIGN(const auto activity, load(snapshot, table::kFlowActivity, {id}));
  if (activity) {
    out.field("segments_updated",
              std::string_view((*activity)["segments_updated"].get<Instant>().to_string()));
  }
  if (timerange) out.field("timerange", std::string_view(timerange->to_string()));
  if (flow.integer("collected_count") > 0) {
    REEL_ASSIGN(const auto collectors, collectors_of(snapshot, id));
    out.key("collected_by");
    out.begin_array();
    for (const FlowId collector : collectors) out.string(collector.to_string());
    out.end_array();
  }
  write_user_columns(out, flow, is_known_member);
  if (!flow.text("extra").empty()) {
    REEL_ASSIGN(const json::Value extra, json::parse(flow.text("extra")));
    for (const json::Member& member : *extra.as_object()) {
      if (has_user_cell(flow, member.name, is_known_member)) continue;
      out.key(member.name);
      out.value(member.value);
    }
  }
  out.end_object();
  return {};
}

ListingOrder listing_order(FlowOrder order) {
  switch (order) {
    case FlowOrder::metadata_updated:
      return {table::kFlows, "by_metadata_updated", "metadata_updated", true};
    case FlowOrder::label: return {table::kFlows, "by_label", "label_order", false};
    default: return {table::kFlows, "by_created", "created", true};
  }
}

//! Conditions that the row itself answers.
bool row_matches(const FlowFilter& filter, const Record& flow) {
  const auto text_is = [&](const std::optional<std::string>& wanted, std::string_view column) {
    return !wanted || (!flow[column].is_null() && flow.text(column) == *wanted);
  };
  const auto integer_is = [&](const std::optional<std::int64_t>& wanted, std::string_view column) {
    return !wanted || (!flow[column].is_null() && flow.integer(column) == *wanted);
  };
  return (!filter.source_id || SourceId{flow.uuid("source_id")} == *filter.source_id) &&
         text_is(filter.format, "format") && text_is(filter.codec, "codec") &&
         text_is(filter.label, "label") && text_is(filter.status, "status") &&
         integer_is(filter.frame_width, "frame_width") &&
         integer_is(filter.frame_height, "frame_height") &&
         (!filter.init_segments || flow.flag("init_segments") == *filter.init_segments) &&
         (!filter.profile_id || flow["profile_id"] == store::Value(filter.profile_id->uuid)) &&
         filter.tags.matches(flow.text("tags"));
}

//! Conditions that need other tables.
Result<bool> links_match(store::Snapshot& snapshot, const FlowFilter& filter, const Record& flow) {
  const FlowId id{flow.uuid("id")};
  if (filter.collected_by) {
    const bool collected = flow.integer("collected_count") > 0;
    if (filter.collected_by->empty()) {
      if (collected) return false;
    } else {
      if (!collected) return false;
      REEL_ASSIGN(const auto collectors, collectors_of(snapshot, id));
      const bool any = std::any_of(collectors.begin(), collectors.end(), [&](FlowId collector) {
        const auto& wanted = *filter.collected_by;
        return std::find(wanted.begin(), wanted.end(), collector) != wanted.end();
      });
      if (!any) return false;
    }
  }
  if (!filter.timerange || filter.timerange->is_eternity()) return true;
  const bool want_empty = filter.timerange->is_never();
  const auto within = want_empty ? time::TimeRange::eternity() : *filter.timerange;
  REEL_ASSIGN(const bool overlaps, has_segment_within(snapshot, timeline_of(flow), within));
  return overlaps != want_empty;
}

//! Adds a change of the members that a collection lists; the links are the caller's.
Status change_collection(Write& write, const Record& collection,
                         const std::function<void(json::Array&)>& change) {
  const FlowId id{collection.uuid("id")};
  json::Value document = flow_document(collection);
  const json::Value before = document;
  json::Value* items = document.find("flow_collection");
  if (items == nullptr) items = &document.set("flow_collection", json::Array{});
  change(*items->as_array());
  stamp(write.context, write.caller, &before, document);
  REEL_TRY(update_row(write, id, collection, document));
  return note_change(write, id, &before, document);
}

//! Takes a flow out of one collection that holds it.
Status drop_from_collection(Write& write, FlowId collection, FlowId member) {
  REEL_ASSIGN(const auto record, load(write.snapshot, table::kFlows, {collection}));
  write.batch.erase(std::string(table::kCollectedBy), {member, collection});
  if (!record) return {};
  const json::Value id(member.to_string());
  return change_collection(write, *record, [&](json::Array& items) {
    std::erase_if(items, [&](const json::Value& item) { return *item.find("id") == id; });
  });
}

//! Holds the caller's condition against the whole flow. Of what GET shows, the row is held until
//! the commit by its revision, as in every write; the rest is here.
Status check_document(Write& write, FlowId id) {
  if (!write.caller.condition) return {};
  REEL_TRY(check_condition(write.caller, [&] { return get_flow(write.snapshot, id, {}); }));
  const std::string activity(table::kFlowActivity);
  REEL_ASSIGN(const auto old, load(write.snapshot, activity, {id}));
  if (old) {
    write.batch.require_cells(activity, {id}, {{"segments_updated", (*old)["segments_updated"]}});
  } else {
    write.batch.require_absent(activity, {id});
  }
  REEL_ASSIGN(const auto flow, load(write.snapshot, kFlows, {id}, {"collected_count"}));
  if (!flow) return {};
  write.batch.require_cells(kFlows, {id}, {{"collected_count", (*flow)["collected_count"]}});
  return {};
}

//! What to do with a flow that exists already.
enum class Existing : std::uint8_t { replace, keep };

Result<PutFlow> write_flow_document(const Context& context, const Caller& caller, FlowId id,
                                    const json::Value& body, Existing existing) {
  const std::string& body_id = *body.find("id")->as_string();
  if (body_id != id.to_string()) {
    return at("/id",
              not_found("the body is about flow {}, the path about {}", body_id, id.to_string()));
  }
  PutFlow outcome;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const auto old, load(*snapshot, table::kFlows, {id}));
    outcome.created = !old;
    if (old && existing == Existing::keep) return {};
    if (old && old->flag("read_only")) return read_only_failure(id);
    Write write{context, caller, *snapshot};
    REEL_TRY(check_document(write, id));
    json::Value document = body;
    REEL_TRY(apply_profile(*snapshot, old ? &*old : nullptr, document));
    REEL_TRY(change_flow(write, id, old ? &*old : nullptr, document));
    if (outcome.created) outcome.document = json::to_text(as_shown(document));
    return context.store.commit(std::move(write.batch));
  }));
  return outcome;
}

}  // namespace

json::Value flow_document(const Record& flow) {
  json::Value document = to_document(kFields, flow);
  if (!flow.text("extra").empty()) {
    auto extra = json::parse(flow.text("extra"));
    REEL_CHECK(extra.has_value());
    for (json::Member& member : *extra->as_object()) {
      document.set(member.name, std::move(member.value));
    }
  }
  set_user_columns(document, flow, is_known_member);
  return document;
}

Result<FlowPlace> remove_flow(Write& write, const Record& flow) {
  const FlowId id{flow.uuid("id")};
  if (flow.flag("read_only")) return read_only_failure(id);
  REEL_TRY(check_document(write, id));
  const SourceId source{flow.uuid("source_id")};
  REEL_ASSIGN(FlowPlace place, place_of(write.snapshot, id, source));
  write.batch.require_cells(
      kFlows, {id}, {{"revision", flow["revision"]}, {"collected_count", flow["collected_count"]}});
  const json::Value document = flow_document(flow);
  ChangeNotes(write).flow_deleted(place, document);
  for (const FlowId collection : place.collected_by) {
    REEL_TRY(drop_from_collection(write, collection, id));
  }
  REEL_TRY(change_members(write, id, members_in(document), {}));
  REEL_TRY(leave_source(write, source));
  write.batch.erase(std::string(table::kFlowActivity), {id});
  write.batch.erase(kFlows, {id});
  return place;
}

Status add_flow(Write& write, FlowId id, const json::Value& document, TimelineId timeline,
                const json::Value& source_like) {
  REEL_TRY(join_source(write, document, source_like));
  REEL_TRY(change_members(write, id, {}, members_in(document)));
  REEL_ASSIGN(store::Cells cells, row_cells(write, document, true));
  cells.emplace_back("timeline_id", timeline);
  write.batch.insert(kFlows, {id}, std::move(cells));
  return note_change(write, id, nullptr, document);
}

Status put_into_collection(Write& write, const Record& collection, FlowId member,
                           const json::Value& item, std::size_t place) {
  write.batch.upsert(std::string(table::kCollectedBy), {member, collection["id"]}, {});
  return change_collection(write, collection, [&](json::Array& items) {
    const auto at = static_cast<std::ptrdiff_t>(std::min(place, items.size()));
    items.insert(items.begin() + at, item);
  });
}

Status require_writable(store::Batch& batch, const Record& flow) {
  const FlowId id{flow.uuid("id")};
  if (flow.flag("read_only")) return read_only_failure(id);
  batch.require_cells(std::string(table::kFlows), {id},
                      {{"read_only", false}, {"timeline_id", flow["timeline_id"]}});
  return {};
}

TimelineId timeline_of(const Record& flow) {
  const store::Value& timeline = flow["timeline_id"];
  return TimelineId{timeline.is_null() ? flow.uuid("id") : timeline.get<Uuid>()};
}

Result<std::optional<TimelineId>> timeline_of(store::Snapshot& snapshot, FlowId id) {
  REEL_ASSIGN(const auto flow, load(snapshot, table::kFlows, {id}, {"id", "timeline_id"}));
  if (!flow) return std::nullopt;
  return timeline_of(*flow);
}

Result<std::optional<Record>> flow_on(store::Snapshot& snapshot, TimelineId timeline,
                                      const std::vector<std::string>& columns) {
  store::ScanSpec spec;
  spec.table = table::kFlows;
  spec.index = "by_timeline";
  spec.lower = store::RangeBound{.prefix = {timeline}};
  spec.upper = store::RangeBound{.prefix = {timeline}};
  spec.columns = columns;
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(spec.table));
  std::optional<Record> found;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    found.emplace(schema, row.cells);
    return false;
  }));
  if (found) return found;
  // A flow from before there were timelines is on the one of its own id.
  const FlowId id{timeline.uuid};
  REEL_ASSIGN(const auto own, timeline_of(snapshot, id));
  if (own != timeline) return std::nullopt;
  return load(snapshot, table::kFlows, {id}, columns);
}

Result<Record> find_flow(store::Snapshot& snapshot, FlowId id,
                         const std::vector<std::string>& columns) {
  REEL_ASSIGN(auto record, load(snapshot, table::kFlows, {id}, columns));
  if (!record) return not_found("flow {} does not exist", id.to_string());
  return std::move(*record);
}

Result<PutFlow> put_flow(const Context& context, const Caller& caller, FlowId id,
                         const json::Value& body) {
  return write_flow_document(context, caller, id, body, Existing::replace);
}

Result<PutFlow> create_flow(const Context& context, const Caller& caller, FlowId id,
                            const json::Value& body) {
  REEL_ASSIGN(PutFlow outcome, write_flow_document(context, caller, id, body, Existing::keep));
  if (!outcome.created) return at("/id", conflict("flow {} exists already", id.to_string()));
  return outcome;
}

Result<std::string> get_flow(const Context& context, FlowId id, const FlowView& view) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  return get_flow(*snapshot, id, view);
}

Result<std::string> get_flow(store::Snapshot& snapshot, FlowId id, const FlowView& view) {
  REEL_ASSIGN(const Record flow, find_flow(snapshot, id));
  std::optional<time::TimeRange> timerange;
  if (view.include_timerange) {
    REEL_ASSIGN(timerange, flow_extent(snapshot, timeline_of(flow), view.within));
  }
  std::string text;
  json::Writer out(text);
  REEL_TRY(write_flow(snapshot, out, flow, timerange));
  return text;
}

Result<json::Value> get_flow_member(const Context& context, FlowId id, std::string_view member) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record flow, find_flow(*snapshot, id));
  return document_member(to_document(kFields, flow), member, name_of(id));
}

Status set_flow_member(const Context& context, const Caller& caller, FlowId id,
                       std::string_view member, std::optional<json::Value> value) {
  Edit edit = edit_member(member, std::move(value), name_of(id));
  edit.even_if_read_only = member == "read_only";
  if (member == "avg_bit_rate") {
    edit.change = [change = std::move(edit.change)](json::Value& document) -> Status {
      if (document.find("profile_id") == nullptr) return change(document);
      return invalid("avg_bit_rate comes from the flow's profile");
    };
  }
  return edit_flow(context, caller, id, edit);
}

Status set_flow_tag(const Context& context, const Caller& caller, FlowId id, std::string_view name,
                    std::optional<json::Value> value) {
  return edit_flow(context, caller, id, edit_tag(name, std::move(value), name_of(id)));
}

Result<Page> list_flows(const Context& context, const FlowFilter& filter, FlowOrder order,
                        const PageRequest& page) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  const auto accept = [&](const Record& flow) -> Result<bool> {
    if (!row_matches(filter, flow)) return false;
    return links_match(*snapshot, filter, flow);
  };
  const auto write = [&](json::Writer& out, const Record& flow) {
    return write_flow(*snapshot, out, flow, std::nullopt);
  };
  return list_rows(*snapshot, listing_order(order), page, accept, write);
}

Result<std::vector<FlowId>> collection_members(const Record& flow) {
  std::vector<FlowId> members;
  if (flow.text("flow_collection").empty()) return members;
  REEL_ASSIGN(const json::Value items, json::parse(flow.text("flow_collection")));
  for (const json::Value& item : *items.as_array()) {
    REEL_ASSIGN(const FlowId id, FlowId::parse(*item.find("id")->as_string()));
    members.push_back(id);
  }
  return members;
}

}  // namespace reel::tams

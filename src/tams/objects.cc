#include "tams/objects.h"

#include <algorithm>
#include <set>

#include "tams/access.h"
#include "tams/edit.h"
#include "tams/flows.h"
#include "tams/garbage.h"
#include "tams/idempotency.h"
#include "tams/instances.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using store::Value;
using time::Timestamp;

Result<media::Backend*> chosen_backend(const Context& context, const json::Value& body) {
  if (const json::Value* asked = body.find("storage_id")) {
    const std::string& text = *asked->as_string();
    media::Backend* backend = context.storage.find(*StorageId::parse(text));
    if (backend == nullptr) {
      return at("/storage_id", invalid("storage backend {} does not exist", text));
    }
    return backend;
  }
  media::Backend* backend = context.storage.default_backend();
  if (backend == nullptr) {
    return at("/storage_id", invalid("is required, because no storage backend is the default"));
  }
  return backend;
}

//! The ids to allocate: those asked for, or new ones.
Result<std::vector<std::string>> object_ids(const Context& context, const json::Value& body) {
  const auto bounded = [&](std::size_t count, const char* pointer) -> Status {
    if (count <= context.limits.allocate_max) return {};
    return at(pointer,
              invalid("{} objects at once, the limit is {}", count, context.limits.allocate_max));
  };
  std::vector<std::string> ids;
  if (const json::Value* asked = body.find("object_ids")) {
    REEL_TRY(bounded(asked->as_array()->size(), "/object_ids"));
    std::set<std::string_view> seen;
    for (const json::Value& id : *asked->as_array()) {
      const std::string& text = *id.as_string();
      if (text.empty()) return at("/object_ids", invalid("an object id must not be empty"));
      if (!seen.insert(text).second) {
        return at("/object_ids", invalid("object '{}' is asked for twice", text));
      }
      ids.push_back(text);
    }
    return ids;
  }
  std::int64_t limit = static_cast<std::int64_t>(context.limits.allocate_default);
  if (const json::Value* asked = body.find("limit")) asked->get_int64(limit);
  const auto count = std::min(static_cast<std::size_t>(limit), context.limits.allocate_max);
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(Uuid::random(context.random).to_string());
  }
  return ids;
}

//! Objects that were reserved for a flow.
struct Allocation {
  std::vector<std::string> ids;
  StorageId storage;
  std::string content_type;
  bool presigned = true;  //!< whether clients get signed URLs
};

//! For remember_outcome(). URLs are signed anew for each answer.
json::Value outcome_of(const Allocation& allocation) {
  json::Value outcome;
  outcome.set("object_ids", json::Array(allocation.ids.begin(), allocation.ids.end()));
  outcome.set("storage_id", allocation.storage.to_string());
  outcome.set("content_type", allocation.content_type);
  outcome.set("presigned", allocation.presigned);
  return outcome;
}

Allocation allocation_in(const json::Value& outcome) {
  Allocation allocation;
  for (const json::Value& id : *outcome.find("object_ids")->as_array()) {
    allocation.ids.push_back(*id.as_string());
  }
  allocation.storage = *StorageId::parse(*outcome.find("storage_id")->as_string());
  allocation.content_type = *outcome.find("content_type")->as_string();
  allocation.presigned = *outcome.find("presigned")->as_bool();
  return allocation;
}

//! Where to upload one of them.
void write_allocation(json::Writer& out, const Context& context, const Caller& caller,
                      const Allocation& allocation, const std::string& id) {
  out.begin_object();
  out.field("object_id", std::string_view(id));
  out.key("put_url");
  out.begin_object();
  out.key("url");
  out.open_plain_string();
  if (allocation.presigned) {
    const Instant expiry{context.clock.now().micros +
                         context.limits.min_presigned_url_timeout_s * 1'000'000};
    out.out() += caller.base_url;
    context.storage.signer->append_path(out.out(),
                                        {.use = media::UrlUse::put,
                                         .storage = allocation.storage,
                                         .object_id = id,
                                         .content_type = allocation.content_type},
                                        expiry);
  } else {
    out.out() += plain_url(caller, allocation.storage, id);
  }
  out.close_plain_string();
  out.field("content-type", std::string_view(allocation.content_type));
  out.key("headers");
  out.begin_object();
  out.field("Content-Type", std::string_view(allocation.content_type));
  out.end_object();
  out.end_object();
  out.field("presigned", allocation.presigned);
  out.end_object();
}

//! Code::forbidden or invalid when the flow cannot have new objects. The container is what their
//! content type is if nobody says otherwise.
Result<std::string> container_of(store::Snapshot& snapshot, FlowId flow) {
  REEL_ASSIGN(const Record record, find_flow(snapshot, flow));
  if (record.flag("read_only")) return forbidden("flow {} is read-only", flow.to_string());
  if (record["container"].is_null()) {
    return invalid("flow {} has no container, so it cannot have objects", flow.to_string());
  }
  return std::string(record.text("container"));
}

//! Without a flow, the objects are for whichever uses them first.
Result<Allocation> reserve(const Context& context, const Caller& caller, std::optional<FlowId> flow,
                           const json::Value& body) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto earlier, earlier_outcome(*snapshot, caller));
  if (earlier) return allocation_in(*earlier);
  Allocation allocation;
  allocation.content_type = "application/octet-stream";
  if (flow) {
    REEL_ASSIGN(allocation.content_type, container_of(*snapshot, *flow));
  }
  REEL_ASSIGN(media::Backend* const backend, chosen_backend(context, body));
  REEL_ASSIGN(allocation.ids, object_ids(context, body));
  allocation.storage = backend->info().id;
  if (const json::Value* asked = body.find("content_type")) {
    allocation.content_type = *asked->as_string();
  }
  if (const json::Value* asked = body.find("presigned")) allocation.presigned = *asked->as_bool();
  const Instant now = context.clock.now();
  store::Batch batch;
  if (flow) batch.require_cells(std::string(table::kFlows), {*flow}, {{"read_only", false}});
  for (const std::string& id : allocation.ids) {
    REEL_ASSIGN(const auto taken, load(*snapshot, table::kObjects, {id}));
    if (taken) return at("/object_ids", invalid("object '{}' exists already", id));
    const Instance place{.storage_id = allocation.storage,
                         .storage_key = new_storage_key(context, id),
                         .copying = false,
                         .url = {},
                         .label = {}};
    store::Cells cells = {{"allocated", now},
                          {"instances", instances_cell({place})},
                          {"content_type", allocation.content_type}};
    if (flow) cells.emplace_back("flow_id", *flow);
    batch.insert(std::string(table::kObjects), {id}, std::move(cells));
  }
  check_after_timeout(context, batch, now, allocation.ids);
  if (caller.once) remember_outcome(context, caller, outcome_of(allocation), batch);
  REEL_TRY(context.store.commit(std::move(batch)));
  return allocation;
}

//! A caller with auth classes makes objects only for flows that it may change.
Status check_reach(const Context& context, const Caller& caller, std::optional<FlowId> flow) {
  if (!caller.classes) return {};
  if (!flow) return at("/flow_id", forbidden("callers with auth classes must name a flow"));
  REEL_ASSIGN(const Access access, flow_access(context, caller, *flow));
  if (access == Access::none) return not_found("flow {} does not exist", flow->to_string());
  if (access == Access::read) return forbidden("you may read flow {} only", flow->to_string());
  return {};
}

Status write_object(json::Writer& out, store::Snapshot& snapshot, const Record& object,
                    const UrlWriter& urls) {
  if (!object["timerange"].is_null()) out.field("timerange", object.text("timerange"));
  if (!object["key_frame_count"].is_null()) {
    out.field("key_frame_count", object.integer("key_frame_count"));
  }
  urls.write(out, object.text("id"), instances_in(object["instances"]));
  if (object["init_object_id"].is_null()) return {};
  REEL_ASSIGN(const auto init, load(snapshot, table::kObjects, {object["init_object_id"]}));
  out.key("init_object");
  out.begin_object();
  out.field("id", object.text("init_object_id"));
  if (init) urls.write(out, init->text("id"), instances_in((*init)["instances"]));
  out.end_object();
  return {};
}

//! The first timeline behind `after` that uses the object.
Result<std::optional<TimelineId>> next_timeline(store::Snapshot& snapshot, const std::string& id,
                                                std::optional<TimelineId> after) {
  store::ScanSpec spec;
  spec.table = table::kObjectUses;
  spec.partition = {id};
  spec.limit = 1;
  if (after) spec.lower = store::RangeBound{.prefix = {*after}, .inclusive = false};
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(spec.table));
  const std::size_t position = schema->position("timeline_id");
  std::optional<TimelineId> next;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    next = TimelineId{row[position].get<Uuid>()};
    return false;
  }));
  return next;
}

}  // namespace

Result<std::vector<ObjectUser>> flows_using(store::Snapshot& snapshot, const std::string& id,
                                            const TagFilter& tags, std::optional<TimelineId> after,
                                            std::size_t limit) {
  std::vector<ObjectUser> users;
  while (users.size() < limit) {
    // A flow may use an object many times: jump from timeline to timeline.
    REEL_ASSIGN(after, next_timeline(snapshot, id, after));
    if (!after) break;
    REEL_ASSIGN(const auto flow, flow_on(snapshot, *after, {"id", "tags"}));
    if (!flow || !tags.matches(flow->text("tags"))) continue;
    users.push_back({.timeline = *after, .flow = FlowId{flow->uuid("id")}});
  }
  return users;
}

Result<std::vector<TimelineId>> timelines_using(store::Snapshot& snapshot, const std::string& id) {
  std::vector<TimelineId> timelines;
  std::optional<TimelineId> next;
  while (true) {
    REEL_ASSIGN(next, next_timeline(snapshot, id, next));
    if (!next) return timelines;
    timelines.push_back(*next);
  }
}

Result<std::string> allocate_storage(const Context& context, const Caller& caller, FlowId flow,
                                     const json::Value& body) {
  Allocation allocation;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(allocation, reserve(context, caller, flow, body));
    return {};
  }));
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("media_objects");
  out.begin_array();
  for (const std::string& id : allocation.ids) {
    write_allocation(out, context, caller, allocation, id);
  }
  out.end_array();
  out.end_object();
  return text;
}

Result<CreatedObject> create_object(const Context& context, const Caller& caller,
                                    const json::Value& body) {
  json::Value request = body;
  for (const char* member : {"id", "object_id"}) {
    const json::Value* id = body.find(member);
    if (id != nullptr) request.set("object_ids", json::Array{*id});
  }
  request.set("limit", 1);
  std::optional<FlowId> flow;
  if (const json::Value* id = body.find("flow_id")) flow = *FlowId::parse(*id->as_string());
  Allocation allocation;
  REEL_TRY(check_reach(context, caller, flow));
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(allocation, reserve(context, caller, flow, request));
    return {};
  }));
  CreatedObject created{.id = allocation.ids[0], .document = {}};
  json::Writer out(created.document);
  write_allocation(out, context, caller, allocation, created.id);
  return created;
}

Result<ObjectView> get_object(const Context& context, const Caller& caller, const std::string& id,
                              const ObjectQuery& query) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto object, load(*snapshot, table::kObjects, {id}));
  if (!object || !object->flag("registered")) return not_found("object '{}' does not exist", id);
  const store::Type uuid_type = store::Type::of(store::TypeKind::uuid);
  std::optional<TimelineId> after;
  if (!query.page.key.empty()) {
    REEL_ASSIGN(const auto cells, read_page_key(query.page.key, {uuid_type}));
    if (cells[0].is_null()) return at("?page", invalid("page is not a key of this listing"));
    after = TimelineId{cells[0].get<Uuid>()};
  }
  REEL_ASSIGN(auto flows, flows_using(*snapshot, id, query.flow_tags, after, query.page.limit + 1));
  ObjectView view;
  view.page.limit = query.page.limit;
  if (flows.size() > query.page.limit) {
    flows.pop_back();
    view.page.next_key = make_page_key({{uuid_type, Value(flows.back().timeline)}});
  }
  view.page.count = flows.size();

  json::Writer out(view.document);
  out.begin_object();
  out.field("id", std::string_view(id));
  out.key("referenced_by_flows");
  out.begin_array();
  for (const ObjectUser& user : flows) out.string(user.flow.to_string());
  out.end_array();
  if (!(*object)["flow_id"].is_null()) {
    out.field("first_referenced_by_flow", std::string_view(object->uuid("flow_id").to_string()));
  }
  REEL_TRY(write_object(out, *snapshot, *object, {context, caller, query.urls}));
  out.end_object();
  return view;
}

Result<StorageId> allocate_for_segment(const Context& context, FlowId flow,
                                       const std::string& object_id) {
  StorageId storage;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const auto object, load(*snapshot, table::kObjects, {object_id}));
    if (!object) {
      json::Value request;
      request.set("object_ids", json::Array{object_id});
      REEL_ASSIGN(const Allocation allocation, reserve(context, {}, flow, request));
      storage = allocation.storage;
      return {};
    }
    REEL_TRY(container_of(*snapshot, flow));
    const bool for_another =
        !(*object)["flow_id"].is_null() && FlowId{object->uuid("flow_id")} != flow;
    const auto instances = instances_in((*object)["instances"]);
    if (object->flag("registered") || instances.empty() || !instances[0].storage_id ||
        for_another) {
      return at("/object_id", invalid("object '{}' exists already", object_id));
    }
    storage = *instances[0].storage_id;
    return {};
  }));
  return storage;
}

Status scan_uses(store::Snapshot& snapshot, const UseScan& scan,
                 const std::function<bool(Timestamp)>& visit) {
  store::ScanSpec spec;
  spec.table = table::kObjectUses;
  spec.partition = {scan.object_id};
  spec.lower = store::RangeBound{.prefix = {scan.timeline}};
  spec.upper = store::RangeBound{.prefix = {scan.timeline}};
  if (scan.after) {
    (scan.reverse ? spec.upper : spec.lower) =
        store::RangeBound{.prefix = {scan.timeline, *scan.after}, .inclusive = false};
  }
  spec.reverse = scan.reverse;
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(spec.table));
  const std::size_t position = schema->position("start_time");
  return snapshot.scan(spec, [&](const store::RowView& row) {
    return visit(Timestamp::from_nanoseconds(row[position].get<store::Decimal>().unscaled));
  });
}

Result<bool> is_used(store::Snapshot& snapshot, const std::string& object_id) {
  REEL_ASSIGN(const auto timeline, next_timeline(snapshot, object_id, std::nullopt));
  return timeline.has_value();
}

}  // namespace reel::tams

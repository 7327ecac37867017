#include "tams/trash.h"

#include <algorithm>

#include "tams/access.h"
#include "tams/collections.h"
#include "tams/flows.h"
#include "tams/flows_internal.h"
#include "tams/sources.h"
#include "tams/tables.h"
#include "tams/trash_internal.h"

namespace reel::tams {
namespace {

const std::string kTrash(table::kTrash);
constexpr const char* kFlow = "flow";
constexpr const char* kSource = "source";
constexpr const char* kSegments = "segments";

void write_item(json::Writer& out, const Record& item) {
  out.begin_object();
  out.field("id", std::string_view(item.uuid("id").to_string()));
  out.field("type", item.text("type"));
  out.field("deleted", std::string_view(item["deleted"].get<Instant>().to_string()));
  out.field("deleted_by", item.text("deleted_by"));
  out.field("expires", std::string_view(item["expires"].get<Instant>().to_string()));
  out.raw_field(item.text("type"), item.text("document"));
  out.end_object();
}

json::Value document_in(const Record& item, std::string_view column) {
  auto document = json::parse(item.text(column));
  REEL_CHECK(document.has_value());
  return *std::move(document);
}

//! Code::not_found when there is none, or none that the caller may see; forbidden when they may
//! only see it and want to change it.
Result<Record> find_item(store::Snapshot& snapshot, const Caller& caller, TrashId id,
                         Access wanted) {
  REEL_ASSIGN(auto item, load(snapshot, kTrash, {id}));
  const Access access = item ? access_to(caller, item->text("tags")) : Access::none;
  if (access == Access::none) return not_found("the trash has no {}", id.to_string());
  if (access < wanted) return forbidden("you may only look at {}", id.to_string());
  return *std::move(item);
}

struct Item {
  const char* type;
  const json::Value& document;
  std::string_view tags;  //!< who may see it
};

//! Adds an item to the trash.
TrashId add_item(Write& write, const Item& item, store::Cells more) {
  const TrashId id = TrashId::random(write.context.random);
  const Instant now = write.context.clock.now();
  store::Cells cells = {
      {"type", item.type},
      {"document", json::to_text(item.document)},
      {"tags", std::string(item.tags)},
      {"deleted", now},
      {"deleted_by", write.caller.principal},
      {"expires", Instant{now.micros + write.context.limits.trash_days * 86'400'000'000}}};
  std::move(more.begin(), more.end(), std::back_inserter(cells));
  write.batch.insert(kTrash, {id}, std::move(cells));
  return id;
}

//! Where a flow stands in the collections that hold it: an array of {collection, place, item}.
Result<json::Value> memberships(store::Snapshot& snapshot, FlowId flow) {
  json::Array found;
  const json::Value id(flow.to_string());
  REEL_ASSIGN(const auto collections, collectors_of(snapshot, flow));
  for (const FlowId collection : collections) {
    REEL_ASSIGN(const auto record, load(snapshot, table::kFlows, {collection}));
    if (!record) continue;
    const json::Value document = flow_document(*record);
    const json::Value* items = document.find("flow_collection");
    if (items == nullptr) continue;
    std::int64_t place = 0;
    for (const json::Value& item : *items->as_array()) {
      if (*item.find("id") == id) {
        json::Value membership;
        membership.set("collection", collection.to_string());
        membership.set("place", place);
        membership.set("item", item);
        found.push_back(std::move(membership));
      }
      ++place;
    }
  }
  return json::Value(std::move(found));
}

//! Leaves out the members of a flow's collection that are gone by now.
Status drop_lost_members(store::Snapshot& snapshot, json::Value& document) {
  json::Value* items = document.find("flow_collection");
  if (items == nullptr) return {};
  json::Array kept;
  for (json::Value& item : *items->as_array()) {
    const FlowId member = *FlowId::parse(*item.find("id")->as_string());
    REEL_ASSIGN(const auto record, load(snapshot, table::kFlows, {member}, {"id"}));
    if (record) kept.push_back(std::move(item));
  }
  *items = json::Value(std::move(kept));
  return {};
}

//! Puts the flow back into the collections that are still there and may be changed.
Status join_collections(Write& write, FlowId flow, const json::Value& memberships) {
  std::int64_t collections = 0;
  for (const json::Value& membership : *memberships.as_array()) {
    const FlowId collection = *FlowId::parse(*membership.find("collection")->as_string());
    REEL_ASSIGN(const auto record, load(write.snapshot, table::kFlows, {collection}));
    if (!record || record->flag("read_only")) continue;
    std::int64_t place = 0;
    membership.find("place")->get_int64(place);
    REEL_TRY(put_into_collection(write, *record, flow, *membership.find("item"),
                                 static_cast<std::size_t>(place)));
    ++collections;
  }
  write.batch.update(std::string(table::kFlows), {flow}, {{"collected_count", collections}});
  return {};
}

LeftTimeline left_in(const Record& item) {
  LeftTimeline left{.place = place_in(FlowId{item.uuid("item_id")}, item),
                    .timeline = TimelineId{item.uuid("timeline_id")},
                    .tags = std::string(item.text("tags")),
                    .delete_flow = item.text("type") == kFlow};
  if (left.delete_flow) return left;
  const json::Value document = document_in(item, "document");
  left.timerange = *time::TimeRange::parse(*document.find("timerange")->as_string());
  return left;
}

//! What an attempt to restore came to: done, or why the item cannot come back.
using Obstacle = std::optional<std::string>;

Result<Obstacle> restore_flow(Write& write, const Record& item) {
  const FlowId id{item.uuid("item_id")};
  REEL_ASSIGN(const auto taken, load(write.snapshot, table::kFlows, {id}, {"id"}));
  if (taken) return fmt::format("flow {} exists again", id.to_string());
  json::Value document = document_in(item, "document");
  REEL_TRY(drop_lost_members(write.snapshot, document));
  REEL_TRY(add_flow(write, id, document, TimelineId{item.uuid("timeline_id")},
                    document_in(item, "source")));
  REEL_TRY(join_collections(write, id, document_in(item, "memberships")));
  return std::nullopt;
}

Result<Obstacle> restore_source(Write& write, const Record& item) {
  const SourceId id{item.uuid("item_id")};
  REEL_ASSIGN(const auto taken, load(write.snapshot, table::kSources, {id}));
  if (taken) return fmt::format("source {} exists again", id.to_string());
  tams::restore_source(write, id, document_in(item, "document"));
  return std::nullopt;
}

Result<Obstacle> restore_segments(Write& write, const Record& item) {
  const FlowId id{item.uuid("item_id")};
  REEL_ASSIGN(const auto flow, load(write.snapshot, table::kFlows, {id}));
  if (!flow) return fmt::format("flow {} is gone", id.to_string());
  REEL_ASSIGN(const auto taken,
              return_segments(write, *flow, TimelineId{item.uuid("timeline_id")}));
  if (!taken) return std::nullopt;
  return fmt::format("there are segments in {} by now", taken->to_string());
}

Result<Obstacle> restore_item(Write& write, const Record& item) {
  write.batch.require_present(kTrash, {item["id"]});
  write.batch.erase(kTrash, {item["id"]});
  if (item.text("type") == kFlow) return restore_flow(write, item);
  if (item.text("type") == kSegments) return restore_segments(write, item);
  return restore_source(write, item);
}

store::Cells place_cells(const FlowPlace& place, TimelineId timeline) {
  store::Cells cells = cells_of(place);
  cells.emplace_back("item_id", place.flow);
  cells.emplace_back("timeline_id", timeline);
  return cells;
}

Result<std::optional<TrashId>> first_expired(const Context& context) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto schema, snapshot->catalog().table(table::kTrash));
  std::optional<TrashId> found;
  store::ScanSpec spec;
  spec.table = table::kTrash;
  spec.index = "by_expires";
  spec.upper = store::RangeBound{.prefix = {context.clock.now()}};
  spec.limit = 1;
  REEL_TRY(snapshot->scan(spec, [&](const store::RowView& row) {
    found = TrashId{row[schema->position("id")].get<Uuid>()};
    return false;
  }));
  return found;
}

}  // namespace

Result<TrashId> trash_flow(const Context& context, const Caller& caller, FlowId id) {
  TrashId item;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record flow, find_flow(*snapshot, id));
    REEL_ASSIGN(const json::Value places, memberships(*snapshot, id));
    REEL_ASSIGN(const std::string source, get_source(*snapshot, SourceId{flow.uuid("source_id")}));
    Write write{context, caller, *snapshot};
    REEL_ASSIGN(const FlowPlace place, remove_flow(write, flow));
    item = add_item(write, {kFlow, flow_document(flow), flow.text("tags")},
                    place_cells(place, timeline_of(flow)));
    write.batch.update(kTrash, {item},
                       {{"source", source}, {"memberships", json::to_text(places)}});
    return context.store.commit(std::move(write.batch));
  }));
  return item;
}

Result<TrashId> trash_source(const Context& context, const Caller& caller, SourceId id) {
  TrashId item;
  const auto move = [&](Write& write, const Record& source) {
    item = add_item(write, {kSource, remove_source(write, source), source.text("tags")},
                    {{"item_id", id}});
    return Status();
  };
  REEL_TRY(change_flowless_source(context, caller, id, move));
  return item;
}

Result<std::optional<TrashId>> trash_segments(const Context& context, const Caller& caller,
                                              FlowId id, const time::TimeRange& timerange,
                                              const std::optional<std::string>& object_id) {
  std::optional<TrashId> item;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    item.reset();
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record flow, find_flow(*snapshot, id));
    REEL_ASSIGN(const FlowPlace place, place_of(*snapshot, id, SourceId{flow.uuid("source_id")}));
    Write write{context, caller, *snapshot};
    const TimelineId aside = TimelineId::random(context.random);
    const CoveredScan scan{
        .timeline = timeline_of(flow), .covering = timerange, .object_id = object_id};
    REEL_ASSIGN(const SegmentsAside moved, put_aside(write, flow, scan, aside));
    if (moved.count == 0) return {};
    json::Value document;
    document.set("flow_id", id.to_string());
    document.set("timerange", moved.extent.to_string());
    document.set("count", static_cast<std::int64_t>(moved.count));
    item = add_item(write, {kSegments, document, flow.text("tags")}, place_cells(place, aside));
    return context.store.commit(std::move(write.batch));
  }));
  return item;
}

Result<std::string> get_trash(const Context& context, const Caller& caller, TrashId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record item, find_item(*snapshot, caller, id, Access::read));
  std::string text;
  json::Writer out(text);
  write_item(out, item);
  return text;
}

Result<Page> list_trash(const Context& context, const Caller& caller, const PageRequest& page) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  const auto accept = [&](const Record& item) -> Result<bool> {
    return access_to(caller, item.text("tags")) != Access::none;
  };
  const auto write = [](json::Writer& out, const Record& item) -> Status {
    write_item(out, item);
    return {};
  };
  return list_rows(*snapshot, {table::kTrash, "by_deleted", "deleted", true}, page, accept, write);
}

Result<std::string> restore_trash(const Context& context, const Caller& caller, TrashId id) {
  std::string type;
  Uuid restored;
  Obstacle obstacle;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record item, find_item(*snapshot, caller, id, Access::write));
    type = item.text("type");
    restored = item.uuid("item_id");
    Write write{context, caller, *snapshot};
    REEL_ASSIGN(obstacle, restore_item(write, item));
    return obstacle ? Status() : context.store.commit(std::move(write.batch));
  }));
  if (obstacle) return conflict("{}", *obstacle);
  if (type != kSource) return get_flow(context, FlowId{restored}, {});
  return get_source(context, SourceId{restored});
}

Result<std::optional<DeletionRequest>> purge_trash(const Context& context, const Caller& caller,
                                                   TrashId id) {
  std::optional<DeletionId> deletion;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record item, find_item(*snapshot, caller, id, Access::write));
    Write write{context, caller, *snapshot};
    write.batch.require_present(kTrash, {id});
    write.batch.erase(kTrash, {id});
    if (item.text("type") != kSource) {
      deletion = add_deletion(write, left_in(item));
    }
    return context.store.commit(std::move(write.batch));
  }));
  if (!deletion) return std::nullopt;
  return settle_deletion(context, *deletion);
}

Status purge_expired_trash(const Context& context, const std::stop_token& stop) {
  const Caller caller{.principal = "trash", .base_url = {}};
  while (!stop.stop_requested()) {
    REEL_ASSIGN(const auto id, first_expired(context));
    if (!id) return {};
    const auto purged = purge_trash(context, caller, *id);
    // Somebody else may have taken it out meanwhile.
    if (!purged && purged.error().code() != Code::not_found) return Failure(purged.error().clone());
  }
  return {};
}

}  // namespace reel::tams

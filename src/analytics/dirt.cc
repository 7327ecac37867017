#include "analytics/dirt.h"

#include <algorithm>

#include "analytics/summary_tree.h"
#include "analytics/tables.h"
#include "events/change_log.h"
#include "json/value.h"
#include "tams/changes.h"
#include "tams/objects.h"
#include "tams/record.h"
#include "time/time_range.h"

namespace reel::analytics {
namespace {

using time::TimeRange;

const std::string& text_member(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  REEL_CHECK(member != nullptr && member->as_string() != nullptr);
  return *member->as_string();
}

const json::Array& array_member(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  REEL_CHECK(member != nullptr && member->as_array() != nullptr);
  return *member->as_array();
}

//! Reads what changes say about segments and objects.
class Collector {
 public:
  explicit Collector(store::Snapshot& snapshot) : snapshot_(snapshot) {}

  Status take(const events::Change& change) {
    dirt.cursor = change.sequence;
    if (change.type == "flows/created" || change.type == "flows/deleted") {
      REEL_ASSIGN(FlowDirt* const flow, flow_dirt(*change.flow_id, change.sequence));
      if (flow != nullptr) flow->whole = true;
      ++dirt.items;
      return {};
    }
    const bool added = change.type == "flows/segments_added";
    const bool deleted = change.type == "flows/segments_deleted";
    const bool stored = change.type == tams::kObjectStored;
    if (!added && !deleted && !stored && change.type != tams::kObjectsSettled) return {};
    REEL_ASSIGN(const json::Value payload, json::parse(change.payload));
    if (added) return take_added(change, payload);
    if (deleted) return take_deleted(change, payload);
    if (stored) return take_stored(change, payload);
    for (const json::Value& id : array_member(payload, "object_ids")) add_object(*id.as_string());
    return {};
  }

  Dirt dirt;

 private:
  //! nullptr when the flow's tree contains the change already.
  Result<FlowDirt*> flow_dirt(FlowId id, std::int64_t sequence) {
    const auto [entry, is_new] = dirt.flows.try_emplace(id);
    if (is_new) {
      REEL_ASSIGN(const auto root, tams::load(snapshot_, table::kFlowSummaries, {id}, {"as_of"}));
      if (root) entry->second.as_of = root->integer("as_of");
    }
    return sequence <= entry->second.as_of ? nullptr : &entry->second;
  }

  void add_object(const std::string& id) {
    dirt.objects.insert(id);
    ++dirt.items;
  }

  Status take_added(const events::Change& change, const json::Value& payload) {
    REEL_ASSIGN(FlowDirt* const flow, flow_dirt(*change.flow_id, change.sequence));
    for (const json::Value& segment : array_member(payload, "segments")) {
      add_object(text_member(segment, "object_id"));
      if (const json::Value* init = segment.find("init_object")) {
        add_object(text_member(*init, "object_id"));
      }
      if (flow == nullptr || flow->whole) continue;
      REEL_ASSIGN(const TimeRange range, TimeRange::parse(text_member(segment, "timerange")));
      flow->added.insert(leaf_of(range.first()->nanoseconds()));
    }
    return {};
  }

  Status take_deleted(const events::Change& change, const json::Value& payload) {
    ++dirt.items;
    REEL_ASSIGN(FlowDirt* const flow, flow_dirt(*change.flow_id, change.sequence));
    if (flow == nullptr || flow->whole) return {};
    REEL_ASSIGN(const TimeRange range, TimeRange::parse(text_member(payload, "timerange")));
    flow->removed.emplace_back(leaf_of(range.first()->nanoseconds()),
                               leaf_of(*range.past_last_nanoseconds() - 1));
    return {};
  }

  //! Segments count the bytes of their objects.
  Status take_stored(const events::Change& change, const json::Value& payload) {
    const std::string& id = text_member(payload, "object_id");
    add_object(id);
    REEL_ASSIGN(const auto users, tams::flows_using(snapshot_, id, {}, std::nullopt, SIZE_MAX));
    for (const tams::ObjectUser& user : users) {
      REEL_ASSIGN(FlowDirt* const flow, flow_dirt(user.flow, change.sequence));
      if (flow == nullptr || flow->whole) continue;
      REEL_TRY(tams::scan_uses(snapshot_, {.object_id = id, .timeline = user.timeline},
                               [&](time::Timestamp start) {
                                 flow->added.insert(leaf_of(start.nanoseconds()));
                                 ++dirt.items;
                                 return true;
                               }));
    }
    return {};
  }

  store::Snapshot& snapshot_;
};

}  // namespace

bool FlowDirt::touches(std::int64_t first, std::int64_t last) const {
  if (whole) return true;
  const auto next = added.lower_bound(first);
  if (next != added.end() && *next <= last) return true;
  return std::any_of(removed.begin(), removed.end(), [&](const auto& range) {
    return range.first <= last && first <= range.second;
  });
}

Result<Dirt> collect_dirt(store::Snapshot& snapshot, std::int64_t cursor, std::size_t items_max) {
  Collector collector(snapshot);
  Dirt& dirt = collector.dirt;
  dirt.cursor = cursor;
  Status taken;
  REEL_TRY(events::read_changes(snapshot, cursor, [&](const events::Change& change) {
    dirt.ended = dirt.items < items_max;
    if (dirt.ended) taken = collector.take(change);
    return dirt.ended && taken.has_value();
  }));
  REEL_TRY(std::move(taken));
  std::erase_if(dirt.flows, [](const auto& flow) { return flow.second.empty(); });
  return std::move(dirt);
}

}  // namespace reel::analytics

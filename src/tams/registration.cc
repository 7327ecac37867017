//! Registering segments: every rule is checked in one snapshot, then the batch carries the
//! conditions under which the checks still hold.

#include <algorithm>
#include <map>

#include "tams/changes.h"
#include "tams/edit.h"
#include "tams/flows.h"
#include "tams/idempotency.h"
#include "tams/instances.h"
#include "tams/segments.h"
#include "tams/segments_internal.h"
#include "tams/shapes.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using store::Value;
using time::Int128;
using time::TimeRange;
using time::Timestamp;

//! What a request says about one segment.
struct Request {
  std::string object_id;
  TimeRange timerange = TimeRange::never();
  Timestamp start;
  Int128 end = 0;
  bool end_inclusive = false;
  std::optional<Timestamp> ts_offset;
  std::optional<Timestamp> last_duration;
  std::optional<TimeRange> object_timerange;
  std::optional<std::int64_t> sample_offset;
  std::optional<std::int64_t> sample_count;
  std::optional<std::int64_t> key_frame_count;
  std::optional<std::string> init_object_id;
  const json::Value* external_urls = nullptr;  //!< array in the body; null = none given
  const json::Value* tags = nullptr;           //!< object in the body; null = none
};

//! An object as this request leaves it.
struct ObjectState {
  bool registered = false;  //!< before this request, or by an earlier segment of it
  bool is_init = false;
  bool stored = false;  //!< has a row already
  std::optional<FlowId> allocated_for;
  TimeRange timerange = TimeRange::never();
  std::optional<std::int64_t> key_frame_count;
  std::optional<std::string> init_object_id;
};

std::optional<std::string> text_member(const json::Value& body, std::string_view name) {
  const json::Value* member = body.find(name);
  if (member == nullptr) return std::nullopt;
  return *member->as_string();
}

std::optional<std::int64_t> integer_member(const json::Value& body, std::string_view name) {
  const json::Value* member = body.find(name);
  std::int64_t number = 0;
  if (member == nullptr || !member->get_int64(number)) return std::nullopt;
  return number;
}

//! REQUIRES: the body passed shape::segment_post() and outlives the request.
Result<Request> read_request(const json::Value& body) {
  Request request;
  request.object_id = *text_member(body, "object_id");
  REEL_ASSIGN(request.timerange, TimeRange::parse(*text_member(body, "timerange")));
  const TimeRange& range = request.timerange;
  if (!range.is_bounded()) {
    return at("/timerange", invalid("a segment needs a start and an end and some duration, '{}' "
                                    "has not",
                                    range.to_string()));
  }
  if (!range.start()->inclusive) {
    return at("/timerange", invalid("the start of a segment is inclusive: write '['"));
  }
  request.start = range.start()->at;
  request.end = *range.past_last_nanoseconds();
  request.end_inclusive = range.end()->inclusive;
  const auto timestamp = [&](std::string_view name) -> std::optional<Timestamp> {
    const auto text = text_member(body, name);
    if (!text) return std::nullopt;
    return *Timestamp::parse(*text);
  };
  request.ts_offset = timestamp("ts_offset");
  request.last_duration = timestamp("last_duration");
  if (const auto text = text_member(body, "object_timerange")) {
    request.object_timerange = *TimeRange::parse(*text);
  }
  request.sample_offset = integer_member(body, "sample_offset");
  request.sample_count = integer_member(body, "sample_count");
  request.key_frame_count = integer_member(body, "key_frame_count");
  request.init_object_id = text_member(body, "init_object_id");
  const json::Value* urls = body.find("get_urls");
  if (urls != nullptr && !urls->as_array()->empty()) request.external_urls = urls;
  const json::Value* tags = body.find("tags");
  if (tags != nullptr && !tags->as_object()->empty()) request.tags = tags;
  return request;
}

//! Whether a cell has these tags.
bool are_tags(const Value& cell, const json::Value* tags) {
  if (cell.is_null() || tags == nullptr) return cell.is_null() && tags == nullptr;
  const auto stored = json::parse(cell.get<std::string>());
  return stored && *stored == *tags;
}

Status check_url_labels(const Context& context, const Request& request) {
  if (request.external_urls == nullptr) return {};
  std::vector<std::string_view> labels;
  for (const json::Value& url : *request.external_urls->as_array()) {
    const std::string& label = *url.find("label")->as_string();
    if (label.empty()) continue;  // written by a client of 6.0, where a label is optional
    if (std::find(labels.begin(), labels.end(), label) != labels.end()) {
      return at("/get_urls", invalid("the label '{}' occurs twice", label));
    }
    if (Status status = check_new_label(context, label); !status) {
      return Failure(std::move(status).error().at("/get_urls"));
    }
    labels.push_back(label);
  }
  return {};
}

const std::vector<std::string> kStateColumns = {"registered", "is_init",         "flow_id",
                                                "timerange",  "key_frame_count", "init_object_id"};

ObjectState state_of(const Record& object) {
  ObjectState state;
  state.stored = true;
  state.registered = object.flag("registered");
  state.is_init = object.flag("is_init");
  if (!object["flow_id"].is_null()) state.allocated_for = FlowId{object.uuid("flow_id")};
  if (!object["timerange"].is_null()) {
    if (auto range = TimeRange::parse(object.text("timerange"))) state.timerange = *range;
  }
  if (!object["key_frame_count"].is_null()) {
    state.key_frame_count = object.integer("key_frame_count");
  }
  if (!object["init_object_id"].is_null()) {
    state.init_object_id = std::string(object.text("init_object_id"));
  }
  return state;
}

//! A segment of the flow, stored or about to be.
struct Existing {
  TimeRange range;
  std::optional<Record> record;
};

//! One attempt: reads a snapshot, checks segment by segment, collects one batch.
class Registration {
 public:
  //! `batch` requires that the flow stays writable.
  Registration(const Context& context, store::Snapshot& snapshot, const Record& flow,
               store::Batch batch)
      : context_(context),
        snapshot_(snapshot),
        id_{flow.uuid("id")},
        timeline_(timeline_of(flow)),
        flow_(flow),
        batch_(std::move(batch)) {}

  //! Reads what many requests need with a few look-ups instead of some for each. Changes nothing
  //! else: what it does not find here, add() looks up.
  Status preload(const std::vector<Result<Request>>& requests) {
    TimeRange extent = TimeRange::never();
    std::vector<std::string> object_ids;
    for (const auto& request : requests) {
      if (!request) continue;
      extent = extent.extent_with(request->timerange);
      object_ids.push_back(request->object_id);
      if (request->init_object_id) object_ids.push_back(*request->init_object_id);
    }
    REEL_TRY(preload_objects(object_ids));
    return preload_segments(extent, 2 * requests.size() + 100);
  }

  //! Checks a segment and adds it to the batch. `look`: whether it is a repeat, or its time is
  //! taken, is looked up, and not left to the commit.
  Status add(const Request& request, bool look) {
    if (look) {
      REEL_ASSIGN(const bool repeated, is_repeat(request));
      if (repeated) return {};
      REEL_TRY(check_free(request));
    }
    REEL_ASSIGN(ObjectState * object, object_state(request.object_id));
    REEL_TRY(check_object(request, *object));
    const auto init_id = request.init_object_id ? request.init_object_id : object->init_object_id;
    REEL_TRY(check_init(request, init_id));
    if (init_id) use_init(*init_id);
    REEL_TRY(use_object(request, *object, init_id));
    insert_segment(request, *object, init_id);
    return {};
  }

  bool has_changes() const { return !added_.empty(); }

  Result<store::Batch> take(std::string_view actor) {
    require_free_time();
    REEL_ASSIGN(const FlowPlace place, place_of(snapshot_, id_, SourceId{flow_.uuid("source_id")}));
    added_documents_.note(ChangeNotes(context_, actor, batch_), place);
    batch_.upsert(std::string(table::kFlowActivity), {id_},
                  {{"segments_updated", context_.clock.now()}});
    return std::move(batch_);
  }

 private:
  Status preload_objects(const std::vector<std::string>& ids) {
    std::vector<store::Key> keys;
    std::vector<ObjectState*> states;
    for (const std::string& id : ids) {
      const auto [entry, is_new] = objects_.try_emplace(id);
      if (!is_new) continue;
      keys.push_back({id});
      states.push_back(&entry->second);
    }
    REEL_ASSIGN(const auto schema, snapshot_.catalog().table(table::kObjects));
    return snapshot_.get_each(table::kObjects, keys, kStateColumns,
                              [&](std::size_t index, const store::RowView& row) {
                                *states[index] = state_of({schema, row.cells});
                              });
  }

  //! Unless there are more than `count_max`, as when a few segments go far apart into a long flow.
  Status preload_segments(const TimeRange& extent, std::size_t count_max) {
    REEL_ASSIGN(const auto schema, snapshot_.catalog().table(table::kSegments));
    const SegmentColumns columns(*schema);
    auto& found = existing_.emplace();
    REEL_TRY(scan_segments(snapshot_, timeline_, {.range = extent}, [&](const store::RowView& row) {
      const TimeRange range = segment_of(row, columns).timerange();
      found.emplace_hint(found.end(), range.start()->at,
                         Existing{range, Record(schema, row.cells)});
      return found.size() <= count_max;
    }));
    if (found.size() > count_max) existing_.reset();
    return {};
  }

  Result<std::optional<Record>> segment_at(Timestamp start) {
    if (!existing_) return load(snapshot_, table::kSegments, {timeline_, start});
    const auto found = existing_->find(start);
    return found == existing_->end() ? std::nullopt : found->second.record;
  }

  //! Whether the very same segment is registered already.
  Result<bool> is_repeat(const Request& request) {
    REEL_ASSIGN(const auto row, segment_at(request.start));
    if (!row) return false;
    const auto same_time = [&](std::string_view column, const std::optional<Timestamp>& asked) {
      const Value& cell = (*row)[column];
      return asked ? cell == Value(*asked) : cell.is_null();
    };
    const auto same_integer = [&](std::string_view column,
                                  const std::optional<std::int64_t>& asked) {
      const Value& cell = (*row)[column];
      return asked ? cell == Value(*asked) : cell.is_null();
    };
    return row->text("object_id") == request.object_id &&
           (*row)["end_time"] == Value(store::Decimal{request.end}) &&
           row->flag("end_inclusive") == request.end_inclusive &&
           same_time("ts_offset", request.ts_offset) &&
           same_time("last_duration", request.last_duration) &&
           same_integer("sample_offset", request.sample_offset) &&
           same_integer("sample_count", request.sample_count) &&
           are_tags((*row)["tags"], request.tags) &&
           (!request.key_frame_count || same_integer("key_frame_count", request.key_frame_count)) &&
           (!request.object_timerange ||
            row->text("object_timerange") == request.object_timerange->to_string()) &&
           (!request.init_object_id || row->text("init_object_id") == *request.init_object_id);
  }

  Status check_free(const Request& request) {
    const auto clash = [](const std::string& with) {
      return at("/timerange", invalid("overlaps the segment {}", with));
    };
    REEL_ASSIGN(const auto taken, overlapping(request.timerange));
    if (taken) return clash(taken->to_string());
    const TimeRange* earlier = overlapping(added_, request.timerange);
    if (earlier != nullptr) return clash(earlier->to_string() + " of the same request");
    return {};
  }

  Result<std::optional<TimeRange>> overlapping(const TimeRange& range) {
    if (existing_) {
      const TimeRange* found = overlapping(*existing_, range);
      return found == nullptr ? std::nullopt : std::optional(*found);
    }
    std::optional<TimeRange> taken;
    REEL_TRY(scan_segments(snapshot_, timeline_, {.range = range}, [&](const store::RowView& row) {
      taken = segment_of(row).timerange();
      return false;
    }));
    return taken;
  }

  //! One that shares a moment with the range. REQUIRES: the segments do not overlap each other, so
  //! that only the neighbours of the range's start can.
  static const TimeRange* overlapping(const std::map<Timestamp, Existing>& segments,
                                      const TimeRange& range) {
    const auto next = segments.lower_bound(range.start()->at);
    if (next != segments.end() && next->second.range.overlaps(range)) return &next->second.range;
    if (next == segments.begin() || !std::prev(next)->second.range.overlaps(range)) return nullptr;
    return &std::prev(next)->second.range;
  }

  //! That the time of the new segments is still free at the commit: one condition for each run of
  //! segments without a hole.
  void require_free_time() {
    for (auto next = added_.begin(); next != added_.end();) {
      const Timestamp start = next->first;
      Int128 end = start.nanoseconds();
      for (; next != added_.end() && next->first.nanoseconds() == end; ++next) {
        end = *next->second.range.past_last_nanoseconds();
      }
      batch_.preconditions.push_back({.kind = store::Precondition::Kind::no_overlap,
                                      .table = std::string(table::kSegments),
                                      .key = {timeline_},
                                      .end_column = "end_time",
                                      .start = Value(start),
                                      .end = Value(store::Decimal{end})});
    }
  }

  Result<ObjectState*> object_state(const std::string& object_id) {
    const auto known = objects_.find(object_id);
    if (known != objects_.end()) return &known->second;
    REEL_ASSIGN(const auto record, load(snapshot_, table::kObjects, {object_id}, kStateColumns));
    return &objects_.emplace(object_id, record ? state_of(*record) : ObjectState{}).first->second;
  }

  Status check_object(const Request& request, const ObjectState& object) {
    const std::string& id = request.object_id;
    const auto used_range = request.timerange.shift(
        Timestamp::from_nanoseconds(-request.ts_offset.value_or(Timestamp()).nanoseconds()));
    if (!used_range) return at("/ts_offset", invalid("moves the segment out of the PTP range"));
    if (!object.registered) return check_first_use(request, object, *used_range);
    if (object.is_init) {
      return at("/object_id", invalid("object '{}' is an initialisation segment", id));
    }
    if (request.external_urls != nullptr) {
      return at("/get_urls", invalid("object '{}' is known; add instances to it instead", id));
    }
    if (request.object_timerange && *request.object_timerange != object.timerange) {
      return at("/object_timerange",
                invalid("object '{}' has the time range {}", id, object.timerange.to_string()));
    }
    if (request.key_frame_count && request.key_frame_count != object.key_frame_count) {
      return at("/key_frame_count", invalid("object '{}' was registered with another count", id));
    }
    if (request.init_object_id && request.init_object_id != object.init_object_id) {
      return at("/init_object_id",
                invalid("object '{}' was registered with another init segment", id));
    }
    if (!object.timerange.covers(*used_range)) {
      return at("/timerange", invalid("uses {} of object '{}', which has only {}",
                                      used_range->to_string(), id, object.timerange.to_string()));
    }
    return {};
  }

  Status check_first_use(const Request& request, const ObjectState& object,
                         const TimeRange& used_range) {
    const std::string& id = request.object_id;
    if (!object.stored && request.external_urls == nullptr) {
      return at("/object_id", invalid("object '{}' does not exist; allocate storage for it, or "
                                      "give get_urls",
                                      id));
    }
    if (object.allocated_for && *object.allocated_for != id_) {
      return at("/object_id", invalid("object '{}' was allocated for flow {}", id,
                                      object.allocated_for->to_string()));
    }
    REEL_TRY(check_url_labels(context_, request));
    if (request.object_timerange && !request.object_timerange->covers(used_range)) {
      return at("/object_timerange",
                invalid("{} does not cover what the segment uses, {}",
                        request.object_timerange->to_string(), used_range.to_string()));
    }
    return {};
  }

  Status check_init(const Request& request, const std::optional<std::string>& init_id) {
    const bool flow_has_init = flow_.flag("init_segments");
    if (flow_has_init && !init_id) {
      return at("/init_object_id", invalid("is required, because the flow has init_segments set"));
    }
    if (!init_id) return {};
    if (!flow_has_init) {
      return at("/init_object_id", invalid("must not be given, because the flow's "
                                           "essence_parameters lack init_segments"));
    }
    if (*init_id == request.object_id) {
      return at("/init_object_id", invalid("an object cannot be its own init segment"));
    }
    REEL_ASSIGN(const ObjectState* init, object_state(*init_id));
    if (!init->stored && !init->registered) {
      return at("/init_object_id", invalid("object '{}' does not exist", *init_id));
    }
    if (init->registered && !init->is_init) {
      return at("/init_object_id", invalid("object '{}' is media", *init_id));
    }
    if (!init->registered && init->allocated_for && *init->allocated_for != id_) {
      return at("/init_object_id", invalid("object '{}' was allocated for flow {}", *init_id,
                                           init->allocated_for->to_string()));
    }
    return {};
  }

  void use_init(const std::string& init_id) {
    ObjectState& init = objects_.at(init_id);
    const std::string objects(table::kObjects);
    if (init.registered) return pin(init_id, init);
    batch_.require_cells(objects, {init_id}, {{"registered", false}});
    batch_.update(objects, {init_id}, {{"registered", true}, {"is_init", true}, {"flow_id", id_}});
    init.registered = true;
    init.is_init = true;
    pinned_[init_id] = true;
  }

  //! An object that is used again must still be there at the commit.
  void pin(const std::string& object_id, const ObjectState& object) {
    if (!object.stored || pinned_[object_id]) return;
    batch_.require_cells(std::string(table::kObjects), {object_id}, {{"registered", true}});
    pinned_[object_id] = true;
  }

  Status use_object(const Request& request, ObjectState& object,
                    const std::optional<std::string>& init_id) {
    if (object.registered) {
      pin(request.object_id, object);
      return {};
    }
    const auto offset = request.ts_offset.value_or(Timestamp());
    object.timerange =
        request.object_timerange
            ? *request.object_timerange
            : *request.timerange.shift(Timestamp::from_nanoseconds(-offset.nanoseconds()));
    object.key_frame_count = request.key_frame_count;
    object.init_object_id = init_id;
    store::Cells cells = {
        {"registered", true}, {"flow_id", id_}, {"timerange", object.timerange.to_string()}};
    if (request.key_frame_count) cells.emplace_back("key_frame_count", *request.key_frame_count);
    if (init_id) cells.emplace_back("init_object_id", *init_id);
    const std::string objects(table::kObjects);
    store::Cells before = {{"registered", false}};
    if (request.external_urls != nullptr) {
      REEL_ASSIGN(auto instances, instances_before(request.object_id, object, before));
      for (Instance& instance : uncontrolled_instances(*request.external_urls)) {
        instances.push_back(std::move(instance));
      }
      cells.emplace_back("instances", instances_cell(instances));
    }
    if (object.stored) {
      batch_.require_cells(objects, {request.object_id}, std::move(before));
      batch_.update(objects, {request.object_id}, std::move(cells));
    } else {
      batch_.insert(objects, {request.object_id}, std::move(cells));
    }
    object.registered = true;
    pinned_[request.object_id] = true;
    return {};
  }

  //! The instances that an object has already; they must be the same at the commit.
  Result<std::vector<Instance>> instances_before(const std::string& object_id,
                                                 const ObjectState& object,
                                                 store::Cells& conditions) {
    if (!object.stored) return std::vector<Instance>();
    REEL_ASSIGN(const auto record, load(snapshot_, table::kObjects, {object_id}, {"instances"}));
    REEL_CHECK(record.has_value());
    conditions.emplace_back("instances", (*record)["instances"]);
    return instances_in((*record)["instances"]);
  }

  void insert_segment(const Request& request, const ObjectState& object,
                      const std::optional<std::string>& init_id) {
    const std::string segments(table::kSegments);
    const std::string uses(table::kObjectUses);
    const std::string object_timerange = object.timerange.to_string();
    store::Cells cells = {{"end_time", store::Decimal{request.end}},
                          {"end_inclusive", request.end_inclusive},
                          {"object_id", request.object_id},
                          {"object_timerange", object_timerange}};
    const auto add = [&](const char* name, const auto& value) {
      if (value) cells.emplace_back(name, *value);
    };
    add("ts_offset", request.ts_offset);
    add("last_duration", request.last_duration);
    add("sample_offset", request.sample_offset);
    add("sample_count", request.sample_count);
    add("key_frame_count", object.key_frame_count);
    add("init_object_id", init_id);
    if (request.tags != nullptr) cells.emplace_back("tags", json::to_text(*request.tags));
    batch_.insert(segments, {timeline_, request.start}, std::move(cells));
    batch_.insert(uses, {request.object_id, timeline_, request.start}, {});
    if (init_id) batch_.insert(uses, {*init_id, timeline_, request.start}, {});
    added_documents_.add({.object_id = request.object_id,
                          .timerange = request.timerange,
                          .ts_offset = request.ts_offset,
                          .last_duration = request.last_duration,
                          .object_timerange = object_timerange,
                          .sample_offset = request.sample_offset,
                          .sample_count = request.sample_count,
                          .key_frame_count = object.key_frame_count,
                          .init_object_id = init_id});
    added_.emplace(request.start, Existing{request.timerange, std::nullopt});
  }

  const Context& context_;
  store::Snapshot& snapshot_;
  const FlowId id_;
  const TimelineId timeline_;
  const Record& flow_;
  store::Batch batch_;
  //! The segments that any request may clash with, when they were read beforehand.
  std::optional<std::map<Timestamp, Existing>> existing_;
  std::map<std::string, ObjectState> objects_;
  std::map<std::string, bool> pinned_;
  std::map<Timestamp, Existing> added_;  //!< by this request; without records
  AddedSegments added_documents_;        //!< the same
};

Failure locate(Error error, const std::string& prefix) {
  std::string pointer = prefix + error.pointer();
  return Failure(std::move(error).at(std::move(pointer)));
}

FailedSegment failed(const json::Value& body, Error error, Instant at) {
  const auto text = [&](std::string_view name) {
    const json::Value* member = body.find(name);
    return member != nullptr && member->as_string() != nullptr ? *member->as_string()
                                                               : std::string();
  };
  return {text("object_id"), text("timerange"), std::move(error), at};
}

//! For remember_outcome().
json::Value outcome_of(const std::vector<FailedSegment>& failures) {
  json::Array items;
  for (const FailedSegment& failure : failures) {
    json::Value item;
    item.set("object_id", failure.object_id);
    item.set("timerange", failure.timerange);
    item.set("pointer", failure.error.pointer());
    item.set("message", failure.error.message());
    item.set("at", failure.at.to_string());
    items.push_back(std::move(item));
  }
  json::Value outcome;
  outcome.set("failed", std::move(items));
  return outcome;
}

std::vector<FailedSegment> failures_in(const json::Value& outcome) {
  std::vector<FailedSegment> failures;
  for (const json::Value& item : *outcome.find("failed")->as_array()) {
    const auto text = [&](std::string_view name) { return *item.find(name)->as_string(); };
    failures.push_back({text("object_id"), text("timerange"),
                        Error(Code::invalid, text("message")).at(text("pointer")),
                        *Instant::parse(text("at"))});
  }
  return failures;
}

//! The flow, if segments may be added to it, which the batch requires: the cells that registration
//! needs.
Result<Record> writable_flow(store::Snapshot& snapshot, FlowId id, store::Batch& batch) {
  static const std::vector<std::string> kColumns = {"id",        "timeline_id", "source_id",
                                                    "read_only", "container",   "init_segments"};
  REEL_ASSIGN(Record flow, find_flow(snapshot, id, kColumns));
  REEL_TRY(require_writable(batch, flow));
  if (flow["container"].is_null()) {
    return invalid("flow {} has no container, so it cannot have segments", id.to_string());
  }
  return flow;
}

//! What an attempt leaves to commit; no batch: nothing changes.
struct Prepared {
  std::optional<store::Batch> batch;
  std::vector<FailedSegment> failures;
};

//! The new segments, and that the request was done.
Result<Prepared> complete(const Context& context, const Caller& caller, Registration& registration,
                          std::vector<FailedSegment> failures) {
  Prepared prepared{.batch = {}, .failures = std::move(failures)};
  if (registration.has_changes()) {
    REEL_ASSIGN(prepared.batch, registration.take(caller.principal));
  }
  if (!caller.once) return prepared;
  if (!prepared.batch) prepared.batch.emplace();
  remember_outcome(context, caller, outcome_of(prepared.failures), *prepared.batch);
  return prepared;
}

//! What could be added of a whole request is committed together.
Result<Prepared> prepare_many(const Context& context, const Caller& caller, FlowId id,
                              const json::Array& items) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto earlier, earlier_outcome(*snapshot, caller));
  if (earlier) return Prepared{.batch = {}, .failures = failures_in(*earlier)};
  store::Batch batch;
  REEL_ASSIGN(const Record flow, writable_flow(*snapshot, id, batch));
  std::vector<Result<Request>> requests;
  requests.reserve(items.size());
  for (const json::Value& item : items) requests.push_back(read_request(item));
  Registration registration(context, *snapshot, flow, std::move(batch));
  REEL_TRY(registration.preload(requests));
  std::vector<FailedSegment> failures;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Status status = requests[i] ? registration.add(*requests[i], true)
                                : Status(Failure(std::move(requests[i]).error()));
    if (status) continue;
    if (status.error().code() != Code::invalid) return Failure(std::move(status).error());
    auto located = locate(std::move(status).error(), fmt::format("/{}", i));
    failures.push_back(failed(items[i], std::move(located.value()), context.clock.now()));
  }
  return complete(context, caller, registration, std::move(failures));
}

//! `look`: see Registration::add().
Result<Prepared> prepare_one(const Context& context, const Caller& caller, FlowId id,
                             const json::Value& item, bool look) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto earlier, earlier_outcome(*snapshot, caller));
  if (earlier) return Prepared{};
  store::Batch batch;
  REEL_ASSIGN(const Record flow, writable_flow(*snapshot, id, batch));
  REEL_ASSIGN(const Request request, read_request(item));
  Registration registration(context, *snapshot, flow, std::move(batch));
  REEL_TRY(registration.add(request, look));
  return complete(context, caller, registration, {});
}

//! Prepares and commits, without the snapshot: the commit waits for the disk, and meanwhile other
//! requests can use what the snapshot holds.
template <class Prepare>
Result<std::vector<FailedSegment>> commit_prepared(const Context& context, const Prepare& prepare) {
  return retry_on_conflict([&]() -> Result<std::vector<FailedSegment>> {
    REEL_ASSIGN(Prepared prepared, prepare());
    if (prepared.batch) REEL_TRY(context.store.commit(*std::move(prepared.batch)));
    return std::move(prepared.failures);
  });
}

}  // namespace

Result<std::vector<FailedSegment>> register_segments(const Context& context, const Caller& caller,
                                                     FlowId flow, const json::Value& body) {
  const json::Array* items = body.as_array();
  if (items == nullptr) {
    // A new segment in free time needs no look at the flow's others, the commit itself looks. Any
    // trouble is worth it: the segment may be a repeat, or the error can be clearer.
    bool look = false;
    return commit_prepared(context, [&]() -> Result<Prepared> {
      if (!std::exchange(look, true)) {
        auto prepared = prepare_one(context, caller, flow, body, false);
        if (prepared || prepared.error().code() != Code::invalid) return prepared;
      }
      return prepare_one(context, caller, flow, body, true);
    });
  }
  if (items->size() > context.limits.bulk_segments_max) {
    return too_large("{} segments at once, the limit is {}", items->size(),
                     context.limits.bulk_segments_max);
  }
  return commit_prepared(context, [&] { return prepare_many(context, caller, flow, *items); });
}

}  // namespace reel::tams

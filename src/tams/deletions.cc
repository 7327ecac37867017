#include "tams/deletions.h"

#include <array>

#include "tams/access.h"
#include "tams/flows.h"
#include "tams/flows_internal.h"
#include "tams/garbage.h"
#include "tams/segments_internal.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using time::TimeRange;
using time::Timestamp;

//! Segments in a transaction of the worker: bounds how long other writers wait for it.
constexpr std::size_t kChunkSegments = 10;
//! How long a request can be looked at when it has ended.
constexpr std::int64_t kKeepSeconds = 86'400;

const std::string kRequests(table::kDeletionRequests);

using Kind = DocumentField::Kind;
constexpr std::array<DocumentField, 9> kFields = {{
    {"id", "id", Kind::uuid},
    {"flow_id", "flow_id", Kind::uuid},
    {"timerange_to_delete", "timerange_to_delete"},
    {"timerange_remaining", "timerange_remaining"},
    {"created", "created", Kind::moment},
    {"created_by", "created_by"},
    {"updated", "updated", Kind::moment},
    {"expiry", "expiry", Kind::moment},
    {"status", "status"},
}};

void write_request(json::Writer& out, const Record& request) {
  out.begin_object();
  write_fields(out, kFields, request);
  out.field("delete_flow", request.flag("delete_flow"));
  if (!request["error"].is_null()) out.raw_field("error", request.text("error"));
  out.end_object();
}

//! A request as its worker sees it.
struct Deletion {
  explicit Deletion(const Record& request)
      : place(place_in(FlowId{request.uuid("flow_id")}, request)),
        timeline{request.uuid("timeline_id")},
        timerange(*TimeRange::parse(request.text("timerange_to_delete"))),
        remaining(*TimeRange::parse(request.text("timerange_remaining"))),
        actor(request.text("created_by")),
        left(request.flag("left_timeline")),
        delete_flow(request.flag("delete_flow")) {
    if (!request["object_id"].is_null()) object_id = std::string(request.text("object_id"));
  }
  Deletion(FlowPlace flow, TimelineId on, const TimeRange& range, std::string_view by)
      : place(std::move(flow)), timeline(on), timerange(range), remaining(range), actor(by) {}

  FlowPlace place;
  TimelineId timeline;
  TimeRange timerange;
  TimeRange remaining;  //!< where to look for the next segments
  std::optional<std::string> object_id;
  std::string actor;
  bool left = false;  //!< by its flow, else that must be there and writable
  bool delete_flow = false;
};

//! The first segments to delete, at most `limit`.
Result<std::vector<Segment>> next_segments(store::Snapshot& snapshot, const Deletion& deletion,
                                           std::size_t limit) {
  std::vector<Segment> doomed;
  REEL_TRY(scan_covered(snapshot,
                        {.timeline = deletion.timeline,
                         .covering = deletion.timerange,
                         .within = deletion.remaining,
                         .object_id = deletion.object_id},
                        [&](const store::RowView& row) {
                          doomed.push_back(segment_of(row));
                          return doomed.size() < limit;
                        }));
  return doomed;
}

//! Adds what erases the segments.
void erase_segments(const Context& context, store::Batch& batch, const Deletion& deletion,
                    const std::vector<Segment>& doomed) {
  const std::string segments(table::kSegments);
  const std::string uses(table::kObjectUses);
  const TimelineId timeline = deletion.timeline;
  for (const Segment& segment : doomed) {
    batch.require_cells(
        segments, {timeline, segment.start},
        {{"object_id", segment.object_id}, {"end_time", store::Decimal{segment.end_nanoseconds}}});
    batch.erase(segments, {timeline, segment.start});
    batch.erase(uses, {segment.object_id, timeline, segment.start});
    check_later(context, batch, segment.object_id);
    if (segment.init_object_id.empty()) continue;
    batch.erase(uses, {segment.init_object_id, timeline, segment.start});
    check_later(context, batch, segment.init_object_id);
  }
  if (deletion.left && !deletion.delete_flow) return;  // told when they left
  note_deleted(ChangeNotes(context, deletion.actor, batch), deletion.place, doomed);
  if (deletion.left || doomed.empty()) return;
  batch.upsert(std::string(table::kFlowActivity), {deletion.place.flow},
               {{"segments_updated", context.clock.now()}});
}

//! Adds a request for what the deletion says. `tags`: the flow's, which say who may see it.
DeletionId add_request(Write& write, const Deletion& deletion, std::string_view tags) {
  const DeletionId id = DeletionId::random(write.context.random);
  const Instant now = write.context.clock.now();
  store::Cells cells = cells_of(deletion.place);
  const auto add = [&](const char* name, store::Value value) {
    cells.emplace_back(name, std::move(value));
  };
  add("flow_id", deletion.place.flow);
  add("timeline_id", deletion.timeline);
  add("timerange_to_delete", deletion.timerange.to_string());
  add("timerange_remaining", deletion.remaining.to_string());
  add("delete_flow", deletion.delete_flow);
  add("left_timeline", deletion.left);
  add("tags", std::string(tags));
  add("status", "created");
  add("created", now);
  add("created_by", deletion.actor);
  add("updated", now);
  add("expiry", Instant{now.micros + kKeepSeconds * 1'000'000});
  if (deletion.object_id) add("object_id", *deletion.object_id);
  write.batch.insert(kRequests, {id}, std::move(cells));
  return id;
}

Result<std::optional<DeletionRequest>> find_request(const Context& context, DeletionId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto record, load(*snapshot, kRequests, {id}));
  if (!record) return std::nullopt;
  DeletionRequest request{.id = id, .document = {}};
  json::Writer out(request.document);
  write_request(out, *record);
  return request;
}

//! One that was made just now.
Result<DeletionRequest> made_request(const Context& context, DeletionId id) {
  REEL_ASSIGN(auto request, find_request(context, id));
  if (!request) return not_found("deletion request {} does not exist", id.to_string());
  context.deletions->notify();
  return *std::move(request);
}

//! The segments of a range of a flow, which the batch requires to be writable. Code::forbidden.
Result<Deletion> deletion_in(Write& write, const Record& flow, const TimeRange& timerange) {
  REEL_TRY(require_writable(write.batch, flow));
  REEL_ASSIGN(FlowPlace place,
              place_of(write.snapshot, FlowId{flow.uuid("id")}, SourceId{flow.uuid("source_id")}));
  return Deletion(std::move(place), timeline_of(flow), timerange, write.caller.principal);
}

LeftTimeline left_by(const Record& flow, const FlowPlace& place) {
  return {.place = place, .timeline = timeline_of(flow), .tags = std::string(flow.text("tags"))};
}

//! What one step of a request leads to.
struct Step {
  bool finished = false;
  std::vector<Segment> doomed;
  std::string error;  //!< why it cannot go on; empty: it can
};

//! Looks at the flow of a request that is about a range of it. Without the flow, or with another of
//! the same id, nothing is left to do: whoever deleted the flow deletes its segments.
Status check_flow(store::Snapshot& snapshot, store::Batch& batch, const Deletion& deletion,
                  Step& step) {
  REEL_ASSIGN(const auto flow, load(snapshot, table::kFlows, {deletion.place.flow}));
  if (!flow || timeline_of(*flow) != deletion.timeline) {
    step.finished = true;
    return {};
  }
  if (Status writable = require_writable(batch, *flow); !writable) {
    step.error = writable.error().message();
    step.finished = true;
  }
  return {};
}

//! What a request looks like after a step.
store::Cells cells_after(const Context& context, const Deletion& deletion, const Step& step) {
  const Instant now = context.clock.now();
  store::Cells cells = {{"updated", now},
                        {"expiry", Instant{now.micros + kKeepSeconds * 1'000'000}}};
  if (!step.error.empty()) {
    cells.emplace_back("error", error_text(code_name(Code::forbidden), step.error, now));
    cells.emplace_back("status", "error");
    cells.emplace_back("finished", true);
    return cells;
  }
  cells.emplace_back("status", step.finished ? "done" : "started");
  cells.emplace_back("finished", step.finished);
  TimeRange remaining = TimeRange::never();
  if (!step.finished) {
    const auto from = Timestamp::from_nanoseconds(step.doomed.back().end_nanoseconds);
    remaining = TimeRange::make(TimeRange::Bound{from, true}, deletion.timerange.end());
  }
  cells.emplace_back("timerange_remaining", remaining.to_string());
  return cells;
}

//! Deletes the next segments of a request; true when none are left, or it failed for good.
Result<bool> step_deletion(const Context& context, DeletionId id) {
  return retry_on_conflict([&]() -> Result<bool> {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const auto request, load(*snapshot, kRequests, {id}));
    if (!request || request->flag("finished")) return true;
    const Deletion deletion(*request);
    store::Batch batch;
    Step step;
    if (!deletion.left) REEL_TRY(check_flow(*snapshot, batch, deletion, step));
    if (!step.finished) {
      REEL_ASSIGN(step.doomed, next_segments(*snapshot, deletion, kChunkSegments));
      step.finished = step.doomed.empty();  // and what they alone used is gone as well
      erase_segments(context, batch, deletion, step.doomed);
    }
    batch.require_cells(
        kRequests, {id},
        {{"timerange_remaining", (*request)["timerange_remaining"]}, {"finished", false}});
    batch.update(kRequests, {id}, cells_after(context, deletion, step));
    batch.durability = store::Durability::with_the_next;  // it goes on from where it was
    REEL_TRY(commit_removal(context, std::move(batch)));
    return step.finished;
  });
}

//! The first request of an index that the predicate lets through.
Result<std::optional<DeletionId>> first_request(const Context& context, store::ScanSpec spec) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  spec.table = table::kDeletionRequests;
  spec.limit = 1;
  REEL_ASSIGN(const auto schema, snapshot->catalog().table(spec.table));
  std::optional<DeletionId> found;
  REEL_TRY(snapshot->scan(spec, [&](const store::RowView& row) {
    found = DeletionId{row[schema->position("id")].get<Uuid>()};
    return false;
  }));
  return found;
}

Result<std::optional<DeletionId>> oldest_unfinished(const Context& context) {
  return first_request(context, {.index = "by_created",
                                 .where = {{.column = "finished", .value = store::Value(false)}}});
}

Status forget_expired(const Context& context, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const store::Value now(context.clock.now());
    REEL_ASSIGN(
        const auto id,
        first_request(context, {.index = "by_expiry",
                                .upper = store::RangeBound{.prefix = {now}},
                                .where = {{.column = "finished", .value = store::Value(true)}}}));
    if (!id) return {};
    store::Batch batch;
    batch.erase(kRequests, {*id});
    REEL_TRY(context.store.commit(std::move(batch)));
  }
  return {};
}

}  // namespace

Result<std::optional<DeletionRequest>> delete_segments(
    const Context& context, const Caller& caller, FlowId flow, const TimeRange& timerange,
    const std::optional<std::string>& object_id) {
  std::optional<DeletionId> id;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record record, find_flow(*snapshot, flow));
    Write write{context, caller, *snapshot};
    REEL_ASSIGN(Deletion deletion, deletion_in(write, record, timerange));
    deletion.object_id = object_id;
    const std::size_t at_once = context.limits.delete_segments_max;
    REEL_ASSIGN(const auto doomed, next_segments(*snapshot, deletion, at_once + 1));
    if (doomed.empty()) return {};
    if (doomed.size() > at_once) {
      id = add_request(write, deletion, record.text("tags"));
    } else {
      erase_segments(context, write.batch, deletion, doomed);
    }
    return commit_removal(context, std::move(write.batch));
  }));
  if (id) return made_request(context, *id);
  REEL_TRY(collect_unused(context));
  return std::nullopt;
}

Result<std::optional<DeletionRequest>> delete_flow(const Context& context, const Caller& caller,
                                                   FlowId id) {
  DeletionId deletion;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record flow, find_flow(*snapshot, id));
    Write write{context, caller, *snapshot};
    REEL_ASSIGN(const FlowPlace place, remove_flow(write, flow));
    deletion = add_deletion(write, left_by(flow, place));
    return context.store.commit(std::move(write.batch));
  }));
  return settle_deletion(context, deletion);
}

Result<DeletionRequest> request_deletion(const Context& context, const Caller& caller,
                                         const json::Value& body) {
  const FlowId flow = *FlowId::parse(*body.find("flow_id")->as_string());
  TimeRange timerange = TimeRange::eternity();
  if (const json::Value* asked = body.find("timerange_to_delete")) {
    timerange = *TimeRange::parse(*asked->as_string());
  }
  const json::Value* with_flow = body.find("delete_flow");
  const bool delete_flow = with_flow == nullptr ? timerange.is_eternity() : *with_flow->as_bool();
  if (delete_flow && !timerange.is_eternity()) {
    return at("/timerange_to_delete", invalid("a flow is deleted with all its segments"));
  }
  DeletionId id;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record record, find_flow(*snapshot, flow));
    const Access access = access_to(caller, record.text("tags"));
    if (access == Access::none) return not_found("flow {} does not exist", flow.to_string());
    if (access == Access::read) return forbidden("you may read flow {} only", flow.to_string());
    Write write{context, caller, *snapshot};
    if (delete_flow) {
      REEL_ASSIGN(const FlowPlace place, remove_flow(write, record));
      id = add_deletion(write, left_by(record, place));
    } else {
      REEL_ASSIGN(const Deletion deletion, deletion_in(write, record, timerange));
      id = add_request(write, deletion, record.text("tags"));
    }
    return context.store.commit(std::move(write.batch));
  }));
  return made_request(context, id);
}

DeletionId add_deletion(Write& write, const LeftTimeline& left) {
  Deletion deletion(left.place, left.timeline, left.timerange, write.caller.principal);
  deletion.left = true;
  deletion.delete_flow = left.delete_flow;
  return add_request(write, deletion, left.tags);
}

Result<std::optional<DeletionRequest>> settle_deletion(const Context& context, DeletionId id) {
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const auto request, load(*snapshot, kRequests, {id}));
    if (!request) return {};
    const Deletion deletion(*request);
    const std::size_t at_once = context.limits.delete_segments_max;
    REEL_ASSIGN(const auto doomed, next_segments(*snapshot, deletion, at_once + 1));
    if (doomed.size() > at_once) return {};
    store::Batch batch;
    erase_segments(context, batch, deletion, doomed);
    batch.erase(kRequests, {id});
    return commit_removal(context, std::move(batch));
  }));
  REEL_ASSIGN(auto request, find_request(context, id));
  if (!request) {
    REEL_TRY(collect_unused(context));
    return std::nullopt;
  }
  context.deletions->notify();
  return request;
}

Result<std::size_t> deletions_waiting(store::RowStore& store) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  std::size_t count = 0;
  REEL_TRY(snapshot->scan({.table = kRequests,
                           .index = "by_created",
                           .columns = {"id"},
                           .where = {{.column = "finished", .value = store::Value(false)}}},
                          [&](const store::RowView&) { return ++count > 0; }));
  return count;
}

Result<std::string> get_deletion_request(const Context& context, const Caller& caller,
                                         DeletionId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto request, load(*snapshot, kRequests, {id}));
  if (!request || access_to(caller, request->text("tags")) == Access::none) {
    return not_found("deletion request {} does not exist", id.to_string());
  }
  std::string text;
  json::Writer out(text);
  write_request(out, *request);
  return text;
}

Result<Page> list_deletion_requests(const Context& context, const Caller& caller,
                                    DeletionOrder order, const PageRequest& page) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  const ListingOrder by = order == DeletionOrder::created
                              ? ListingOrder{kRequests, "by_created", "created", true}
                              : ListingOrder{kRequests, "by_expiry", "expiry", true};
  const auto accept = [&](const Record& request) -> Result<bool> {
    return access_to(caller, request.text("tags")) != Access::none;
  };
  const auto write = [](json::Writer& out, const Record& request) -> Status {
    write_request(out, request);
    return {};
  };
  return list_rows(*snapshot, by, page, accept, write);
}

Status carry_out_deletions(const Context& context, const std::stop_token& stop) {
  Pace pace(*context.demand);
  while (!stop.stop_requested()) {
    REEL_ASSIGN(const auto id, oldest_unfinished(context));
    if (!id) break;
    REEL_TRY(step_deletion(context, *id));
    REEL_TRY(collect_unused(context));
    pace.rest();
  }
  return forget_expired(context, stop);
}

}  // namespace reel::tams

#pragma once
//! Flows: create, replace, change, list, delete. Rules: TAMS 8.2 PUT /flows/{flowId} and
//! AppNotes; sources come and go with their flows.

#include <functional>
#include <optional>
#include <string>

#include "json/value.h"
#include "tams/context.h"
#include "tams/listing.h"
#include "tams/record.h"
#include "time/time_range.h"

namespace reel::tams {

//! Code::not_found when there is no such flow. `columns` as in load().
Result<Record> find_flow(store::Snapshot& snapshot, FlowId id,
                         const std::vector<std::string>& columns = {});

//! Adds that the flow is at the commit still the one that was read, and may be changed.
//! Code::forbidden when it is read-only already. REQUIRES: `id`, `timeline_id` and `read_only`.
Status require_writable(store::Batch& batch, const Record& flow);

//! Where the flow's segments are. Each creation of a flow begins a timeline, so that what a deleted
//! flow of the same id left behind is neither seen nor in the way.
//! REQUIRES: the record has `id` and `timeline_id`.
TimelineId timeline_of(const Record& flow);
//! The same by id; nullopt when there is no such flow.
Result<std::optional<TimelineId>> timeline_of(store::Snapshot& snapshot, FlowId id);
//! The flow whose segments are on a timeline; nullopt when it is gone. `columns` as in load().
Result<std::optional<Record>> flow_on(store::Snapshot& snapshot, TimelineId timeline,
                                      const std::vector<std::string>& columns = {});

struct PutFlow {
  bool created = false;
  std::string document;  //!< of a created flow, as GET shows it
};

//! Creates or replaces a flow from a body that passed shape::flow_put(). Server-managed members of
//! the body (timerange, created, metadata_updated, segments_updated, collected_by) are ignored.
//! Errors: not_found (body id differs), forbidden (read-only), invalid (source of another format,
//! unknown collection member, …).
Result<PutFlow> put_flow(const Context& context, const Caller& caller, FlowId id,
                         const json::Value& body);

//! The same for a flow that must be new; Code::conflict when it exists.
Result<PutFlow> create_flow(const Context& context, const Caller& caller, FlowId id,
                            const json::Value& body);

struct FlowView {
  bool include_timerange = false;
  time::TimeRange within = time::TimeRange::eternity();
};
Result<std::string> get_flow(store::Snapshot& snapshot, FlowId id, const FlowView& view);
//! The flow as JSON. With include_timerange, the extent of the segments that overlap `within`.
Result<std::string> get_flow(const Context& context, FlowId id, const FlowView& view);

//! One member of a flow (label, description, flow_collection, max_bit_rate, avg_bit_rate,
//! read_only, tags). Code::not_found when the flow or the member is absent.
Result<json::Value> get_flow_member(const Context& context, FlowId id, std::string_view member);
//! Sets a member, or removes it with nullopt. Allowed on a read-only flow only for read_only.
//! REQUIRES: the value passed the member's shape.
Status set_flow_member(const Context& context, const Caller& caller, FlowId id,
                       std::string_view member, std::optional<json::Value> value);
//! Sets or removes one tag.
Status set_flow_tag(const Context& context, const Caller& caller, FlowId id, std::string_view name,
                    std::optional<json::Value> value);

struct FlowFilter {
  std::optional<SourceId> source_id;
  std::optional<time::TimeRange> timerange;  //!< never() = flows without content
  std::optional<std::string> format;
  std::optional<std::string> codec;
  std::optional<ProfileId> profile_id;
  std::optional<std::string> label;
  std::optional<std::string> status;
  std::optional<std::int64_t> frame_width;
  std::optional<std::int64_t> frame_height;
  std::optional<bool> init_segments;
  TagFilter tags;
  //! Set: flows collected by any of these; set and empty: flows that nothing collects.
  std::optional<std::vector<FlowId>> collected_by;
};

enum class FlowOrder : std::uint8_t { created, metadata_updated, label };

//! A page of flows as a JSON array.
Result<Page> list_flows(const Context& context, const FlowFilter& filter, FlowOrder order,
                        const PageRequest& page);

//! The extent of a flow's segments that overlap `within`; never() when there are none.
Result<time::TimeRange> flow_extent(store::Snapshot& snapshot, TimelineId timeline,
                                    const time::TimeRange& within);

//! The members of a flow's collection, in order.
Result<std::vector<FlowId>> collection_members(const Record& flow);

}  // namespace reel::tams

#pragma once
//! Segments: what a flow shows at which time. Rules: TAMS 8.2 /flows/{flowId}/segments.

#include <optional>
#include <string>
#include <vector>

#include "json/value.h"
#include "tams/context.h"
#include "tams/get_urls.h"
#include "tams/listing.h"
#include "time/time_range.h"

namespace reel::tams {

//! A segment of a bulk request that was not registered, and why.
struct FailedSegment {
  std::string object_id;
  std::string timerange;
  Error error;
  Instant at;
};

//! Registers one segment (an object) or many (an array). The body passed shape::segments_post(). A
//! repeat of a registered segment, equal in every property, is accepted and changes nothing.
//! One segment that cannot be registered is an error; of many, the rest is registered and the
//! failed ones are returned. A request with a key (Caller::once) that was not refused is done once.
//! Errors for the whole: not_found (no such flow), forbidden
//! (read-only), invalid (flow without container, too many).
Result<std::vector<FailedSegment>> register_segments(const Context& context, const Caller& caller,
                                                     FlowId flow, const json::Value& body);

struct SegmentQuery {
  time::TimeRange timerange = time::TimeRange::eternity();
  std::optional<std::string> object_id;
  TagFilter tags;
  UrlSelection urls;
  bool include_object_timerange = false;
  PageRequest page;
};

//! Segments that overlap the range, in time order; an unknown flow has none. When many segments
//! lack the tags that are asked for, a page ends early.
Result<Page> list_segments(const Context& context, const Caller& caller, FlowId flow,
                           const SegmentQuery& query);

//! A segment by its place: no two of a flow start at the same time.
struct SegmentName {
  FlowId flow;
  time::Timestamp start;
};
//! {} without any. Code::not_found when there is no such segment.
Result<json::Value> get_segment_tags(const Context& context, const SegmentName& segment);
//! Replaces all tags, or removes them with nullopt. Code::not_found, forbidden (read-only).
Status set_segment_tags(const Context& context, const Caller& caller, const SegmentName& segment,
                        std::optional<json::Value> tags);
//! Sets or removes one tag.
Status set_segment_tag(const Context& context, const Caller& caller, const SegmentName& segment,
                       std::string_view tag, std::optional<json::Value> value);

//! Whether a segment overlaps the range.
Result<bool> has_segment_within(store::Snapshot& snapshot, TimelineId timeline,
                                const time::TimeRange& range);

//! One segment as kept: [start, end) in nanoseconds, `end_inclusive` when it was written "[a_b]".
struct Segment {
  time::Timestamp start;
  time::Int128 end_nanoseconds = 0;
  bool end_inclusive = false;
  std::string object_id;
  time::Timestamp ts_offset;
  std::string object_timerange;
  std::string init_object_id;  //!< empty = none
  std::string tags;            //!< JSON object; empty = none

  time::TimeRange timerange() const;
};

//! Which segments of a timeline to visit, and how.
struct SegmentScan {
  time::TimeRange range = time::TimeRange::eternity();  //!< those that overlap it
  bool reverse = false;
  std::optional<time::Timestamp> after = {};  //!< begin behind the segment that starts here
  std::vector<std::string> columns = {};      //!< projection; empty = all
};
//! In time order; return false to stop.
Status scan_segments(store::Snapshot& snapshot, TimelineId timeline, const SegmentScan& scan,
                     const store::RowVisitor& visit);

//! The segment in a row of the segments table.
Segment segment_of(const store::RowView& row);

}  // namespace reel::tams

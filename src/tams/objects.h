#pragma once
//! Objects: allocated for a flow, registered and used by segments.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "json/value.h"
#include "tams/context.h"
#include "tams/get_urls.h"
#include "tams/listing.h"
#include "time/timestamp.h"

namespace reel::tams {

//! POST /flows/{id}/storage: new objects and where to upload them, as JSON. The body passed
//! shape::storage_request(). A request with a key (Caller::once) is done once; URLs are signed
//! anew.
Result<std::string> allocate_storage(const Context& context, const Caller& caller, FlowId flow,
                                     const json::Value& body);

//! A flow that uses an object.
struct ObjectUser {
  TimelineId timeline;
  FlowId flow;
};
//! The distinct flows that use an object, by timeline from `after` on, at most `limit` that match.
//! Segments of deleted flows, which are there until they are removed, do not count.
Result<std::vector<ObjectUser>> flows_using(store::Snapshot& snapshot, const std::string& id,
                                            const TagFilter& tags, std::optional<TimelineId> after,
                                            std::size_t limit);
//! The distinct timelines that use an object, those of deleted flows too.
Result<std::vector<TimelineId>> timelines_using(store::Snapshot& snapshot, const std::string& id);
//! One new object and where to upload it, as JSON. The body passed shape::object_post(); without a
//! flow_id, any flow may be the first to use the object. Done once like allocate_storage().
struct CreatedObject {
  std::string id;
  std::string document;
};
Result<CreatedObject> create_object(const Context& context, const Caller& caller,
                                    const json::Value& body);

struct ObjectQuery {
  UrlSelection urls;
  TagFilter flow_tags;  //!< which referencing flows to show
  PageRequest page;
};
struct ObjectView {
  std::string document;
  Page page;  //!< of referenced_by_flows; `items` is unused
};
//! Code::not_found until a segment registered the object.
Result<ObjectView> get_object(const Context& context, const Caller& caller, const std::string& id,
                              const ObjectQuery& query);

//! The backend of an object for media that a segment of the flow will use next. It is allocated,
//! unless that was done already and nothing has used it yet; otherwise Code::invalid.
Result<StorageId> allocate_for_segment(const Context& context, FlowId flow,
                                       const std::string& object_id);

//! Which uses of an object to visit.
struct UseScan {
  std::string object_id;
  TimelineId timeline;
  bool reverse = false;
  std::optional<time::Timestamp> after = {};  //!< begin behind the segment that starts here
};
//! The starts of the segments on a timeline that use the object, as media or init segment, in
//! order; return false to stop.
Status scan_uses(store::Snapshot& snapshot, const UseScan& scan,
                 const std::function<bool(time::Timestamp)>& visit);

//! Whether a segment uses the object, be it one that waits for its removal.
Result<bool> is_used(store::Snapshot& snapshot, const std::string& object_id);

}  // namespace reel::tams

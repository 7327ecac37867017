#pragma once
//! Objects: allocated for a flow, registered and used by segments.

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

//! The distinct flows that use an object, from `after` on, at most `limit` that match.
Result<std::vector<FlowId>> flows_using(store::Snapshot& snapshot, const std::string& id,
                                        const TagFilter& tags, std::optional<FlowId> after,
                                        std::size_t limit);
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

//! Starts of the segments of a flow that use the object, as media or init segment, in order.
Result<std::vector<time::Timestamp>> uses_in_flow(store::Snapshot& snapshot,
                                                  const std::string& object_id, FlowId flow,
                                                  bool reverse,
                                                  std::optional<time::Timestamp> after);

//! Whether a segment uses the object.
Result<bool> is_used(store::Snapshot& snapshot, const std::string& object_id);

}  // namespace reel::tams

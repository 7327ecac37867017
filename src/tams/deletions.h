#pragma once
//! Deletion of segments: at once when they are few, else by a request that is carried out later
//! (TAMS 8.2, /flow-delete-requests).

#include <optional>
#include <stop_token>
#include <string>

#include "json/value.h"
#include "tams/changes.h"
#include "tams/context.h"
#include "tams/edit.h"
#include "tams/listing.h"
#include "time/time_range.h"

namespace reel::tams {

//! A deletion that clients can follow.
struct DeletionRequest {
  DeletionId id;
  std::string document;
};

//! Deletes the segments that `timerange` covers completely (and that use `object_id`), then the
//! objects that nothing uses any more. Few go at once (nullopt), for many there is a request.
//! Code::not_found, forbidden as for flows.
Result<std::optional<DeletionRequest>> delete_segments(const Context& context, const Caller& caller,
                                                       FlowId flow,
                                                       const time::TimeRange& timerange,
                                                       const std::optional<std::string>& object_id);

//! Deletes a flow at once, and takes it out of collections; its segments as above. They are out of
//! reach from then on: a flow that is created with the same id has a timeline of its own.
Result<std::optional<DeletionRequest>> delete_flow(const Context& context, const Caller& caller,
                                                   FlowId id);

//! POST /flow-delete-requests: one of the above, always by a request. The body passed
//! shape::deletion_post().
Result<DeletionRequest> request_deletion(const Context& context, const Caller& caller,
                                         const json::Value& body);

//! A timeline that no flow has any more: that of a deleted flow, or of segments from the trash.
struct LeftTimeline {
  FlowPlace place;  //!< of the flow that had it
  TimelineId timeline;
  time::TimeRange timerange = time::TimeRange::eternity();  //!< of its segments
  std::string tags;         //!< the flow's, which say who may see the request
  bool delete_flow = true;  //!< it was all of a flow; else the deletion was told already
};
//! Adds a request for everything on it.
DeletionId add_deletion(Write& write, const LeftTimeline& left);
//! Carries it out at once if little is to delete (nullopt), else leaves it to
//! carry_out_deletions().
Result<std::optional<DeletionRequest>> settle_deletion(const Context& context, DeletionId id);

//! One request as JSON. Code::not_found.
Result<std::string> get_deletion_request(const Context& context, const Caller& caller,
                                         DeletionId id);

enum class DeletionOrder : std::uint8_t { created, expiry };

//! A page of requests as a JSON array.
Result<Page> list_deletion_requests(const Context& context, const Caller& caller,
                                    DeletionOrder order, const PageRequest& page);

//! Requests that are not carried out yet.
Result<std::size_t> deletions_waiting(store::RowStore& store);

//! Carries out what was requested, also before a restart, the oldest first and little by little, so
//! that others hardly notice. Then forgets requests whose time is over.
Status carry_out_deletions(const Context& context, const std::stop_token& stop);

}  // namespace reel::tams

#pragma once
//! The trash: flows, segments and sources that were deleted softly. They can be brought back as
//! they were, until their time is over.

#include <optional>
#include <stop_token>
#include <string>

#include "tams/context.h"
#include "tams/deletions.h"
#include "tams/listing.h"

namespace reel::tams {

//! Deletes a flow, but keeps it with its segments. Errors as for delete_flow().
Result<TrashId> trash_flow(const Context& context, const Caller& caller, FlowId id);
//! The same for a source, which must have no flows.
Result<TrashId> trash_source(const Context& context, const Caller& caller, SourceId id);
//! The same for the segments that `timerange` covers (and that use `object_id`); nullopt when there
//! are none, Code::invalid when there are more than fit into one commit (limits.bulk_segments_max).
Result<std::optional<TrashId>> trash_segments(const Context& context, const Caller& caller,
                                              FlowId flow, const time::TimeRange& timerange,
                                              const std::optional<std::string>& object_id);

//! One item as JSON. Code::not_found.
Result<std::string> get_trash(const Context& context, const Caller& caller, TrashId id);
//! A page of items as a JSON array, the latest first.
Result<Page> list_trash(const Context& context, const Caller& caller, const PageRequest& page);

//! Brings an item back, a flow with its segments and into the collections that are still there; the
//! flow or source as GET shows it, of segments the flow they are in. Code::conflict when its place
//! is taken by now, or segments have no flow to return to.
Result<std::string> restore_trash(const Context& context, const Caller& caller, TrashId id);

//! Deletes an item for good; its segments as delete_flow() does.
Result<std::optional<DeletionRequest>> purge_trash(const Context& context, const Caller& caller,
                                                   TrashId id);

//! Deletes what has been in the trash for its time.
Status purge_expired_trash(const Context& context, const std::stop_token& stop);

}  // namespace reel::tams

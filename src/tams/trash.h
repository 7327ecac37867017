#pragma once
//! The trash: flows and sources that were deleted softly. They can be brought back as they were,
//! until their time is over.

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

//! One item as JSON. Code::not_found.
Result<std::string> get_trash(const Context& context, const Caller& caller, TrashId id);
//! A page of items as a JSON array, the latest first.
Result<Page> list_trash(const Context& context, const Caller& caller, const PageRequest& page);

//! Brings an item back, a flow with its segments and into the collections that are still there; the
//! flow or source as GET shows it. Code::conflict when there is one of the same id by now.
Result<std::string> restore_trash(const Context& context, const Caller& caller, TrashId id);

//! Deletes an item for good; its segments as delete_flow() does.
Result<std::optional<DeletionRequest>> purge_trash(const Context& context, const Caller& caller,
                                                   TrashId id);

//! Deletes what has been in the trash for its time.
Status purge_expired_trash(const Context& context, const std::stop_token& stop);

}  // namespace reel::tams

#pragma once
//! The tables of the media store. Names here are the only place that spells them.

#include <string_view>
#include <vector>

#include "store/schema.h"
#include "store/store.h"

namespace reel::tams {

namespace table {
inline constexpr std::string_view kService = "service";
inline constexpr std::string_view kSources = "sources";
inline constexpr std::string_view kFlows = "flows";
inline constexpr std::string_view kProfiles = "profiles";
//! Who collects whom: partition member, clustering collection.
inline constexpr std::string_view kCollectedBy = "flow_collected_by";
inline constexpr std::string_view kSegments = "segments";
inline constexpr std::string_view kObjects = "objects";
//! Copies of objects to other backends that are still to be made.
inline constexpr std::string_view kObjectCopies = "object_copies";
//! Objects that were allocated together, until it is time to see whether they were registered.
inline constexpr std::string_view kAllocations = "allocations";
//! Which segments use an object, as media or as init segment.
inline constexpr std::string_view kObjectUses = "object_uses";
//! When the segments of a flow last changed.
inline constexpr std::string_view kFlowActivity = "flow_activity";
//! Deletions of segments, those to carry out and those that ended lately.
inline constexpr std::string_view kDeletionRequests = "flow_delete_requests";
//! Objects that lost a use and may be unused now.
inline constexpr std::string_view kObjectsToCheck = "objects_to_check";
//! Bytes that no object has: those that one lost, still to be removed from their backend, and those
//! that an upload may leave behind.
inline constexpr std::string_view kMediaGarbage = "media_garbage";
//! What was deleted softly.
inline constexpr std::string_view kTrash = "trash";
inline constexpr std::string_view kWebhooks = "webhooks";
//! Requests that must not be done again, and their outcome.
inline constexpr std::string_view kIdempotencyKeys = "idempotency_keys";
}  // namespace table

std::vector<store::TableDefinition> product_tables();

//! Creates what is missing. Called once at start.
Status ensure_tables(store::Store& store);

}  // namespace reel::tams

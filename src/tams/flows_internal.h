#pragma once
//! Steps of a flow's life, for those who delete flows and bring them back.

#include "json/value.h"
#include "tams/changes.h"
#include "tams/edit.h"
#include "tams/record.h"

namespace reel::tams {

//! The flow as it is kept: members that the specification names, and the others.
json::Value flow_document(const Record& flow);

//! Adds what makes the flow go, out of collections and its source too; only its segments stay where
//! they are, on its timeline. Returns where it stood. Code::forbidden when it is read-only.
Result<FlowPlace> remove_flow(Write& write, const Record& flow);

//! Adds a new flow with its segments on the timeline. `source_like`: what its source gets its
//! label, description and tags from when it is new as well.
Status add_flow(Write& write, FlowId id, const json::Value& document, TimelineId timeline,
                const json::Value& source_like);

//! Adds what puts a flow that this write adds into a collection: `item` of its flow_collection, at
//! `place` or at the end.
Status put_into_collection(Write& write, const Record& collection, FlowId member,
                           const json::Value& item, std::size_t place);

}  // namespace reel::tams

#pragma once
//! Flows written flat: essence parameters beside the other members, rates as text.

#include "json/value.h"

namespace reel::tams {

//! The same flow as PUT takes it; what is nested already stays. Members that are essence parameters
//! of the flow's format move below essence_parameters; "25/1", "25" and 25 become fractions. A flow
//! with a codec and no container gets the codec as its container, so that it can have segments. The
//! result is to be checked against shape::flow_put(). REQUIRES: an object.
json::Value unflatten_flow(json::Value body);

}  // namespace reel::tams

#pragma once
//! Conditional reads: If-Match and If-None-Match (RFC 9110 13.1).

#include "api/message.h"

namespace reel::http {

//! Turns the 200 of a read into 412 when If-Match does not name its tag, or into 304, without body
//! and its description, when If-None-Match does.
void apply_conditions(const api::Headers& request, api::Response& answer);

}  // namespace reel::http

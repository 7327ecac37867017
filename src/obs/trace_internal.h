#pragma once
//! What the innermost TraceScope of this thread says; empty outside of one.

#include <string_view>

namespace reel::obs {

std::string_view current_request_id();
std::string_view current_trace_id();

}  // namespace reel::obs

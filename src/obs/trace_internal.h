#pragma once
//! What the innermost TraceScope or Span of this thread says; empty outside of one.

#include <string_view>

#include "obs/trace.h"

namespace reel::obs {

std::string_view current_request_id();
std::string_view current_trace_id();

const Work& current_work();
//! Sets what this thread works on and returns what it was.
Work exchange_work(const Work& next);

}  // namespace reel::obs

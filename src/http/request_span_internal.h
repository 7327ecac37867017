#pragma once
//! A request as spans, with the names of OpenTelemetry's semantic conventions for HTTP.

#include <string_view>

#include "http/session_internal.h"
#include "obs/span.h"

namespace reel::http {

//! The whole request, ending now. `sent`: the client took the answer. The query and all fields but
//! Host stay out: they may hold secrets.
obs::FinishedSpan request_span(const Exchange& exchange, bool sent);

//! A part of it that ends now.
obs::FinishedSpan part_span(const Exchange& exchange, std::string_view name,
                            std::string_view size_name, TimePoint began, std::uint64_t bytes);

}  // namespace reel::http

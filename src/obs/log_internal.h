#pragma once
//! How a log line looks, apart from where it goes.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "obs/log.h"

namespace reel::obs {

//! One line without its newline. The request and trace ids come from the thread's TraceScope.
//! Whatever the input, the result has no line break and is valid JSON in LogFormat::json.
std::string format_line(LogFormat format, Instant when, Level level, std::string_view message,
                        std::span<const LogField> fields);

//! Lines that were dropped because the queue was full, since the process began.
std::uint64_t log_lines_dropped();

}  // namespace reel::obs

#pragma once
//! The reader that Timestamp::parse and TimeRange::parse share.

#include <cstdint>
#include <string_view>

#include "time/timestamp.h"

namespace reel::time {

enum class Reading : std::uint8_t { ok, malformed, out_of_range };

//! Reads "-1:5" at the front of `text` into `out` and removes what it read. After a failure both
//! are unspecified.
Reading read_timestamp(std::string_view& text, Timestamp& out);

//! Removes `c` from the front of `text` if it is there.
inline bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace reel::time

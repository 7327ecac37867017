#pragma once
//! For tests only: lets gtest print what it compares.

#include <ostream>

#include "time/time_range.h"

namespace reel::time {

// NOLINTBEGIN(readability-identifier-naming): gtest looks for functions of this name
inline void PrintTo(const Timestamp& timestamp, std::ostream* out) {
  *out << timestamp.to_string();
}
inline void PrintTo(const TimeRange& range, std::ostream* out) { *out << range.to_string(); }
// NOLINTEND(readability-identifier-naming)

}  // namespace reel::time

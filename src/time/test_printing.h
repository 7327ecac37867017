#pragma once
//! For tests only: lets gtest print what it compares.

#include <ostream>

#include "time/time_range.h"

namespace reel::time {

inline void PrintTo(const Timestamp& timestamp, std::ostream* out) {
  *out << timestamp.to_string();
}
inline void PrintTo(const TimeRange& range, std::ostream* out) { *out << range.to_string(); }

}  // namespace reel::time

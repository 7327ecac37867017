#include "lake/records.h"

#include <array>

namespace reel::lake {
namespace {

constexpr std::int64_t kMicrosPerHour = std::int64_t{3'600} * 1'000'000;

}  // namespace

std::int64_t hour_of(Instant instant) {
  const std::int64_t hour = instant.micros / kMicrosPerHour;
  return instant.micros % kMicrosPerHour < 0 ? hour - 1 : hour;
}

Instant start_of_hour(std::int64_t hour) { return {hour * kMicrosPerHour}; }

Result<HourRange> HourRange::between(Instant begin, Instant end) {
  for (const Instant bound : {begin, end}) {
    if (start_of_hour(hour_of(bound)) != bound) {
      return invalid("partitions begin and end on the hour, which {} is not", bound.to_string());
    }
  }
  if (begin >= end) {
    return invalid("the range begins at {} and must end later, not at {}", begin.to_string(),
                   end.to_string());
  }
  return HourRange{.begin = hour_of(begin), .end = hour_of(end)};
}

std::string HourRange::to_string() const {
  return fmt::format("[{}, {})", start_of_hour(begin).to_string(), start_of_hour(end).to_string());
}

std::string_view state_name(PartitionState state) {
  constexpr std::array<std::string_view, 3> kNames = {"staged", "active", "retired"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::string_view state_name(RetirementState state) {
  constexpr std::array<std::string_view, 3> kNames = {"undoable", "restored", "expired"};
  return kNames.at(static_cast<std::size_t>(state));
}

}  // namespace reel::lake

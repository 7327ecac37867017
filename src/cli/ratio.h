#pragma once
//! Exact arithmetic from a stream's ticks to TAMS nanoseconds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "time/timestamp.h"

namespace reel::cli {

//! A positive fraction in lowest terms, or 0/1.
struct Ratio {
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;

  //! REQUIRES: numerator >= 0, denominator > 0.
  static Ratio reduced(std::int64_t numerator, std::int64_t denominator);

  //! As ffprobe writes it, "30000/1001". nullopt for "0/0" and nonsense.
  static std::optional<Ratio> parse(std::string_view text);

  bool is_zero() const { return numerator == 0; }
  std::string to_string() const;
  friend bool operator==(const Ratio&, const Ratio&) = default;
};

//! a / b to the nearest integer, halves away from zero. REQUIRES: b > 0.
time::Int128 divide_rounded(time::Int128 a, time::Int128 b);

//! `ticks` of 1/timescale seconds in whole nanoseconds. A boundary between two segments is one
//! tick count, hence one number of nanoseconds: neighbours that share it touch exactly.
time::Int128 ticks_to_nanoseconds(std::int64_t ticks, std::int64_t timescale);

//! From one time base to another, rounded like libavutil's av_rescale_q.
std::int64_t rescale_ticks(std::int64_t ticks, std::int64_t from, std::int64_t to);

//! "2s", "1.92s", "960ms", "2": a positive duration in seconds, exact. Code::invalid otherwise.
Result<Ratio> parse_duration(std::string_view text);

}  // namespace reel::cli

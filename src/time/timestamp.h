#pragma once
//! TAMS timestamps: signed nanoseconds over the whole PTP range.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reel::time {

//! 128-bit integer; PTP nanoseconds need 79 bits.
__extension__ typedef __int128 Int128;

//! The sortable form of a timestamp: nanoseconds + 2^95 as a big-endian number, so that comparing
//! bytes compares time. This is also how the store writes DECIMAL(24,9) (docs/formats/store.md).
using TimestampKey = std::array<std::uint8_t, 12>;

//! A signed count of nanoseconds, |value| < 2^48 seconds (IEEE 1588 PTP). Written
//! "seconds:nanoseconds"; a sign covers the whole value (TAMS AppNote 0008).
class Timestamp {
 public:
  constexpr Timestamp() = default;

  //! REQUIRES: |nanoseconds| <= max().nanoseconds().
  static constexpr Timestamp from_nanoseconds(Int128 nanoseconds) { return Timestamp(nanoseconds); }
  static Result<Timestamp> checked(Int128 nanoseconds);

  //! "-1:5" is -1 000 000 005 ns. Follows schemas/timestamp.json of TAMS 8.2 exactly (no leading
  //! zeros, at most nine digits of nanoseconds) and refuses values outside the PTP range.
  static Result<Timestamp> parse(std::string_view text);

  //! From decimal seconds ("12.345", "-3", "007") with up to nine fraction digits.
  static Result<Timestamp> parse_decimal_seconds(std::string_view text);

  //! REQUIRES: key() made it; other bytes give a timestamp outside the PTP range.
  static Timestamp from_key(const TimestampKey& key);

  static constexpr Timestamp max() {
    return Timestamp(((Int128{1} << 48) - 1) * 1'000'000'000 + 999'999'999);
  }
  static constexpr Timestamp min() { return Timestamp(-max().nanoseconds_); }

  constexpr Int128 nanoseconds() const { return nanoseconds_; }
  TimestampKey key() const;
  std::string to_string() const;
  void append_to(std::string& out) const;
  //! Exact decimal seconds with nine fraction digits.
  std::string to_decimal_seconds() const;
  //! The nearest double, give or take one unit in the last place.
  double to_seconds() const;

  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default;

 private:
  explicit constexpr Timestamp(Int128 nanoseconds) : nanoseconds_(nanoseconds) {}
  Int128 nanoseconds_ = 0;
};

//! Sum and difference; Code::invalid when the result leaves the PTP range.
Result<Timestamp> add(Timestamp a, Timestamp b);
Result<Timestamp> subtract(Timestamp a, Timestamp b);

//! TAI minus UTC: 37 s since 2017-01-01 (IERS Bulletin C). Needed wherever TAMS time (TAI) is
//! shown as civil time; the store itself never converts.
inline constexpr std::int64_t kTaiMinusUtcSeconds = 37;

}  // namespace reel::time

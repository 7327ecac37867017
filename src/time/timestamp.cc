#include "time/timestamp.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "time/timestamp_internal.h"

namespace reel::time {
namespace {

__extension__ typedef unsigned __int128 UInt128;

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::uint64_t kSecondsEnd = std::uint64_t{1} << 48;
constexpr UInt128 kKeyOrigin = UInt128{1} << 95;

//! No value of more digits is below kSecondsEnd; so many digits cannot overflow 64 bits.
constexpr std::size_t kSecondsDigitsMax = 15;
constexpr std::size_t kFractionDigits = 9;

//! A run of decimal digits: its length and, up to 19 digits, its value.
struct Digits {
  std::size_t count = 0;
  std::uint64_t value = 0;
};

Digits take_digits(std::string_view& text) {
  Digits digits;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    digits.value = digits.value * 10 + static_cast<std::uint64_t>(c - '0');
    ++digits.count;
  }
  text.remove_prefix(digits.count);
  return digits;
}

Timestamp combine(bool negative, std::uint64_t seconds, std::uint64_t nanoseconds) {
  const Int128 magnitude = Int128{seconds} * kNanosecondsPerSecond + nanoseconds;
  return Timestamp::from_nanoseconds(negative ? -magnitude : magnitude);
}

//! A timestamp taken apart for printing.
struct Parts {
  bool negative;
  std::uint64_t seconds;
  std::uint32_t nanoseconds;

  explicit Parts(Int128 value) : negative(value < 0) {
    const auto magnitude = static_cast<UInt128>(negative ? -value : value);
    const auto low = static_cast<std::uint64_t>(magnitude);
    // A division of 128 bits is a library call; within 584 years of zero it can be avoided.
    seconds = magnitude == low ? low / kNanosecondsPerSecond
                               : static_cast<std::uint64_t>(magnitude / kNanosecondsPerSecond);
    nanoseconds = static_cast<std::uint32_t>(low - seconds * kNanosecondsPerSecond);
  }
};

Failure out_of_range() { return invalid("a timestamp lies within 2^48 seconds of zero"); }

std::uint64_t big_endian(std::uint64_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

std::uint32_t big_endian(std::uint32_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

}  // namespace

Reading read_timestamp(std::string_view& text, Timestamp& out) {
  const bool negative = take(text, '-');
  const char seconds_first = text.empty() ? '\0' : text.front();
  const Digits seconds = take_digits(text);
  if (seconds.count == 0 || (seconds_first == '0' && seconds.count > 1)) return Reading::malformed;
  if (!take(text, ':')) return Reading::malformed;
  const char nanoseconds_first = text.empty() ? '\0' : text.front();
  const Digits nanoseconds = take_digits(text);
  if (nanoseconds.count == 0 || nanoseconds.count > kFractionDigits ||
      (nanoseconds_first == '0' && nanoseconds.count > 1)) {
    return Reading::malformed;
  }
  if (seconds.count > kSecondsDigitsMax || seconds.value >= kSecondsEnd) {
    return Reading::out_of_range;
  }
  out = combine(negative, seconds.value, nanoseconds.value);
  return Reading::ok;
}

Result<Timestamp> Timestamp::checked(Int128 nanoseconds) {
  if (nanoseconds < min().nanoseconds_ || nanoseconds > max().nanoseconds_) return out_of_range();
  return Timestamp(nanoseconds);
}

Result<Timestamp> Timestamp::parse(std::string_view text) {
  std::string_view rest = text;
  Timestamp timestamp;
  const Reading reading = read_timestamp(rest, timestamp);
  if (reading == Reading::malformed || !rest.empty()) {
    return invalid("'{}' is not a timestamp such as 1694429247:40000000", text.substr(0, 64));
  }
  if (reading == Reading::out_of_range) {
    return invalid("'{}' goes beyond 2^48 seconds from zero", text.substr(0, 64));
  }
  return timestamp;
}

Result<Timestamp> Timestamp::parse_decimal_seconds(std::string_view text) {
  std::string_view rest = text;
  const bool negative = take(rest, '-');
  const Digits seconds = take_digits(rest);
  Digits fraction;
  const bool has_fraction = take(rest, '.');
  if (has_fraction) fraction = take_digits(rest);
  if (seconds.count == 0 || has_fraction != (fraction.count > 0) ||
      fraction.count > kFractionDigits || !rest.empty()) {
    return invalid("'{}' is not a number of seconds with at most nine decimals",
                   text.substr(0, 64));
  }
  if (seconds.count > kSecondsDigitsMax || seconds.value >= kSecondsEnd) return out_of_range();
  for (std::size_t i = fraction.count; i < kFractionDigits; ++i) fraction.value *= 10;
  return combine(negative, seconds.value, fraction.value);
}

TimestampKey Timestamp::key() const {
  const UInt128 shifted = static_cast<UInt128>(nanoseconds_) + kKeyOrigin;
  const std::uint32_t high = big_endian(static_cast<std::uint32_t>(shifted >> 64));
  const std::uint64_t low = big_endian(static_cast<std::uint64_t>(shifted));
  TimestampKey key;
  std::memcpy(key.data(), &high, sizeof(high));
  std::memcpy(key.data() + sizeof(high), &low, sizeof(low));
  return key;
}

Timestamp Timestamp::from_key(const TimestampKey& key) {
  std::uint32_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, key.data(), sizeof(high));
  std::memcpy(&low, key.data() + sizeof(high), sizeof(low));
  const UInt128 shifted = (UInt128{big_endian(high)} << 64) | big_endian(low);
  return Timestamp(static_cast<Int128>(shifted - kKeyOrigin));
}

void Timestamp::append_to(std::string& out) const {
  const Parts parts(nanoseconds_);
  char buffer[32];
  char* at = buffer;
  if (parts.negative) *at++ = '-';
  at = std::to_chars(at, std::end(buffer), parts.seconds).ptr;
  *at++ = ':';
  at = std::to_chars(at, std::end(buffer), parts.nanoseconds).ptr;
  out.append(buffer, at);
}

std::string Timestamp::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

std::string Timestamp::to_decimal_seconds() const {
  const Parts parts(nanoseconds_);
  return fmt::format("{}{}.{:09}", parts.negative ? "-" : "", parts.seconds, parts.nanoseconds);
}

double Timestamp::to_seconds() const { return static_cast<double>(nanoseconds_) / 1e9; }

Result<Timestamp> add(Timestamp a, Timestamp b) {
  return Timestamp::checked(a.nanoseconds() + b.nanoseconds());
}

Result<Timestamp> subtract(Timestamp a, Timestamp b) {
  return Timestamp::checked(a.nanoseconds() - b.nanoseconds());
}

}  // namespace reel::time

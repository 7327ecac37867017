#include "cli/ratio.h"

#include <charconv>
#include <numeric>

namespace reel::cli {
namespace {

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Ratio Ratio::reduced(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t divisor = std::gcd(numerator, denominator);
  return {numerator / divisor, denominator / divisor};
}

std::optional<Ratio> Ratio::parse(std::string_view text) {
  const auto slash = text.find_first_of("/:");
  if (slash == text.npos) return std::nullopt;
  const auto numerator = parse_integer(text.substr(0, slash));
  const auto denominator = parse_integer(text.substr(slash + 1));
  if (!numerator || !denominator || *numerator <= 0 || *denominator <= 0) return std::nullopt;
  return reduced(*numerator, *denominator);
}

std::string Ratio::to_string() const { return fmt::format("{}/{}", numerator, denominator); }

time::Int128 divide_rounded(time::Int128 a, time::Int128 b) {
  return (a < 0 ? a - b / 2 : a + b / 2) / b;
}

time::Int128 ticks_to_nanoseconds(std::int64_t ticks, std::int64_t timescale) {
  return divide_rounded(time::Int128{ticks} * 1'000'000'000, timescale);
}

std::int64_t rescale_ticks(std::int64_t ticks, std::int64_t from, std::int64_t to) {
  return static_cast<std::int64_t>(divide_rounded(time::Int128{ticks} * to, from));
}

Result<Ratio> parse_duration(std::string_view text) {
  const auto refuse = [text] {
    return invalid("'{}' is not a duration such as 2s, 1.92s or 960ms (up to one hour)", text);
  };
  std::string_view digits = text;
  std::int64_t units_per_second = 1;
  if (digits.ends_with("ms")) {
    units_per_second = 1000;
    digits.remove_suffix(2);
  } else if (digits.ends_with('s')) {
    digits.remove_suffix(1);
  }
  const auto seconds = time::Timestamp::parse_decimal_seconds(digits);
  if (!seconds) return refuse();
  const time::Int128 nanoseconds = seconds->nanoseconds() / units_per_second;
  if (nanoseconds <= 0 || nanoseconds > time::Int128{3'600} * 1'000'000'000) return refuse();
  return Ratio::reduced(static_cast<std::int64_t>(nanoseconds), 1'000'000'000);
}

}  // namespace reel::cli

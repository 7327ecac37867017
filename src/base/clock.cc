#include "base/clock.h"

#include <fmt/format.h>

namespace reel {
namespace {

class SystemClock final : public Clock {
 public:
  Instant now() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
  }
};

//! Reads exactly `width` digits at `text[from]`; -1 when there are other characters.
int digits(std::string_view text, std::size_t from, std::size_t width) {
  if (from + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = from; i < from + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

//! The first and the last moment that RFC 3339 can write: its years have four digits.
constexpr std::int64_t kFirstMicros = -62'167'219'200'000'000;
constexpr std::int64_t kLastMicros = 253'402'300'799'999'999;

//! Reads "Z" or "+hh:mm" at the end of a date-time; minutes east of UTC, or nothing.
Result<int> offset_minutes(std::string_view zone) {
  if (zone == "Z" || zone == "z") return 0;
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const int hours = digits(zone, 1, 2);
    const int minutes = digits(zone, 4, 2);
    if (hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60) {
      return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    }
  }
  return invalid("'{}' is not a time zone (Z or +hh:mm)", zone.substr(0, 16));
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

void Instant::append_to(std::string& out) const {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::microseconds> moment{std::chrono::microseconds{micros}};
  const auto day = floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{moment - day};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

std::string Instant::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

Result<Instant> Instant::parse(std::string_view text) {
  const auto refuse = [&] {
    return invalid("'{}' is not an RFC 3339 date-time", text.substr(0, 64));
  };
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60 || text[4] != '-' || text[7] != '-' || text[13] != ':' ||
      text[16] != ':' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) {
    return refuse();
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return refuse();
  std::size_t next = 19;
  std::int64_t fraction_us = 0;
  if (next < text.size() && text[next] == '.') {
    std::int64_t unit = 100'000;
    const std::size_t first = ++next;
    for (; next < text.size() && text[next] >= '0' && text[next] <= '9'; ++next) {
      fraction_us += unit * (text[next] - '0');
      unit /= 10;
    }
    if (next == first || next - first > 9) return refuse();
  }
  auto zone = offset_minutes(text.substr(next));
  if (!zone) return refuse();
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + hour) * 60 + minute - *zone) * 60 + second;
  const std::int64_t micros = seconds * 1'000'000 + fraction_us;
  if (micros < kFirstMicros || micros > kLastMicros) return refuse();
  return Instant{micros};
}

}  // namespace reel

#include "exr/time_code.h"

namespace reel::exr {
namespace {

constexpr std::int64_t kMinutesPerDay = 24 * 60;
constexpr int kFrameDigitsMax = 39;  // two bits of tens

//! Two BCD digits from bit `shift` on, the tens `tens_bits` wide; -1 when one is above 9.
int digits(std::uint32_t word, int shift, std::uint32_t tens_bits) {
  const std::uint32_t units = word >> shift & 0xf;
  const std::uint32_t tens = word >> (shift + 4) & ((1U << tens_bits) - 1);
  return units > 9 ? -1 : static_cast<int>(10 * tens + units);
}

bool bit(std::uint32_t word, int position) { return (word >> position & 1) != 0; }

//! Frames counted each second: pairs above 30.
std::int64_t counted(FrameRate rate) {
  const std::int64_t nominal = rate.nominal();
  return nominal > 30 ? nominal / 2 : nominal;
}

//! Numbers that drop frame counting leaves out at the start of a minute, the tenths excepted.
constexpr std::int64_t kDropped = 2;

}  // namespace

std::string ClockTime::to_string() const {
  return fmt::format("{:02}:{:02}:{:02}{}{:02}", hours, minutes, seconds, drop_frame ? ';' : ':',
                     frames);
}

Result<ClockTime> decode_time_code(const TimeCode& code) {
  const std::uint32_t word = code.time_and_flags;
  ClockTime time{.hours = digits(word, 24, 2),
                 .minutes = digits(word, 16, 3),
                 .seconds = digits(word, 8, 3),
                 .frames = digits(word, 0, 2),
                 .drop_frame = bit(word, 6),
                 .color_frame = bit(word, 7),
                 .field_phase = bit(word, 15),
                 .bgf0 = bit(word, 23),
                 .bgf1 = bit(word, 30),
                 .bgf2 = bit(word, 31)};
  const auto outside = [](int value, int most) { return value < 0 || value > most; };
  if (outside(time.hours, 23) || outside(time.minutes, 59) || outside(time.seconds, 59) ||
      outside(time.frames, kFrameDigitsMax)) {
    return fail(Code::corrupt, "the time code word {:#010x} is no time of day", word);
  }
  for (std::size_t i = 0; i < time.user_bits.size(); ++i) {
    time.user_bits[i] = static_cast<std::uint8_t>(code.user_data >> (4 * i) & 0xf);
  }
  return time;
}

std::int64_t frames_per_day(FrameRate rate, bool drop_frame) {
  const std::int64_t per_second = counted(rate);
  const std::int64_t dropped = drop_frame ? kDropped * (kMinutesPerDay - kMinutesPerDay / 10) : 0;
  const std::int64_t pairs = rate.nominal() > 30 ? 2 : 1;
  return (per_second * 60 * kMinutesPerDay - dropped) * pairs;
}

Result<std::int64_t> frame_number(const ClockTime& time, FrameRate rate) {
  constexpr std::int64_t kRateMax = 60;
  if (rate.numerator <= 0 || rate.denominator <= 0 || rate.nominal() < 1 ||
      rate.nominal() > kRateMax) {
    return invalid("time code does not count {}/{} frames per second", rate.numerator,
                   rate.denominator);
  }
  const std::int64_t per_second = counted(rate);
  if (time.frames >= per_second) {
    return invalid("{} has frame {}, and {}/{} frames per second are counted to {}",
                   time.to_string(), time.frames, rate.numerator, rate.denominator, per_second - 1);
  }
  const std::int64_t minutes = 60LL * time.hours + time.minutes;
  std::int64_t number = (60 * minutes + time.seconds) * per_second + time.frames;
  if (time.drop_frame) {
    if (per_second != 30 || rate.denominator != 1001) {
      return invalid("{} has the drop frame flag at {}/{} frames per second", time.to_string(),
                     rate.numerator, rate.denominator);
    }
    if (time.minutes % 10 != 0 && time.seconds == 0 && time.frames < kDropped) {
      return invalid("drop frame counting leaves out {}", time.to_string());
    }
    number -= kDropped * (minutes - minutes / 10);
  }
  if (rate.nominal() <= 30) return number;
  const bool second_of_pair = per_second == 25 ? time.bgf2 : time.field_phase;
  return 2 * number + (second_of_pair ? 1 : 0);
}

}  // namespace reel::exr

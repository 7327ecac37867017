#pragma once
//! Time codes (SMPTE ST 12-1) as OpenEXR keeps them: BCD digits and flags in one word, user bits in
//! another.

#include <array>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "exr/values.h"

namespace reel::exr {

//! Frames per second as a fraction, e.g. 24000/1001.
struct FrameRate {
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;

  //! The whole number of frames that time code counts per second: 30 for 30000/1001.
  //! REQUIRES: both positive.
  std::int64_t nominal() const { return (numerator + denominator / 2) / denominator; }
  friend bool operator==(const FrameRate&, const FrameRate&) = default;
};

//! A time code with its digits read.
struct ClockTime {
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  int frames = 0;
  bool drop_frame = false;
  bool color_frame = false;
  bool field_phase = false;  //!< bit 15; at 50 Hz its place is bgf2 (ST 12-1, OpenEXR TV50)
  bool bgf0 = false;         //!< binary group flags: how the user bits are to be read
  bool bgf1 = false;
  bool bgf2 = false;
  std::array<std::uint8_t, 8> user_bits = {};  //!< binary groups 1 to 8, four bits each

  //! "01:02:03:04"; "01:02:03;04" with the drop frame flag.
  std::string to_string() const;
};

//! Code::corrupt when a digit is no decimal digit or hours, minutes or seconds are out of range.
Result<ClockTime> decode_time_code(const TimeCode& code);

//! The number of frames since 00:00:00:00. Above 30 frames a second a time code counts pairs, and
//! the field flag tells the second of a pair. Code::invalid for a rate that is not positive or
//! above 60, a frame that the rate does not have, the drop frame flag at a rate other than 29.97
//! and 59.94, and a number that drop frame counting leaves out.
Result<std::int64_t> frame_number(const ClockTime& time, FrameRate rate);

//! Frames in 24 hours: where counting starts again. REQUIRES: as for FrameRate::nominal().
std::int64_t frames_per_day(FrameRate rate, bool drop_frame);

}  // namespace reel::exr

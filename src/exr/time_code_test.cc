#include "exr/time_code.h"

#include <random>

#include <gtest/gtest.h>

#include "base/test_seed.h"

namespace reel::exr {
namespace {

std::uint32_t bcd(int value) { return static_cast<std::uint32_t>(value / 10 << 4 | value % 10); }

TimeCode code(int hours, int minutes, int seconds, int frames, std::uint32_t flags = 0) {
  return {bcd(hours) << 24 | bcd(minutes) << 16 | bcd(seconds) << 8 | bcd(frames) | flags, 0};
}
constexpr std::uint32_t kDropFrame = 1U << 6;
constexpr std::uint32_t kFieldPhase = 1U << 15;
constexpr std::uint32_t kBgf2 = 1U << 31;

constexpr FrameRate kFilm{24000, 1001};
constexpr FrameRate kNtsc{30000, 1001};

TEST(TimeCodeTest, DigitsFlagsAndUserBitsAreRead) {
  const auto time = decode_time_code({0x23595938U | kDropFrame, 0x87654321U});
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(time->to_string(), "23:59:59;38");
  EXPECT_TRUE(time->drop_frame);
  EXPECT_FALSE(time->color_frame || time->field_phase || time->bgf0 || time->bgf1 || time->bgf2);
  EXPECT_EQ(time->user_bits, (std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8}));
  const auto flags = decode_time_code({1U << 7 | 1U << 15 | 1U << 23 | 1U << 30 | 1U << 31, 0});
  ASSERT_TRUE(flags.has_value());
  EXPECT_EQ(flags->to_string(), "00:00:00:00");
  EXPECT_TRUE(flags->color_frame && flags->field_phase && flags->bgf0 && flags->bgf1 &&
              flags->bgf2);
}

TEST(TimeCodeTest, WhatIsNoTimeOfDayIsRefused) {
  for (const std::uint32_t word : {0x24000000U, 0x0a000000U, 0x00600000U, 0x00006000U, 0x0000000aU,
                                   0x000000faU, 0x001f0000U}) {
    const auto time = decode_time_code({word, 0});
    ASSERT_FALSE(time.has_value()) << word;
    EXPECT_EQ(time.error().code(), Code::corrupt);
  }
}

std::int64_t number_of(const TimeCode& at, FrameRate rate) {
  const auto time = decode_time_code(at);
  EXPECT_TRUE(time.has_value());
  const auto number = frame_number(*time, rate);
  EXPECT_TRUE(number.has_value()) << number.error().message();
  return number.value_or(-1);
}

TEST(TimeCodeTest, FramesAreCounted) {
  EXPECT_EQ(number_of(code(1, 0, 0, 0), {24, 1}), 86'400);
  EXPECT_EQ(number_of(code(1, 0, 0, 0), kFilm), 86'400);
  EXPECT_EQ(number_of(code(0, 0, 1, 2), {25, 1}), 27);
  EXPECT_EQ(number_of(code(0, 1, 0, 2, kDropFrame), kNtsc), 1800);
  EXPECT_EQ(number_of(code(0, 10, 0, 0, kDropFrame), kNtsc), 17'982);
  EXPECT_EQ(number_of(code(1, 0, 0, 0, kDropFrame), kNtsc), 107'892);
  EXPECT_EQ(frames_per_day(kNtsc, true), 2'589'408);
  EXPECT_EQ(frames_per_day({60000, 1001}, true), 2 * 2'589'408);
  EXPECT_EQ(frames_per_day({25, 1}, false), 2'160'000);
}

TEST(TimeCodeTest, AboveThirtyFramesASecondPairsAreCounted) {
  EXPECT_EQ(number_of(code(0, 0, 1, 3), {48, 1}), 54);
  EXPECT_EQ(number_of(code(0, 0, 1, 3, kFieldPhase), {48, 1}), 55);
  EXPECT_EQ(number_of(code(0, 0, 1, 3, kFieldPhase), {60000, 1001}), 67);
  EXPECT_EQ(number_of(code(0, 0, 1, 3, kBgf2), {50, 1}), 57);
  EXPECT_EQ(number_of(code(0, 0, 1, 3, kFieldPhase), {50, 1}), 56);
}

//! The error of a time code at a rate.
std::string refusal(const TimeCode& at, FrameRate rate) {
  const auto number = frame_number(*decode_time_code(at), rate);
  return number ? "accepted" : number.error().message();
}

TEST(TimeCodeTest, WhatTheRateDoesNotHaveIsRefused) {
  EXPECT_EQ(refusal(code(0, 0, 0, 24), kFilm),
            "00:00:00:24 has frame 24, and 24000/1001 frames per second are counted to 23");
  EXPECT_EQ(refusal(code(0, 0, 0, 25), {50, 1}),
            "00:00:00:25 has frame 25, and 50/1 frames per second are counted to 24");
  EXPECT_EQ(refusal(code(0, 1, 0, 1, kDropFrame), kNtsc),
            "drop frame counting leaves out 00:01:00;01");
  EXPECT_EQ(refusal(code(0, 0, 0, 0, kDropFrame), {25, 1}),
            "00:00:00;00 has the drop frame flag at 25/1 frames per second");
  for (const FrameRate rate :
       {FrameRate{0, 1}, FrameRate{24, 0}, FrameRate{-24, 1}, FrameRate{120, 1}, FrameRate{1, 3}}) {
    EXPECT_EQ(refusal(code(0, 0, 0, 0), rate),
              fmt::format("time code does not count {}/{} frames per second", rate.numerator,
                          rate.denominator));
  }
}

TEST(TimeCodeTest, DropFrameCountsEveryFrameOfADayOnce) {
  std::int64_t expected = 0;
  for (int minute = 0; minute < 24 * 60; ++minute) {
    for (int second = 0; second < 60; ++second) {
      for (int frame = 0; frame < 30; ++frame) {
        const ClockTime time{.hours = minute / 60,
                             .minutes = minute % 60,
                             .seconds = second,
                             .frames = frame,
                             .drop_frame = true};
        const auto number = frame_number(time, kNtsc);
        const bool left_out = minute % 10 != 0 && second == 0 && frame < 2;
        ASSERT_EQ(number.has_value(), !left_out);
        if (number) ASSERT_EQ(*number, expected++);
      }
    }
  }
  EXPECT_EQ(expected, frames_per_day(kNtsc, true));
}

TEST(TimeCodeTest, AnyWordIsATimeOfDayOrRefused) {
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < 100'000; ++i) {
    const auto word = static_cast<std::uint32_t>(random());
    const auto time = decode_time_code({word, 0});
    if (!time) continue;
    std::uint32_t flags = 0;
    if (time->drop_frame) flags |= kDropFrame;
    if (time->color_frame) flags |= 1U << 7;
    if (time->field_phase) flags |= kFieldPhase;
    if (time->bgf0) flags |= 1U << 23;
    if (time->bgf1) flags |= 1U << 30;
    if (time->bgf2) flags |= kBgf2;
    EXPECT_EQ(code(time->hours, time->minutes, time->seconds, time->frames, flags).time_and_flags,
              word);
  }
}

}  // namespace
}  // namespace reel::exr

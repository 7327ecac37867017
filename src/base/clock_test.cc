#include "base/clock.h"

#include <random>

#include <gtest/gtest.h>

#include "base/test_seed.h"

namespace reel {
namespace {

std::string normal(std::string_view text) {
  const auto parsed = Instant::parse(text);
  return parsed ? parsed->to_string() : parsed.error().message();
}

TEST(Instant, PrintsUtcWithMicroseconds) {
  EXPECT_EQ(Instant{0}.to_string(), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Instant{-1}.to_string(), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Instant{1'694'429'210'040'000}.to_string(), "2023-09-11T10:46:50.040000Z");
}

TEST(Instant, ReadsFractionsAndCutsToMicroseconds) {
  EXPECT_EQ(normal("2026-11-21T02:10:00Z"), "2026-11-21T02:10:00.000000Z");
  EXPECT_EQ(normal("2026-11-21T02:10:00.5Z"), "2026-11-21T02:10:00.500000Z");
  EXPECT_EQ(normal("2026-11-21T02:10:00.123456789Z"), "2026-11-21T02:10:00.123456Z");
  EXPECT_EQ(normal("1969-12-31T23:59:59.9999999Z"), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(normal("2026-11-21t02:10:00z"), "2026-11-21T02:10:00.000000Z");
  EXPECT_EQ(normal("2026-11-21 02:10:00Z"), "2026-11-21T02:10:00.000000Z");
}

TEST(Instant, AppliesOffsets) {
  EXPECT_EQ(normal("2026-11-21T02:10:00+02:30"), "2026-11-20T23:40:00.000000Z");
  EXPECT_EQ(normal("2026-12-31T23:10:00-01:00"), "2027-01-01T00:10:00.000000Z");
  EXPECT_EQ(normal("2026-11-21T02:10:00-00:00"), "2026-11-21T02:10:00.000000Z");
}

TEST(Instant, KnowsTheCalendar) {
  EXPECT_EQ(normal("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000000Z");
  EXPECT_EQ(normal("2000-02-29T00:00:00Z"), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(normal("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000000Z");
  for (const char* text : {"2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2023-04-31T00:00:00Z",
                           "2023-13-01T00:00:00Z", "2023-00-01T00:00:00Z", "2023-01-00T00:00:00Z",
                           "2023-01-32T00:00:00Z"}) {
    EXPECT_FALSE(Instant::parse(text)) << text;
  }
}

TEST(Instant, RefusesWhatRfc3339Refuses) {
  for (const char* text : {"",
                           "2023",
                           "2023-01-01",
                           "2023-01-01T00:00:00",
                           "2023-01-01T00:00Z",
                           "2023-01-01T24:00:00Z",
                           "2023-01-01T00:60:00Z",
                           "2023-01-01T00:00:61Z",
                           "2023-01-01T00:00:00.Z",
                           "2023-01-01T00:00:00.0123456789Z",
                           "2023-01-01T00:00:00+0100",
                           "2023-01-01T00:00:00+24:00",
                           "2023-01-01T00:00:00+01:60",
                           "2023-01-01T00:00:00+1:00",
                           "2023-01-01T00:00:00ZZ",
                           "2023/01/01T00:00:00Z",
                           "2023-01-01X00:00:00Z",
                           "-023-01-01T00:00:00Z",
                           "12023-01-01T00:00:00Z",
                           "2023-01-01T00:00:00 Z"}) {
    const auto parsed = Instant::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::invalid);
  }
}

TEST(Instant, StaysWithinFourDigitYears) {
  EXPECT_EQ(normal("0000-01-01T00:00:00Z"), "0000-01-01T00:00:00.000000Z");
  EXPECT_EQ(normal("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z");
  EXPECT_FALSE(Instant::parse("0000-01-01T00:00:00+00:01"));
  EXPECT_FALSE(Instant::parse("9999-12-31T23:59:00-00:01"));
  EXPECT_FALSE(Instant::parse("9999-12-31T23:59:60Z"));
}

TEST(Instant, EveryMicrosecondReadsBack) {
  std::mt19937_64 random(test_seed());
  const std::int64_t first = Instant::parse("0000-01-01T00:00:00Z")->micros;
  const std::int64_t last = Instant::parse("9999-12-31T23:59:59.999999Z")->micros;
  std::uniform_int_distribution<std::int64_t> any(first, last);
  for (int i = 0; i < 5000; ++i) {
    const Instant instant{any(random)};
    ASSERT_EQ(*Instant::parse(instant.to_string()), instant);
  }
}

TEST(ManualClock, StandsStillUntilTold) {
  ManualClock clock(Instant{10});
  EXPECT_EQ(clock.now(), Instant{10});
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(clock.now(), Instant{2'000'010});
  EXPECT_GT(system_clock().now(), *Instant::parse("2026-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace reel

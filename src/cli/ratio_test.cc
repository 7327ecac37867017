#include "cli/ratio.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

TEST(Ratio, ReadsWhatFfprobeWrites) {
  EXPECT_EQ(Ratio::parse("30000/1001"), (Ratio{30000, 1001}));
  EXPECT_EQ(Ratio::parse("50/2"), (Ratio{25, 1}));
  EXPECT_EQ(Ratio::parse("16:9"), (Ratio{16, 9}));
  for (const char* text : {"0/0", "25", "", "/", "25/0", "-25/1", "25/1x"}) {
    EXPECT_EQ(Ratio::parse(text), std::nullopt) << text;
  }
}

TEST(Ticks, FrameTimesOfNtscAreNearestNanoseconds) {
  EXPECT_EQ(ticks_to_nanoseconds(0, 30000), 0);
  EXPECT_EQ(ticks_to_nanoseconds(1001, 30000), 33'366'667);
  EXPECT_EQ(ticks_to_nanoseconds(2002, 30000), 66'733'333);
  EXPECT_EQ(ticks_to_nanoseconds(30'000LL * 1001, 30000), time::Int128{1001} * 1'000'000'000);
  EXPECT_EQ(ticks_to_nanoseconds(-1024, 48000), -21'333'333);
}

//! An offset of whole nanoseconds commutes with the rounding; that is what makes a constant
//! ts_offset true for every segment.
TEST(Ticks, WholeOffsetsCommuteWithRounding) {
  for (std::int64_t frame = 0; frame < 5000; ++frame) {
    const std::int64_t ticks = frame * 1001;
    const std::int64_t moved = ticks + std::int64_t{60} * 30000;
    EXPECT_EQ(ticks_to_nanoseconds(moved, 30000),
              ticks_to_nanoseconds(ticks, 30000) + time::Int128{60} * 1'000'000'000);
  }
}

TEST(Ticks, LargeCountsDoNotOverflow) {
  const std::int64_t day = std::int64_t{86'400} * 10'000'000;
  EXPECT_EQ(ticks_to_nanoseconds(day * 36'500, 10'000'000),
            time::Int128{86'400} * 36'500 * 1'000'000'000);
}

TEST(Ticks, RescaleRoundsHalvesAwayFromZero) {
  EXPECT_EQ(rescale_ticks(1001, 60000, 90000), 1502);
  EXPECT_EQ(rescale_ticks(-1001, 60000, 90000), -1502);
  EXPECT_EQ(rescale_ticks(1024, 48000, 90000), 1920);
}

TEST(Duration, Forms) {
  EXPECT_EQ(*parse_duration("2s"), (Ratio{2, 1}));
  EXPECT_EQ(*parse_duration("2"), (Ratio{2, 1}));
  EXPECT_EQ(*parse_duration("1.92s"), (Ratio{48, 25}));
  EXPECT_EQ(*parse_duration("960ms"), (Ratio{24, 25}));
  for (const char* text : {"", "s", "0", "0s", "-2s", "2m", "ms", "2 s", "3601s", "1e3"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace reel::cli

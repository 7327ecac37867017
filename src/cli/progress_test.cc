#include "cli/progress.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(ProgressText, ShareRateAndRemainingTime) {
  ProgressState state;
  state.media_nanoseconds = 150 * kSecond;
  state.total_nanoseconds = 600 * kSecond;
  state.bytes = 30 << 20;
  state.items = 75;
  state.elapsed_seconds = 10;
  EXPECT_EQ(progress_text(state), "25%, 150.0 of 600.0 s, 75 segments, 3.0 MiB/s, ETA 0:30");
}

//! What was there before does not make the rest look quick.
TEST(ProgressText, RemainingTimeCountsOnlyWhatWasTransferred) {
  ProgressState state;
  state.media_nanoseconds = 300 * kSecond;
  state.skipped_nanoseconds = 290 * kSecond;
  state.total_nanoseconds = 600 * kSecond;
  state.elapsed_seconds = 10;
  EXPECT_TRUE(progress_text(state).ends_with("ETA 5:00")) << progress_text(state);
}

TEST(ProgressText, LiveHasNoEnd) {
  ProgressState state;
  state.media_nanoseconds = 8 * kSecond;
  state.elapsed_seconds = 8;
  state.bytes = 4096;
  state.items = 4;
  EXPECT_EQ(progress_text(state), "8.0 s, 4 segments, 512 B/s");
}

TEST(ProgressText, Files) {
  ProgressState state;
  state.total_files = 1'000;
  EXPECT_EQ(progress_text(state), "0%, 0 of 1000 files, 0/s");
  state.items = 459;
  state.elapsed_seconds = 2;
  EXPECT_EQ(progress_text(state), "45%, 459 of 1000 files, 230/s, ETA 0:02");
}

TEST(ProgressText, Clock) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_EQ(clock_text(-4), "0:00");
}

}  // namespace
}  // namespace reel::cli

#include "base/pace.h"

#include <gtest/gtest.h>

#include <thread>

namespace reel {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

//! A piece of work of at least 5 ms and the rest after it.
Clock::duration piece(Pace& pace) {
  std::this_thread::sleep_for(milliseconds(5));
  const auto begin = Clock::now();
  pace.rest();
  return Clock::now() - begin;
}

TEST(PaceTest, rests_only_while_clients_ask_for_something) {
  Demand demand;
  demand.note();
  Pace pace(demand, 4);
  const auto before = Clock::now();
  EXPECT_LT(piece(pace), milliseconds(15) + (Clock::now() - before) / 2);
  demand.note();
  EXPECT_GE(piece(pace), milliseconds(20));
}

TEST(PaceTest, never_rests_for_long) {
  Demand demand;
  Pace pace(demand, 1'000'000);
  demand.note();
  EXPECT_GE(piece(pace), milliseconds(100));
}

}  // namespace
}  // namespace reel

#include "base/pace.h"

#include <gtest/gtest.h>

#include <thread>

namespace reel {
namespace {

using std::chrono::milliseconds;

//! The rest after a piece of work of at least 5 ms.
Pace::Clock::duration rest_after_piece(Pace& pace) {
  std::this_thread::sleep_for(milliseconds(5));
  return pace.rest();
}

TEST(PaceTest, rests_only_while_clients_ask_for_something) {
  Demand demand;
  demand.note();
  Pace pace(demand);
  EXPECT_EQ(rest_after_piece(pace), milliseconds(0));
  demand.note();
  EXPECT_GE(rest_after_piece(pace), milliseconds(20));
}

TEST(PaceTest, never_rests_for_long) {
  Demand demand;
  Pace pace(demand, 1'000'000);
  demand.note();
  EXPECT_EQ(rest_after_piece(pace), milliseconds(100));
}

}  // namespace
}  // namespace reel

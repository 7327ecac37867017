#include "cli/run_in_order.h"

#include <atomic>
#include <numeric>

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

TEST(RunInOrder, ResultsComeInOrder) {
  for (const std::size_t threads : {1U, 2U, 7U}) {
    std::vector<std::size_t> results;
    run_in_order(
        1'000, threads, [](std::size_t i) { return i * i; },
        [&](std::size_t i, std::size_t square) {
          EXPECT_EQ(square, i * i);
          results.push_back(i);
          return true;
        });
    std::vector<std::size_t> expected(1'000);
    std::iota(expected.begin(), expected.end(), std::size_t{0});
    EXPECT_EQ(results, expected);
  }
}

TEST(RunInOrder, StopsWhenNobodyTakesTheResults) {
  std::atomic<std::size_t> worked = 0;
  std::size_t emitted = 0;
  run_in_order(
      100'000, 2, [&](std::size_t) { return ++worked; },
      [&](std::size_t, std::size_t) { return ++emitted < 3; });
  EXPECT_EQ(emitted, 3U);
  EXPECT_LE(worked, 3U + 2 * 64);  // no further ahead than that
}

TEST(RunInOrder, NothingToDo) {
  run_in_order(
      0, 2, [](std::size_t) { return 0; },
      [](std::size_t, int) {
        ADD_FAILURE();
        return true;
      });
}

}  // namespace
}  // namespace reel::cli

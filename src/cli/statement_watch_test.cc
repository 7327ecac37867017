#include "cli/statement_watch.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

TEST(StatementProgressTest, SaysHowFarAndForHowLong) {
  EXPECT_EQ(statement_progress_text(0.25, 12), "[######------------------]  25%, 0:12");
  EXPECT_EQ(statement_progress_text(1.0, 3661), "[########################] 100%, 1:01:01");
  EXPECT_EQ(statement_progress_text(std::nullopt, 5), "0:05");
}

}  // namespace
}  // namespace reel::cli

#include "sql/present.h"

#include <gtest/gtest.h>

namespace reel::sql {
namespace {

TEST(PresentTest, CsvTellsNullFromEmptyText) {
  std::string line;
  append_csv(line, {nullptr, "", "a,b", "say \"x\"", 5, json::Array{1, 2}});
  EXPECT_EQ(line, ",\"\",\"a,b\",\"say \"\"x\"\"\",5,\"[1,2]\"\r\n");
}

}  // namespace
}  // namespace reel::sql

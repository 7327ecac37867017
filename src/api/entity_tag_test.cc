#include "api/entity_tag.h"

#include <gtest/gtest.h>

namespace reel::api {
namespace {

TEST(EtagTest, IsQuotedAndDependsOnTheBytes) {
  EXPECT_EQ(strong_etag("{}").size(), 34U);
  EXPECT_EQ(strong_etag("{}").front(), '"');
  EXPECT_EQ(strong_etag("{}"), strong_etag("{}"));
  EXPECT_NE(strong_etag("{}"), strong_etag("[]"));
}

TEST(EtagTest, GzipHasItsOwnStrongTag) {
  EXPECT_EQ(gzip_etag("\"a\""), "\"a-gzip\"");
  EXPECT_EQ(gzip_etag("W/\"a\""), "W/\"a\"");
}

TEST(NamesEtagTest, ComparesWeakly) {
  EXPECT_TRUE(names_etag("\"a\"", "\"a\""));
  EXPECT_TRUE(names_etag("W/\"a\"", "\"a\""));
  EXPECT_TRUE(names_etag("\"a\"", "W/\"a\""));
  EXPECT_FALSE(names_etag("\"A\"", "\"a\""));
}

TEST(NamesEtagTest, ReadsLists) {
  EXPECT_TRUE(names_etag("\"x\", W/\"y\" ,\"a\"", "\"a\""));
  EXPECT_TRUE(names_etag("\"x,y\",\"a\"", "\"a\""));
  EXPECT_TRUE(names_etag("\"x,y\"", "\"x,y\""));
  EXPECT_FALSE(names_etag("\"x,a\"", "\"a\""));
  EXPECT_TRUE(names_etag(" * ", "\"a\""));
}

TEST(NamesEtagTest, StopsAtWhatIsNoTag) {
  EXPECT_FALSE(names_etag("a", "\"a\""));
  EXPECT_FALSE(names_etag("", "\"a\""));
  EXPECT_FALSE(names_etag("\"a", "\"a\""));
  EXPECT_FALSE(names_etag("w/\"a\"", "\"a\""));
  EXPECT_FALSE(names_etag("x, \"a\"", "\"a\""));
}

TEST(NamesEtagTest, StronglyNeedsStrongTagsOnBothSides) {
  EXPECT_TRUE(names_etag_strongly("\"x\", \"a\"", "\"a\""));
  EXPECT_TRUE(names_etag_strongly("*", "\"a\""));
  EXPECT_FALSE(names_etag_strongly("W/\"a\"", "\"a\""));
  EXPECT_FALSE(names_etag_strongly("\"a\"", "W/\"a\""));
}

}  // namespace
}  // namespace reel::api

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/route.h"

namespace reel::api {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Query, DecodesNamesAndValuesOnce) {
  const Query query = *Query::parse("tag.a%2Fb=x%2Cy+z&label=100%25&empty=&bare");
  EXPECT_THAT(query.all(), ElementsAre(Pair("tag.a/b", "x,y z"), Pair("label", "100%"),
                                       Pair("empty", ""), Pair("bare", "")));
}

TEST(Query, FindTellsAbsentFromEmpty) {
  const Query query = *Query::parse("accept_get_urls=&x=1");
  ASSERT_NE(query.find("accept_get_urls"), nullptr);
  EXPECT_EQ(*query.find("accept_get_urls"), "");
  EXPECT_EQ(query.find("accept_storage_ids"), nullptr);
}

TEST(Query, FamiliesKeepTheRestOfTheName) {
  const Query query = *Query::parse("tag.a.b=1&tag.=2&tag_exists.c=true");
  EXPECT_THAT(query.with_prefix("tag."), ElementsAre(Pair("a.b", "1"), Pair("", "2")));
  EXPECT_THAT(query.with_prefix("tag_exists."), ElementsAre(Pair("c", "true")));
}

TEST(Query, EmptyPartsAreSkipped) {
  EXPECT_TRUE(Query::parse("")->all().empty());
  EXPECT_THAT(Query::parse("&&a=1&")->all(), ElementsAre(Pair("a", "1")));
}

TEST(Query, RefusesBrokenEscapesByName) {
  const auto bad_value = Query::parse("limit=%zz");
  ASSERT_FALSE(bad_value);
  EXPECT_EQ(bad_value.error().pointer(), "?limit");
  EXPECT_FALSE(Query::parse("%ff=1"));
  EXPECT_FALSE(Query::parse("a=%c0%af"));
}

TEST(Query, BoundsTheNumberOfParameters) {
  std::string raw;
  for (int i = 0; i < 200; ++i) raw += fmt::format("p{}=1&", i);
  EXPECT_TRUE(Query::parse(raw));
  EXPECT_FALSE(Query::parse(raw + "one=more"));
}

}  // namespace
}  // namespace reel::api

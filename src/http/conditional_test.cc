#include "http/conditional.h"

#include <gtest/gtest.h>

namespace reel::http {
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

TEST(IfNoneMatchTest, LeavesOnlyWhatA304MayHave) {
  api::Headers request;
  request.add("If-None-Match", "\"a\"");
  api::Response answer = api::Response::json(200, "{}");
  answer.headers.add("ETag", "\"a\"");
  answer.headers.add("Vary", "Accept-Encoding");
  apply_if_none_match(request, answer);
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(std::get<std::string>(answer.body), "");
  EXPECT_EQ(answer.headers.find("Content-Type"), nullptr);
  EXPECT_NE(answer.headers.find("ETag"), nullptr);
  EXPECT_NE(answer.headers.find("Vary"), nullptr);
}

TEST(IfNoneMatchTest, OnlyTurnsA200) {
  api::Headers request;
  request.add("If-None-Match", "*");
  api::Response answer = api::Response::json(404, "{}");
  answer.headers.add("ETag", "\"a\"");
  apply_if_none_match(request, answer);
  EXPECT_EQ(answer.status, 404);
  api::Response untagged = api::Response::json(200, "{}");
  apply_if_none_match(request, untagged);
  EXPECT_EQ(untagged.status, 200);
}

}  // namespace
}  // namespace reel::http

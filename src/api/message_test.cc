#include "api/message.h"

#include <gtest/gtest.h>

namespace reel::api {
namespace {

TEST(MethodTest, NamesReadBack) {
  for (const Method method : {Method::get, Method::head, Method::post, Method::put, Method::patch,
                              Method::del, Method::options}) {
    EXPECT_EQ(parse_method(method_name(method)), method);
  }
}

TEST(MethodTest, NamesAreCaseSensitive) {
  EXPECT_EQ(parse_method("get"), std::nullopt);
  EXPECT_EQ(parse_method("GETX"), std::nullopt);
  EXPECT_EQ(parse_method(""), std::nullopt);
  EXPECT_EQ(parse_method("CONNECT"), std::nullopt);
}

TEST(HeadersTest, NamesCompareWithoutCase) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  ASSERT_NE(headers.find("content-TYPE"), nullptr);
  EXPECT_EQ(*headers.find("content-TYPE"), "text/plain");
  EXPECT_EQ(headers.find("Content-Typ"), nullptr);
}

TEST(HeadersTest, FindReturnsTheFirst) {
  Headers headers;
  headers.add("Link", "a");
  headers.add("link", "b");
  EXPECT_EQ(*headers.find("LINK"), "a");
  EXPECT_EQ(headers.all().size(), 2U);
}

TEST(HeadersTest, ListJoinsAllOfAName) {
  Headers headers;
  EXPECT_EQ(headers.list("If-Match"), std::nullopt);
  headers.add("If-Match", "\"a\"");
  headers.add("Age", "1");
  headers.add("if-match", "\"b\", W/\"c\"");
  EXPECT_EQ(headers.list("IF-MATCH"), "\"a\", \"b\", W/\"c\"");
}

TEST(HeadersTest, SetReplacesEveryFieldInPlace) {
  Headers headers;
  headers.add("Link", "a");
  headers.add("Age", "1");
  headers.add("LINK", "b");
  headers.set("link", "c");
  const std::vector<std::pair<std::string, std::string>> expected = {{"Link", "c"}, {"Age", "1"}};
  EXPECT_EQ(headers.all(), expected);
  headers.set("Vary", "Origin");
  EXPECT_EQ(*headers.find("vary"), "Origin");
}

TEST(HeadersTest, RemoveTakesEveryField) {
  Headers headers;
  headers.add("Link", "a");
  headers.add("LINK", "b");
  headers.remove("link");
  headers.remove("absent");
  EXPECT_TRUE(headers.all().empty());
}

TEST(ResponseTest, JsonSetsTheContentType) {
  const Response response = Response::json(201, "{}");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(*response.headers.find("Content-Type"), "application/json");
  EXPECT_EQ(std::get<std::string>(response.body), "{}");
}

TEST(ResponseTest, EmptyHasNeitherBodyNorType) {
  const Response response = Response::empty(204);
  EXPECT_EQ(response.status, 204);
  EXPECT_TRUE(response.headers.all().empty());
  EXPECT_TRUE(std::get<std::string>(response.body).empty());
}

}  // namespace
}  // namespace reel::api

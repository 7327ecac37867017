#include "http/cors.h"

#include <gtest/gtest.h>

namespace reel::http {
namespace {

api::RequestHead preflight(std::string origin) {
  api::RequestHead head;
  head.method = api::Method::options;
  head.path = "/flows";
  head.headers.add("Origin", std::move(origin));
  head.headers.add("Access-Control-Request-Method", "PUT");
  head.headers.add("Access-Control-Request-Headers", "authorization,content-type");
  return head;
}

std::string field(const api::Headers& headers, std::string_view name) {
  const std::string* value = headers.find(name);
  return value == nullptr ? "(none)" : *value;
}

TEST(PreflightTest, AnyOriginWhenAllAreAllowed) {
  const auto answer = preflight_answer({}, preflight("https://a"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(field(answer->headers, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(field(answer->headers, "Access-Control-Allow-Headers"), "authorization,content-type");
  EXPECT_EQ(field(answer->headers, "Access-Control-Max-Age"), "600");
  EXPECT_NE(field(answer->headers, "Access-Control-Allow-Methods").find("PUT"), std::string::npos);
}

TEST(PreflightTest, OnlyListedOriginsOtherwise) {
  const CorsOptions options{{"https://a", "https://b"}, 5};
  const auto good = preflight_answer(options, preflight("https://b"));
  EXPECT_EQ(field(good->headers, "Access-Control-Allow-Origin"), "https://b");
  EXPECT_EQ(field(good->headers, "Vary"), "Origin, Access-Control-Request-Headers");
  const auto foreign = preflight_answer(options, preflight("https://evil"));
  ASSERT_TRUE(foreign);
  EXPECT_EQ(field(foreign->headers, "Access-Control-Allow-Origin"), "(none)");
  EXPECT_EQ(field(foreign->headers, "Vary"), "Origin");
}

TEST(PreflightTest, OtherRequestsAreNone) {
  EXPECT_FALSE(preflight_answer({{}, 5}, preflight("https://a")));
  api::RequestHead plain = preflight("https://a");
  plain.headers.remove("Access-Control-Request-Method");
  EXPECT_FALSE(preflight_answer({}, plain));
  api::RequestHead get = preflight("https://a");
  get.method = api::Method::get;
  EXPECT_FALSE(preflight_answer({}, get));
}

TEST(CorsTest, ExposesPagingToAllowedOrigins) {
  api::RequestHead head;
  head.headers.add("Origin", "https://a");
  api::Headers answer;
  add_cors_headers({}, head, answer);
  EXPECT_EQ(field(answer, "Access-Control-Allow-Origin"), "*");
  EXPECT_NE(field(answer, "Access-Control-Expose-Headers").find("X-Paging-NextKey"),
            std::string::npos);
  EXPECT_EQ(field(answer, "Vary"), "(none)");
}

TEST(CorsTest, ForeignOriginsGetNothingButVary) {
  api::RequestHead head;
  head.headers.add("Origin", "https://evil");
  api::Headers answer;
  answer.add("Vary", "Accept-Encoding");
  add_cors_headers({{"https://a"}, 5}, head, answer);
  EXPECT_EQ(field(answer, "Access-Control-Allow-Origin"), "(none)");
  EXPECT_EQ(field(answer, "Access-Control-Expose-Headers"), "(none)");
  EXPECT_EQ(field(answer, "Vary"), "Accept-Encoding, Origin");
}

TEST(CorsTest, SameOriginAnswersVaryToo) {
  api::Headers answer;
  add_cors_headers({{"https://a"}, 5}, api::RequestHead(), answer);
  EXPECT_EQ(field(answer, "Vary"), "Origin");
}

TEST(VaryTest, NamesEachFieldOnce) {
  api::Headers answer;
  add_vary(answer, "Origin");
  add_vary(answer, "origin");
  add_vary(answer, "Accept-Encoding");
  EXPECT_EQ(field(answer, "Vary"), "Origin, Accept-Encoding");
  api::Headers star;
  star.add("Vary", "*");
  add_vary(star, "Origin");
  EXPECT_EQ(field(star, "Vary"), "*");
}

}  // namespace
}  // namespace reel::http

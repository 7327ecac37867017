#include "http/conditional.h"

#include <gtest/gtest.h>

namespace reel::http {
namespace {

TEST(IfNoneMatchTest, LeavesOnlyWhatA304MayHave) {
  api::Headers request;
  request.add("If-None-Match", "\"a\"");
  api::Response answer = api::Response::json(200, "{}");
  answer.headers.add("ETag", "\"a\"");
  answer.headers.add("Vary", "Accept-Encoding");
  apply_conditions(request, answer);
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
  apply_conditions(request, answer);
  EXPECT_EQ(answer.status, 404);
  api::Response untagged = api::Response::json(200, "{}");
  apply_conditions(request, untagged);
  EXPECT_EQ(untagged.status, 200);
}

TEST(IfMatchTest, RefusesAnotherTag) {
  const auto status = [](const char* field) {
    api::Headers request;
    request.add("If-Match", field);
    api::Response answer = api::Response::json(200, "{}");
    answer.headers.add("ETag", "\"a\"");
    apply_conditions(request, answer);
    return answer.status;
  };
  EXPECT_EQ(status("\"a\""), 200);
  EXPECT_EQ(status("*"), 200);
  EXPECT_EQ(status("\"b\""), 412);
  EXPECT_EQ(status("W/\"a\""), 412);
}

}  // namespace
}  // namespace reel::http

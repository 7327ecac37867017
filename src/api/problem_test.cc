#include "api/problem.h"

#include <gtest/gtest.h>

#include "json/value.h"

namespace reel::api {
namespace {

std::string text(const json::Value& body, std::string_view member) {
  const json::Value* value = body.find(member);
  return value != nullptr && value->as_string() != nullptr ? *value->as_string() : "(none)";
}

json::Value body_of(const Response& response) {
  return *json::parse(std::get<std::string>(response.body));
}

TEST(Problem, TellsTheClientWhereAndWhat) {
  const ManualClock clock;
  const Failure failure = at("/tags/x", invalid("must be a string, not {}", 5));
  const Response response = problem(failure.value(), "req-1", clock);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(*response.headers.find("Content-Type"), "application/json");
  const json::Value body = body_of(response);
  EXPECT_TRUE(problem_shape().check(body));
  EXPECT_EQ(text(body, "type"), "invalid");
  EXPECT_EQ(text(body, "summary"), "Invalid request");
  EXPECT_EQ(text(body, "time"), clock.now().to_string());
  EXPECT_EQ(text(body, "message"), "Must be a string, not 5.");
  EXPECT_EQ(text(body, "request_id"), "req-1");
  EXPECT_EQ(text(body, "pointer"), "/tags/x");
}

TEST(Problem, LeavesOutAnEmptyPointer) {
  const Response response = problem(not_found("flow x").value(), "r", system_clock());
  EXPECT_EQ(body_of(response).find("pointer"), nullptr);
}

TEST(Problem, KeepsInternalsInside) {
  for (const Code code :
       {Code::corrupt, Code::io, Code::internal, Code::read_only, Code::unknown_outcome}) {
    const Failure failure = at("/secret", fail(code, "cannot open /srv/secret"));
    const Response response = problem(failure.value(), "r", system_clock());
    EXPECT_GE(response.status, 500);
    EXPECT_EQ(std::get<std::string>(response.body).find("secret"), std::string::npos);
    EXPECT_EQ(text(body_of(response), "type"), code_name(code));
  }
}

TEST(Problem, EveryCodeHasItsStatus) {
  const std::vector<std::pair<Code, int>> expected = {{Code::invalid, 400},
                                                      {Code::not_found, 404},
                                                      {Code::conflict, 409},
                                                      {Code::too_large, 413},
                                                      {Code::unsupported, 400},
                                                      {Code::corrupt, 500},
                                                      {Code::io, 500},
                                                      {Code::timeout, 503},
                                                      {Code::cancelled, 499},
                                                      {Code::shutting_down, 503},
                                                      {Code::unauthorized, 401},
                                                      {Code::forbidden, 403},
                                                      {Code::overloaded, 503},
                                                      {Code::read_only, 503},
                                                      {Code::unknown_outcome, 500},
                                                      {Code::internal, 500}};
  for (const auto& [code, status] : expected) EXPECT_EQ(http_status(code), status);
}

TEST(Problem, SaysWhenToComeBack) {
  EXPECT_EQ(*problem(overloaded("full").value(), "r", system_clock()).headers.find("Retry-After"),
            "1");
  EXPECT_NE(problem(503, "draining", "r", system_clock()).headers.find("Retry-After"), nullptr);
  EXPECT_EQ(problem(400, "bad", "r", system_clock()).headers.find("Retry-After"), nullptr);
}

TEST(Problem, RefusalsHaveTheSameBody) {
  const Response response = problem(415, "the body must be JSON", "r", system_clock());
  EXPECT_EQ(response.status, 415);
  const json::Value body = body_of(response);
  EXPECT_TRUE(problem_shape().check(body));
  EXPECT_EQ(text(body, "type"), "unsupported_media_type");
  EXPECT_EQ(text(body, "summary"), "Unsupported media type");
  EXPECT_EQ(text(body, "message"), "The body must be JSON.");
}

}  // namespace
}  // namespace reel::api

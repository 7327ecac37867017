#include "api/operation.h"

#include <gtest/gtest.h>

namespace reel::api {
namespace {

std::string words(Method method, std::string_view route, int status = 200) {
  const auto operation = operation_of(method, route, status);
  return operation ? std::string(operation->subject) + " " + std::string(operation->action) : "";
}

TEST(OperationTest, SubjectAndAction) {
  EXPECT_EQ(words(Method::get, "/flows"), "flow read");
  EXPECT_EQ(words(Method::head, "/flows/{flowId}"), "flow read");
  EXPECT_EQ(words(Method::post, "/flows", 201), "flow create");
  EXPECT_EQ(words(Method::put, "/flows/{flowId}", 201), "flow create");
  EXPECT_EQ(words(Method::put, "/flows/{flowId}", 204), "flow update");
  EXPECT_EQ(words(Method::put, "/flows/{flowId}/label", 201), "flow update");
  EXPECT_EQ(words(Method::del, "/flows/{flowId}"), "flow delete");
  EXPECT_EQ(words(Method::del, "/flows/{flowId}/tags/{name}"), "flow update");
  EXPECT_EQ(words(Method::post, "/flows/{flowId}/storage"), "flow update");
  EXPECT_EQ(words(Method::post, "/flows/{flowId}/segments", 201), "segment create");
  EXPECT_EQ(words(Method::del, "/flows/{flowId}/segments"), "segment delete");
  EXPECT_EQ(words(Method::post, "/sources"), "source create");
  EXPECT_EQ(words(Method::del, "/sources/{sourceId}/description"), "source update");
}

TEST(OperationTest, OtherRoutesHaveNone) {
  for (const std::string_view route : {"/", "/service", "/objects", "/flow-delete-requests",
                                       "/playback/flows/{playlist}", "unmatched", "/flowsome"}) {
    EXPECT_EQ(words(Method::get, route), "") << route;
  }
  EXPECT_EQ(words(Method::options, "/flows"), "");
}

}  // namespace
}  // namespace reel::api

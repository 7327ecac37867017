#include "api/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reel::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Route route(Method method, std::string path) {
  return {.method = method, .path = std::move(path), .handler = [](const Call&) {
            return Response::empty(204);
          }};
}

std::vector<Route> some_routes() {
  return {route(Method::get, "/"),
          route(Method::get, "/flows"),
          route(Method::get, "/flows/{flowId}"),
          route(Method::put, "/flows/{flowId}"),
          route(Method::put, "/flows/{flowId}/tags/{name}"),
          route(Method::get, "/flows/special"),
          route(Method::post, "/service"),
          route(Method::get, "/objects/{objectId}")};
}

TEST(Router, FindsTheTemplate) {
  const Router router(some_routes());
  EXPECT_EQ(router.match(Method::get, "/")->route->path, "/");
  EXPECT_EQ(router.match(Method::get, "/flows")->route->path, "/flows");
  const auto match = router.match(Method::put, "/flows/a/tags/b");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->route->path, "/flows/{flowId}/tags/{name}");
  EXPECT_THAT(match->parameters, ElementsAre("a", "b"));
}

TEST(Router, DecodesEachParameterOnce) {
  const Router router(some_routes());
  EXPECT_THAT(router.match(Method::get, "/objects/a%2Fb%252F%25%20+")->parameters,
              ElementsAre("a/b%2F% +"));
  EXPECT_EQ(router.match(Method::get, "/%66lows")->route->path, "/flows");
}

TEST(Router, LiteralsGoBeforeParameters) {
  const Router router(some_routes());
  EXPECT_EQ(router.match(Method::get, "/flows/special")->route->path, "/flows/special");
  EXPECT_EQ(router.match(Method::put, "/flows/special")->route->path, "/flows/{flowId}");
}

TEST(Router, HeadFallsToGetOnly) {
  const Router router(some_routes());
  EXPECT_EQ(router.match(Method::head, "/flows")->route->method, Method::get);
  EXPECT_EQ(router.match(Method::head, "/service")->route, nullptr);
}

TEST(Router, TellsUnknownPathFromUnknownMethod) {
  const Router router(some_routes());
  const auto method = router.match(Method::del, "/flows/x");
  EXPECT_EQ(method->route, nullptr);
  EXPECT_THAT(method->allowed, ElementsAre(Method::get, Method::head, Method::put));
  for (const std::string_view path :
       {"/none", "/flows/", "//flows", "/flows/x/y", "/flows/x/tags", "flows", "", "/flows%2Fx"}) {
    const auto unknown = router.match(Method::get, path);
    ASSERT_TRUE(unknown) << path;
    EXPECT_EQ(unknown->route, nullptr) << path;
    EXPECT_THAT(unknown->allowed, IsEmpty()) << path;
  }
}

TEST(Router, RefusesBrokenEncoding) {
  const Router router(some_routes());
  EXPECT_FALSE(router.match(Method::get, "/objects/%zz"));
  EXPECT_FALSE(router.match(Method::get, "/objects/%FF"));
}

TEST(RouterDeathTest, RefusesAmbiguousTables) {
  EXPECT_DEATH(Router({route(Method::get, "/a"), route(Method::get, "/a")}), "added");
  EXPECT_DEATH(Router({route(Method::get, "/a/{x}"), route(Method::put, "/a/{y}")}), "parameter");
}

}  // namespace
}  // namespace reel::api

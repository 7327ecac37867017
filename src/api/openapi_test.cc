#include "api/openapi.h"

#include <set>

#include <gtest/gtest.h>

#include "json/value.h"

namespace reel::api {
namespace {

using json::Shape;

Route route(Method method, std::string path, std::string id) {
  return {.method = method,
          .path = std::move(path),
          .id = std::move(id),
          .group = "Flows",
          .summary = "Does it",
          .answers = {{200, "Done"}, {404, "No such flow"}},
          .handler = [](const Call&) { return Response::empty(204); }};
}

std::vector<Route> some_routes() {
  const Shape leaf = Shape::object({json::required("id", Shape::string())}).named("Leaf");
  Route get = route(Method::get, "/flows/{flowId}", "GET_flows-flowId");
  get.path_parameters = {{"flowId", Shape::string(), "Which flow"}};
  get.query_parameters = {{"include_timerange", Shape::boolean(), ""},
                          {"limit", Shape::integer(1), ""}};
  get.answers[0].shape = Shape::object({json::optional("leaf", leaf)}).named("Tree");
  Route put = route(Method::put, "/flows/{flowId}", "PUT_flows-flowId");
  put.path_parameters = get.path_parameters;
  put.header_parameters = {{"If-Match", Shape::string(), ""}};
  put.body = leaf;
  Route own_head = route(Method::head, "/media", "HEAD_media");
  Route upload = route(Method::put, "/media", "PUT_media");
  upload.handler = nullptr;
  upload.upload = [](const Call&) -> Result<std::unique_ptr<BodySink>> { return nullptr; };
  Route playlist = route(Method::get, "/media", "GET_media");
  playlist.produces = "text/plain";
  return {get, put, own_head, upload, playlist};
}

//! "get /flows/{flowId}" for every operation of a document.
std::multiset<std::string> operations(const json::Value& document) {
  std::multiset<std::string> found;
  for (const json::Member& path : *document.find("paths")->as_object()) {
    for (const json::Member& operation : *path.value.as_object()) {
      found.insert(operation.name + " " + path.name);
    }
  }
  return found;
}

const json::Value& at(const json::Value& document, const std::vector<std::string>& names) {
  static const json::Value kNone;
  const json::Value* value = &document;
  for (const std::string& name : names) {
    value = value->find(name);
    if (value == nullptr) return kNone;
  }
  return *value;
}

class OpenApi : public testing::Test {
 protected:
  const json::Value document_ = *json::parse(openapi_document(some_routes(), {"T", "8.2", ""}));
};

TEST_F(OpenApi, HasEveryRouteAndItsHeadTwinAndNothingElse) {
  const std::multiset<std::string> expected = {"get /flows/{flowId}", "head /flows/{flowId}",
                                               "put /flows/{flowId}", "head /media",
                                               "put /media",          "get /media"};
  EXPECT_EQ(operations(document_), expected);
  EXPECT_EQ(at(document_, {"paths", "/flows/{flowId}", "head", "operationId"}),
            json::Value("HEAD_flows-flowId"));
}

TEST_F(OpenApi, DescribesParameters) {
  EXPECT_EQ(json::to_text(at(document_, {"paths", "/flows/{flowId}", "get", "parameters"})),
            R"([{"name":"flowId","in":"path","required":true,"description":"Which flow",)"
            R"("schema":{"type":"string"}},)"
            R"({"name":"include_timerange","in":"query","schema":{"type":"boolean"}},)"
            R"({"name":"limit","in":"query","schema":{"type":"integer","minimum":1}}])");
}

TEST_F(OpenApi, DescribesHeaders) {
  const json::Value& parameters = at(document_, {"paths", "/flows/{flowId}", "put", "parameters"});
  ASSERT_EQ(parameters.as_array()->size(), 2U);
  EXPECT_EQ(json::to_text(parameters.as_array()->back()),
            R"({"name":"If-Match","in":"header","schema":{"type":"string"}})");
}

TEST_F(OpenApi, DescribesBodiesByReference) {
  EXPECT_EQ(json::to_text(at(document_, {"paths", "/flows/{flowId}", "put", "requestBody"})),
            R"({"required":true,"content":{"application/json":)"
            R"({"schema":{"$ref":"#/components/schemas/Leaf"}}}})");
  EXPECT_EQ(json::to_text(at(document_, {"paths", "/media", "put", "requestBody", "content"})),
            R"({"*/*":{}})");
}

TEST_F(OpenApi, DescribesAnswers) {
  const json::Value& answers = at(document_, {"paths", "/flows/{flowId}", "get", "responses"});
  EXPECT_EQ(json::to_text(at(answers, {"200"})),
            R"({"description":"Done","content":{"application/json":)"
            R"({"schema":{"$ref":"#/components/schemas/Tree"}}}})");
  EXPECT_EQ(at(answers, {"404", "content", "application/json", "schema", "$ref"}),
            json::Value("#/components/schemas/Problem"));
  EXPECT_NE(answers.find("default"), nullptr);
  EXPECT_EQ(json::to_text(at(document_, {"paths", "/flows/{flowId}", "head", "responses", "200"})),
            R"({"description":"Done"})");
  EXPECT_TRUE(at(document_, {"paths", "/media", "get", "responses", "200", "content", "text/plain"})
                  .as_object());
}

TEST_F(OpenApi, CollectsNamedShapes) {
  const json::Value& schemas = at(document_, {"components", "schemas"});
  EXPECT_NE(schemas.find("Leaf"), nullptr);
  EXPECT_NE(schemas.find("Problem"), nullptr);
  EXPECT_EQ(json::to_text(at(schemas, {"Tree", "properties", "leaf"})),
            R"({"$ref":"#/components/schemas/Leaf"})");
}

TEST(OpenApiDeathTest, RefusesOneNameForTwoShapes) {
  std::vector<Route> routes = some_routes();
  routes[1].body = Shape::string().named("Tree");
  EXPECT_DEATH(openapi_document(routes, {}), "added");
}

}  // namespace
}  // namespace reel::api

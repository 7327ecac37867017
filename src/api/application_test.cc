#include "api/application.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "api/entity_tag.h"
#include "json/value.h"
#include "tams/context.h"

namespace reel::api {
namespace {

using json::Shape;

class NoStore final : public store::RowStore {
 public:
  Result<std::unique_ptr<store::Snapshot>> snapshot() override { return unsupported("no store"); }
  Status commit(store::Batch) override { return unsupported("no store"); }
};

//! No handler here touches the domain.
const tams::Context& no_context() {
  static NoStore store;
  static const tams::Storage storage;
  static events::ChangeSignal changes;
  static const tams::Context context{.store = store,
                                     .storage = storage,
                                     .clock = system_clock(),
                                     .random = system_random(),
                                     .changes = changes};
  return context;
}

Status check_id(std::string_view text) {
  if (text.starts_with("id-")) return {};
  return invalid("must begin with 'id-'");
}

class CountingSink final : public BodySink {
 public:
  Status append(ByteSpan bytes) override {
    count_ += bytes.size();
    return {};
  }
  Response finish() override { return Response::json(200, std::to_string(count_)); }

 private:
  std::size_t count_ = 0;
};

//! Answers with everything that the application made of the request, if GET may show "shown".
Result<Response> echo(const Call& call) {
  if (call.condition) REEL_TRY(call.condition("shown"));
  json::Value out;
  out.set("base", call.base_url);
  json::Array path;
  for (const std::string& part : call.path) path.emplace_back(part);
  out.set("path", std::move(path));
  for (const auto& [name, value] : call.query.all()) out.set("?" + name, value);
  out.set("body", call.body);
  return Response::json(200, json::to_text(out));
}

std::vector<Route> routes() {
  const Parameter id = {"id", Shape::form("id", "^id-", check_id), "Which"};
  return {
      {.method = Method::get,
       .path = "/things/{id}",
       .id = "GET_things-id",
       .path_parameters = {id},
       .query_parameters = {{"limit", Shape::integer(1, 10), ""},
                            {"deep", Shape::boolean(), ""},
                            {"tag.{name}", Shape::string(), ""},
                            {"tag_exists.{name}", Shape::boolean(), ""}},
       .handler = echo},
      {.method = Method::put,
       .path = "/things/{id}",
       .id = "PUT_things-id",
       .path_parameters = {id},
       .header_parameters = {{"If-Match", Shape::string()}, {"X-Count", Shape::integer()}},
       .body = Shape::object({json::required("a", Shape::integer())}),
       .handler = echo,
       .body_bytes_max = 99},
      {.method = Method::post, .path = "/things", .id = "POST_things", .handler = echo},
      {.method = Method::get,
       .path = "/throw",
       .id = "GET_throw",
       .handler = [](const Call&) -> Result<Response> { throw std::runtime_error("secret"); }},
      {.method = Method::put,
       .path = "/bytes/{id}",
       .id = "PUT_bytes",
       .path_parameters = {id},
       .handler = nullptr,
       .upload = [](const Call& call) -> Result<std::unique_ptr<BodySink>> {
         if (call.query.find("signature") == nullptr) return forbidden("no signature");
         return std::make_unique<CountingSink>();
       }},
  };
}

struct Exchange {
  Method method = Method::get;
  std::string path;
  std::string query = {};
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {{"Host", "h:1"}};
  bool tls = false;
};

Response serve(const Exchange& exchange, TamsApplication::Options options = {}) {
  TamsApplication application(routes(), no_context(), std::move(options));
  Request request;
  request.head.method = exchange.method;
  request.head.path = exchange.path;
  request.head.query = exchange.query;
  request.head.request_id = "req-7";
  request.head.tls = exchange.tls;
  for (const auto& [name, value] : exchange.headers) request.head.headers.add(name, value);
  request.body = exchange.body;
  auto admission = application.admit(request.head, auth::Patience::none);
  if (!admission) return std::move(admission).error();
  if (admission->sink) {
    EXPECT_TRUE(admission->sink->append(as_bytes(request.body)));
    return admission->sink->finish();
  }
  return application.handle(*admission, request);
}

std::string body_of(const Response& response) { return std::get<std::string>(response.body); }

std::string member(const Response& response, std::string_view name) {
  const auto body = json::parse(body_of(response));
  const json::Value* value = body ? body->find(name) : nullptr;
  return value != nullptr ? json::to_text(*value) : "(none)";
}

TEST(Application, HandsOverWhatWasAsked) {
  const Response response =
      serve({.path = "/things/id-%2F%25", .query = "limit=3&deep=true&tag.x%2Fy=v&other=1"});
  ASSERT_EQ(response.status, 200) << body_of(response);
  EXPECT_EQ(body_of(response),
            R"({"base":"http://h:1","path":["id-/%"],"?limit":"3","?deep":"true",)"
            R"("?tag.x/y":"v","?other":"1","body":null})");
}

TEST(Application, APrefixNamesTheVersion) {
  const Response response = serve({.path = "/v8.2/things/id-1"});
  ASSERT_EQ(response.status, 200) << body_of(response);
  EXPECT_EQ(member(response, "base"), "\"http://h:1/v8.2\"");
  EXPECT_EQ(member(response, "path"), "[\"id-1\"]");
  EXPECT_EQ(serve({.path = "/v6.0/things/id-1"}).status, 404) << "not of 6.0";
  EXPECT_EQ(serve({.path = "/v8.2things/id-1"}).status, 404);
  const Response document = serve({.path = "/v6.0/openapi.json"});
  ASSERT_EQ(document.status, 200);
  EXPECT_EQ(member(document, "servers"), R"([{"url":"/v6.0"}])");
}

TEST(Application, ChecksParameters) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"limit=0", "\"?limit\""},
      {"limit=11", "\"?limit\""},
      {"limit=ten", "\"?limit\""},
      {"limit=1&limit=2", "\"?limit\""},
      {"deep=True", "\"?deep\""},
      {"deep=", "\"?deep\""},
      {"tag_exists.x=1", "\"?tag_exists.x\""},
      {"tag.=x", "\"?tag.\""},
      {"limit=%zz", "\"?limit\""}};
  for (const auto& [query, pointer] : wrong) {
    const Response response = serve({.path = "/things/id-1", .query = query});
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(member(response, "pointer"), pointer) << query;
  }
  EXPECT_EQ(serve({.path = "/things/id-1", .query = "tag.x=1&tag.y=2"}).status, 200);
}

TEST(Application, AMalformedIdIsNotFound) {
  const Response response = serve({.path = "/things/7"});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(member(response, "type"), "\"not_found\"");
  EXPECT_EQ(member(response, "request_id"), "\"req-7\"");
}

TEST(Application, TellsPathFromMethod) {
  EXPECT_EQ(serve({.path = "/nothing"}).status, 404);
  const Response response = serve({.method = Method::del, .path = "/things/id-1"});
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(*response.headers.find("Allow"), "GET, HEAD, PUT, OPTIONS");
  EXPECT_EQ(serve({.path = "/things/%zz"}).status, 400);
}

TEST(Application, HeadIsAnsweredLikeGet) {
  EXPECT_EQ(body_of(serve({.method = Method::head, .path = "/things/id-1"})),
            body_of(serve({.path = "/things/id-1"})));
}

TEST(Application, ChecksBodies) {
  const auto put = [](std::string body, std::string type = "application/json") {
    return serve({.method = Method::put,
                  .path = "/things/id-1",
                  .body = std::move(body),
                  .headers = {{"Host", "h"}, {"Content-Type", std::move(type)}}});
  };
  EXPECT_EQ(member(put(R"({"a":1})"), "body"), R"({"a":1})");
  EXPECT_EQ(put(R"({"a":1})", "application/JSON; charset=utf-8").status, 200);
  EXPECT_EQ(put(R"({"a":1})", "application/merge+json").status, 200);
  EXPECT_EQ(put(R"({"a":1})", "text/plain").status, 415);
  EXPECT_EQ(put(R"({"a":1})", "image/x+json").status, 415);
  EXPECT_EQ(put(R"({"a":1})", "").status, 415);
  EXPECT_EQ(put("").status, 400);
  EXPECT_EQ(put("{").status, 400);
  const Response wrong = put(R"({"a":"x"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(member(wrong, "pointer"), "\"/a\"");
}

TEST(Application, ChecksHeaders) {
  const auto put = [](std::string name, std::string value) {
    return serve({.method = Method::put,
                  .path = "/things/id-1",
                  .body = R"({"a":1})",
                  .headers = {{"Host", "h"}, {std::move(name), std::move(value)}}});
  };
  EXPECT_EQ(put("x-count", "3").status, 200);
  const Response wrong = put("x-count", "three");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(member(wrong, "pointer"), "\"X-Count\"");
}

TEST(Application, HandsOverTheConditionOfAWrite) {
  const auto put = [](std::string name, std::string value) {
    return serve({.method = Method::put,
                  .path = "/things/id-1",
                  .body = R"({"a":1})",
                  .headers = {{"Host", "h"}, {std::move(name), std::move(value)}}});
  };
  const std::string etag = strong_etag("shown");
  EXPECT_EQ(put("If-Match", "\"x\", " + etag).status, 200);
  EXPECT_EQ(put("If-Match", gzip_etag(etag)).status, 200) << "the same, packed";
  EXPECT_EQ(put("If-Match", "W/" + etag).status, 412) << "a weak tag never matches strongly";
  EXPECT_EQ(put("If-None-Match", "W/" + etag).status, 412);
  EXPECT_EQ(put("If-None-Match", "*").status, 412);
  EXPECT_EQ(put("If-None-Match", "\"x\"").status, 200);
}

TEST(Application, RefusesConditionsThatARouteDoesNotKnow) {
  const auto get = [](const std::string& path) {
    return serve({.path = path, .headers = {{"Host", "h"}, {"If-Match", "\"x\""}}}).status;
  };
  EXPECT_EQ(get("/things/id-1"), 200) << "of reads the edge takes care";
  const Response refused = serve(
      {.method = Method::post, .path = "/things", .headers = {{"Host", "h"}, {"If-Match", "*"}}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(member(refused, "type"), "\"unsupported\"");
}

TEST(Application, AdmitsBodiesUpToTheRoutesLimit) {
  TamsApplication application(routes(), no_context(), {});
  RequestHead head;
  head.method = Method::put;
  head.path = "/things/id-1";
  EXPECT_EQ(application.admit(head, auth::Patience::none)->body_bytes_max, 99U);
  EXPECT_EQ(application.admit(head, auth::Patience::none)->route, "/things/{id}");
}

TEST(Application, UploadsGoToTheSink) {
  EXPECT_EQ(body_of(serve({.method = Method::put,
                           .path = "/bytes/id-1",
                           .query = "signature=x",
                           .body = "12345",
                           .headers = {{"Host", "h"}, {"Content-Type", "video/mp4"}}})),
            "5");
  EXPECT_EQ(serve({.method = Method::put, .path = "/bytes/id-1"}).status, 403);
  EXPECT_EQ(serve({.method = Method::put, .path = "/bytes/1", .query = "signature=x"}).status, 404);
}

TEST(Application, AnExceptionIsA500WithoutDetails) {
  const Response response = serve({.path = "/throw"});
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(body_of(response).find("secret"), std::string::npos);
}

TEST(Application, BaseUrlIsWhatClientsSee) {
  const auto base = [](std::vector<std::pair<std::string, std::string>> headers,
                       TamsApplication::Options options = {}, bool tls = false) {
    return member(serve({.path = "/things/id-1", .headers = std::move(headers), .tls = tls},
                        std::move(options)),
                  "base");
  };
  const std::vector<std::pair<std::string, std::string>> forwarded = {
      {"Host", "inner:8000"},
      {"X-Forwarded-Proto", "https"},
      {"X-Forwarded-Host", "media.example.com, proxy"},
      {"X-Forwarded-Prefix", "/tams/"}};
  EXPECT_EQ(base({{"Host", "a.b:8000"}}), "\"http://a.b:8000\"");
  EXPECT_EQ(base({{"Host", "[::1]:8000"}}, {}, true), "\"https://[::1]:8000\"");
  EXPECT_EQ(base(forwarded), "\"http://inner:8000\"");
  EXPECT_EQ(base(forwarded, {.trust_forwarded = true}), "\"https://media.example.com/tams\"");
  EXPECT_EQ(base(forwarded, {.public_url = "https://x/y"}), "\"https://x/y\"");
  EXPECT_EQ(serve({.path = "/things/id-1", .headers = {{"Host", "a\"b"}}}).status, 400);
  EXPECT_EQ(serve({.path = "/things/id-1", .headers = {}}).status, 400);
}

TEST(Application, ServesItsOwnDescription) {
  const Response response = serve({.path = "/openapi.json"});
  ASSERT_EQ(response.status, 200);
  const auto document = json::parse(body_of(response));
  ASSERT_TRUE(document);
  ASSERT_NE(document->find("paths"), nullptr);
  EXPECT_NE(document->find("paths")->find("/openapi.json"), nullptr);
}

}  // namespace
}  // namespace reel::api

#include "api/parameters.h"
#include "api/routes.h"
#include "tams/access.h"
#include "tams/search.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

constexpr std::int64_t kHitsMax = 100;

Result<Response> search(const Call& call) {
  tams::SearchQuery query{.text = *call.query.find("q"),
                          .tags = tams::visible_to(caller(call), {})};
  if (const std::string* type = call.query.find("type")) {
    query.sources = *type == "source";
    query.flows = *type == "flow";
  }
  if (const auto limit = integer(call.query, "limit")) {
    query.limit = static_cast<std::size_t>(*limit);
  }
  REEL_ASSIGN(const auto hits, tams::search(call.tams, query));
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const tams::SearchHit& hit : hits) {
    const std::string_view type = hit.is_flow ? "flow" : "source";
    out.begin_object();
    out.field("type", type);
    out.field("id", std::string_view(hit.id.to_string()));
    out.field("score", hit.score);
    out.raw_field(type, hit.document);
    out.end_object();
  }
  out.end_array();
  return Response::json(200, std::move(text));
}

}  // namespace

std::vector<Route> search_routes() {
  return {{.method = Method::get,
           .path = "/search",
           .id = "GET_search",
           .group = "Search",
           .summary = "Find sources and flows by words, their beginnings, or words like them",
           .needs = auth::Need::read,
           .confinement = Confinement::filtered,
           .query_parameters = {{.name = "q",
                                 .shape = json::Shape::string(256),
                                 .doc = "Words of labels, descriptions, tags and codecs",
                                 .required = true},
                                {"type", json::Shape::choice({"source", "flow"}), "Only these"},
                                {"limit", json::Shape::integer(1, kHitsMax),
                                 "At most this many; default 20"}},
           .answers = {{200, "The best fitting first", tams::shape::search_hits()}, bad_request()},
           .handler = search}};
}

}  // namespace reel::api

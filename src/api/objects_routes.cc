#include "api/parameters.h"
#include "api/routes.h"
#include "tams/access.h"
#include "tams/objects.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

Result<Response> get_object(const Call& call) {
  tams::ObjectQuery query;
  query.urls = url_selection(call.query);
  query.flow_tags = tams::visible_to(caller(call), tag_filter(call.query, "flow_tag"));
  REEL_ASSIGN(query.page, page_request(call));
  REEL_ASSIGN(auto view, tams::get_object(call.tams, caller(call), call.path[0], query));
  Response response = Response::json(200, std::move(view.document));
  add_paging(response, call, view.page);
  return response;
}

}  // namespace

std::vector<Route> object_routes() {
  return {
      {.method = Method::get,
       .path = "/objects/{objectId}",
       .id = "GET_objects",
       .group = "Objects",
       .summary = "One object and the flows that use it",
       .needs = auth::Need::read,
       .confinement = Confinement::object,
       .path_parameters = {{"objectId", json::Shape::string(), "The object, URL-encoded"}},
       .query_parameters = join(
           {url_parameters(), tag_parameters("flow_tag", "referencing flows"), page_parameters()}),
       .answers = {{200, "The object", tams::shape::object()}, bad_request(), not_found_answer()},
       .handler = get_object,
       .inline_read = true}};
}

}  // namespace reel::api

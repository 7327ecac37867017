#include "api/parameters.h"
#include "api/routes.h"
#include "tams/deletions.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

DeletionId request_id(const Call& call) { return *DeletionId::parse(call.path[0]); }

Result<Response> list_requests(const Call& call) {
  auto order = tams::DeletionOrder::created;
  if (text(call.query, "sort_by") == "expiry") order = tams::DeletionOrder::expiry;
  REEL_ASSIGN(auto page,
              tams::list_deletion_requests(call.tams, caller(call), order, page_request(call)));
  return paged(call, std::move(page));
}

Result<Response> get_request(const Call& call) {
  REEL_ASSIGN(std::string text,
              tams::get_deletion_request(call.tams, caller(call), request_id(call)));
  return Response::json(200, std::move(text));
}

Result<Response> post_request(const Call& call) {
  REEL_ASSIGN(auto request, tams::request_deletion(call.tams, caller(call), call.body));
  return deletion_answer(call, 201, std::move(request));
}

}  // namespace

std::vector<Route> deletion_routes() {
  const std::string group = "Flow delete requests";
  const std::string path = "/flow-delete-requests";
  return {
      {.method = Method::get,
       .path = path,
       .id = "GET_flow-delete-requests",
       .group = group,
       .summary = "List deletions, running ones and those that ended lately",
       .needs = auth::Need::read,
       .confinement = Confinement::filtered,
       .query_parameters = join({{reverse_parameter(),
                                  {"sort_by", json::Shape::choice({"created", "expiry"}),
                                   "Most recent first; default created"}},
                                 page_parameters()}),
       .answers = {{200, "A page of deletion requests",
                    json::Shape::array(shape::deletion_request())},
                   bad_request()},
       .handler = list_requests},
      {.method = Method::post,
       .path = path,
       .id = "POST_flow-delete-requests",
       .group = group,
       .summary = "Delete a flow, or the segments in a range, without waiting for it",
       .needs = auth::Need::erase,
       .confinement = Confinement::filtered,
       .body = shape::deletion_post(),
       .answers = {{201, "Requested", shape::deletion_request()},
                   bad_request(),
                   forbidden_answer(),
                   not_found_answer()},
       .handler = post_request},
      {.method = Method::get,
       .path = path + "/{requestId}",
       .id = "GET_flow-delete-requests-requestId",
       .group = group,
       .summary = "One deletion and how far it is",
       .needs = auth::Need::read,
       .confinement = Confinement::filtered,
       .path_parameters = {{"requestId", shape::uuid(), "The deletion request"}},
       .answers = {{200, "The deletion request", shape::deletion_request()}, not_found_answer()},
       .handler = get_request,
       .inline_read = true}};
}

}  // namespace reel::api

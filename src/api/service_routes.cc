#include "api/parameters.h"
#include "api/routes.h"
#include "tams/service.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

Result<Response> get_root(const Call&) {
  return Response::json(200, R"(["service","sources","flows","flow-delete-requests"])");
}

Result<Response> get_service(const Call& call) {
  REEL_ASSIGN(std::string text, tams::get_service(call.tams));
  return Response::json(200, std::move(text));
}

Result<Response> post_service(const Call& call) {
  REEL_TRY(tams::update_service(call.tams, call.body));
  return Response::empty(200);
}

Result<Response> get_storage_backends(const Call& call) {
  const auto page = page_request(call);
  REEL_ASSIGN(auto backends,
              tams::list_storage_backends(call.tams, tag_filter(call.query, "tag"), page));
  return paged(call, std::move(backends));
}

}  // namespace

std::vector<Route> service_routes() {
  const std::string group = "Service";
  return {
      {.method = Method::get,
       .path = "/",
       .id = "GET_root",
       .group = group,
       .summary = "Top-level paths of this API",
       .needs = auth::Need::identity,
       .confinement = Confinement::harmless,
       .answers = {{200, "Names of paths", json::Shape::array(json::Shape::string())}},
       .handler = get_root,
       .inline_read = true},
      {.method = Method::get,
       .path = "/service",
       .id = "GET_service",
       .group = group,
       .summary = "What this service is",
       .needs = auth::Need::identity,
       .confinement = Confinement::harmless,
       .answers = {{200, "Service information", shape::service()}},
       .handler = get_service,
       .inline_read = true},
      {.method = Method::post,
       .path = "/service",
       .id = "POST_service",
       .group = group,
       .summary = "Set the name and description of this service",
       .needs = auth::Need::admin,
       .body = shape::service_update(),
       .answers = {{200, "Updated"}, bad_request(), forbidden_answer()},
       .handler = post_service},
      {.method = Method::get,
       .path = "/service/storage-backends",
       .id = "GET_storage-backends",
       .group = group,
       .summary = "Where objects can be stored",
       .needs = auth::Need::identity,
       .confinement = Confinement::harmless,
       .query_parameters = join(
           {tag_parameters("tag", "storage backends"), {reverse_parameter()}, page_parameters()}),
       .answers = {{200, "Storage backends, by label", shape::storage_backends()}, bad_request()},
       .handler = get_storage_backends,
       .inline_read = true},
  };
}

}  // namespace reel::api

#include "api/parameters.h"
#include "api/routes.h"
#include "base/percent.h"
#include "tams/access.h"
#include "tams/instances.h"
#include "tams/objects.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

Result<Response> get_object(const Call& call) {
  tams::ObjectQuery query;
  query.urls = url_selection(call.query);
  query.flow_tags = tams::visible_to(caller(call), tag_filter(call.query, "flow_tag"));
  query.page = page_request(call);
  REEL_ASSIGN(auto view, tams::get_object(call.tams, caller(call), call.path[0], query));
  Response response = Response::json(200, std::move(view.document));
  add_paging(response, call, view.page);
  return response;
}

Result<Response> post_object(const Call& call) {
  REEL_ASSIGN(auto created, tams::create_object(call.tams, caller(call), call.body));
  Response response = Response::json(201, std::move(created.document));
  std::string location = call.base_url + "/objects/";
  append_percent_encoded(location, created.id);
  response.headers.set("Location", std::move(location));
  return response;
}

Result<Response> post_instance(const Call& call) {
  REEL_TRY(tams::add_instance(call.tams, call.path[0], call.body));
  return Response::empty(201);
}

Result<Response> delete_instance(const Call& call) {
  const std::string* storage = call.query.find("storage_id");
  const std::string* label = call.query.find("label");
  if ((storage == nullptr) == (label == nullptr)) {
    return at("?storage_id", invalid("name the instance by either storage_id or label"));
  }
  const tams::InstanceName name = storage != nullptr
                                      ? tams::InstanceName(*StorageId::parse(*storage))
                                      : tams::InstanceName(*label);
  REEL_TRY(tams::remove_instance(call.tams, call.path[0], name));
  return Response::empty(204);
}

}  // namespace

std::vector<Route> object_routes() {
  const std::string group = "Objects";
  const std::vector<Parameter> id = {
      {"objectId", json::Shape::string(), "The object, URL-encoded"}};
  return {
      {.method = Method::post,
       .path = "/objects",
       .id = "POST_objects",
       .group = "Objects",
       .summary = "Allocate one object and where to upload it",
       .needs = auth::Need::write,
       .confinement = Confinement::filtered,
       .header_parameters = {idempotency_parameter()},
       .body = tams::shape::object_post(),
       .answers = {{201, "Allocated", tams::shape::object_allocation()},
                   bad_request(),
                   forbidden_answer(),
                   not_found_answer(),
                   reused_key_answer()},
       .handler = post_object},
      {.method = Method::get,
       .path = "/objects/{objectId}",
       .id = "GET_objects",
       .group = group,
       .summary = "One object and the flows that use it",
       .needs = auth::Need::read,
       .confinement = Confinement::object,
       .path_parameters = id,
       .query_parameters = join(
           {url_parameters(), tag_parameters("flow_tag", "referencing flows"), page_parameters()}),
       .answers = {{200, "The object", tams::shape::object()}, bad_request(), not_found_answer()},
       .handler = get_object,
       .inline_read = true},
      {.method = Method::post,
       .path = "/objects/{objectId}/instances",
       .id = "POST_objects-instances",
       .group = group,
       .summary = "Copy an object to another storage backend, or tell another URL of it",
       .needs = auth::Need::write,
       .confinement = Confinement::object,
       .path_parameters = id,
       .body = tams::shape::instance_post(),
       .answers = {{201, "Told, or going to be copied"},
                   bad_request(),
                   forbidden_answer(),
                   not_found_answer()},
       .handler = post_instance},
      {.method = Method::del,
       .path = "/objects/{objectId}/instances",
       .id = "DELETE_objects-instances",
       .group = group,
       .summary = "Remove one instance of an object, but not the last",
       .needs = auth::Need::erase,
       .confinement = Confinement::object,
       .path_parameters = id,
       .query_parameters = {{"storage_id", tams::shape::uuid(), "The instance on this backend"},
                            {"label", json::Shape::string(), "The instance of this label"}},
       .answers = {{204, "Removed"}, bad_request(), forbidden_answer(), not_found_answer()},
       .handler = delete_instance}};
}

}  // namespace reel::api

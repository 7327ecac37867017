#include "api/parameters.h"
#include "api/routes.h"
#include "tams/shapes.h"
#include "tams/trash.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

TrashId trash_id(const Call& call) { return *TrashId::parse(call.path[0]); }

Result<Response> list_trash(const Call& call) {
  REEL_ASSIGN(auto page, tams::list_trash(call.tams, caller(call), page_request(call)));
  return paged(call, std::move(page));
}

Result<Response> get_trash(const Call& call) {
  REEL_ASSIGN(std::string text, tams::get_trash(call.tams, caller(call), trash_id(call)));
  return Response::json(200, std::move(text));
}

Result<Response> restore_trash(const Call& call) {
  REEL_ASSIGN(std::string text, tams::restore_trash(call.tams, caller(call), trash_id(call)));
  return Response::json(200, std::move(text));
}

Result<Response> purge_trash(const Call& call) {
  REEL_ASSIGN(auto request, tams::purge_trash(call.tams, caller(call), trash_id(call)));
  return deleted(call, std::move(request));
}

}  // namespace

std::vector<Route> trash_routes() {
  const std::string group = "Trash";
  const std::string path = "/trash";
  const std::vector<Parameter> id = {{"trashId", shape::uuid(), "The item in the trash"}};
  return {{.method = Method::get,
           .path = path,
           .id = "GET_trash",
           .group = group,
           .summary = "List what was deleted softly, the latest first",
           .needs = auth::Need::read,
           .confinement = Confinement::filtered,
           .query_parameters = join({{reverse_parameter()}, page_parameters()}),
           .answers = {{200, "A page of items", json::Shape::array(shape::trash_item())},
                       bad_request()},
           .handler = list_trash},
          {.method = Method::get,
           .path = path + "/{trashId}",
           .id = "GET_trash-trashId",
           .group = group,
           .summary = "One item of the trash",
           .needs = auth::Need::read,
           .confinement = Confinement::filtered,
           .path_parameters = id,
           .answers = {{200, "The item", shape::trash_item()}, not_found_answer()},
           .handler = get_trash,
           .inline_read = true},
          {.method = Method::del,
           .path = path + "/{trashId}",
           .id = "DELETE_trash-trashId",
           .group = group,
           .summary = "Delete an item for good",
           .needs = auth::Need::erase,
           .confinement = Confinement::filtered,
           .path_parameters = id,
           .answers = deleted_answers({forbidden_answer(), not_found_answer()}),
           .handler = purge_trash},
          {.method = Method::post,
           .path = path + "/{trashId}/restore",
           .id = "POST_trash-trashId-restore",
           .group = group,
           .summary = "Bring an item back, a flow with its segments and collections",
           .needs = auth::Need::write,
           .confinement = Confinement::filtered,
           .path_parameters = id,
           .answers = {{200, "The flow or source", shape::restored()},
                       forbidden_answer(),
                       not_found_answer(),
                       {409, "There is one with the same id", shape::error()}},
           .handler = restore_trash}};
}

}  // namespace reel::api

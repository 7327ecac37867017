#include "api/member_routes.h"

#include "api/parameters.h"
#include "tams/shapes.h"

namespace reel::api {

std::vector<Route> member_routes(const MemberOwner& owner, const std::string& member,
                                 const json::Shape& shape, bool removable) {
  const std::string path = owner.path + "/" + member;
  const std::string id = owner.id + "-" + member;
  std::vector<Route> routes;
  routes.push_back({.method = Method::get,
                    .path = path,
                    .id = "GET_" + id,
                    .group = owner.group,
                    .summary = "The " + member,
                    .needs = auth::Need::read,
                    .confinement = owner.confinement,
                    .path_parameters = owner.path_parameters,
                    .answers = {{200, "The value", shape}, not_found_answer()},
                    .handler = [get = owner.get, member](const Call& call) -> Result<Response> {
                      REEL_ASSIGN(const json::Value value, get(call, member));
                      return Response::json(200, json::to_text(value));
                    },
                    .inline_read = true});
  routes.push_back({.method = Method::put,
                    .path = path,
                    .id = "PUT_" + id,
                    .group = owner.group,
                    .summary = "Set the " + member,
                    .needs = auth::Need::write,
                    .confinement = owner.confinement,
                    .path_parameters = owner.path_parameters,
                    .header_parameters = condition_parameters(),
                    .body = shape,
                    .answers = conditional_answers({{204, "Set"}, bad_request()}),
                    .handler = [set = owner.set, member](const Call& call) -> Result<Response> {
                      REEL_TRY(set(call, member, call.body));
                      return Response::empty(204);
                    }});
  if (!removable) return routes;
  routes.push_back({.method = Method::del,
                    .path = path,
                    .id = "DELETE_" + id,
                    .group = owner.group,
                    .summary = "Remove the " + member,
                    .needs = auth::Need::write,
                    .confinement = owner.confinement,
                    .path_parameters = owner.path_parameters,
                    .header_parameters = condition_parameters(),
                    .answers = conditional_answers({{204, "Removed"}}),
                    .handler = [set = owner.set, member](const Call& call) -> Result<Response> {
                      REEL_TRY(set(call, member, std::nullopt));
                      return Response::empty(204);
                    }});
  return routes;
}

std::vector<Route> tag_routes(const MemberOwner& owner, bool whole) {
  const std::vector<Parameter> path_parameters =
      join({owner.path_parameters, {{"name", json::Shape::string(), "Name of the tag"}}});
  const auto get_tag = [get = owner.get](const Call& call) -> Result<Response> {
    REEL_ASSIGN(const json::Value tags, get(call, "tags"));
    const json::Value* tag = tags.find(call.path.back());
    if (tag == nullptr) return not_found("there is no tag '{}'", call.path.back());
    return Response::json(200, json::to_text(*tag));
  };
  const auto change = [set = owner.set_tag](const Call& call,
                                            std::optional<json::Value> value) -> Result<Response> {
    REEL_TRY(set(call, call.path.back(), std::move(value)));
    return Response::empty(204);
  };
  std::vector<Route> routes = member_routes(owner, "tags", tams::shape::tags());
  if (!whole) routes.resize(1);
  const std::string path = owner.path + "/tags/{name}";
  const std::string id = owner.id + "-tags-name";
  routes.push_back({.method = Method::get,
                    .path = path,
                    .id = "GET_" + id,
                    .group = owner.group,
                    .summary = "One tag",
                    .needs = auth::Need::read,
                    .confinement = owner.confinement,
                    .path_parameters = path_parameters,
                    .answers = {{200, "Its value", tams::shape::tag_value()}, not_found_answer()},
                    .handler = get_tag,
                    .inline_read = true});
  routes.push_back({.method = Method::put,
                    .path = path,
                    .id = "PUT_" + id,
                    .group = owner.group,
                    .summary = "Set one tag",
                    .needs = auth::Need::write,
                    .confinement = owner.confinement,
                    .path_parameters = path_parameters,
                    .header_parameters = condition_parameters(),
                    .body = tams::shape::tag_value(),
                    .answers = conditional_answers({{204, "Set"}, bad_request()}),
                    .handler = [change](const Call& call) { return change(call, call.body); }});
  routes.push_back({.method = Method::del,
                    .path = path,
                    .id = "DELETE_" + id,
                    .group = owner.group,
                    .summary = "Remove one tag",
                    .needs = auth::Need::write,
                    .confinement = owner.confinement,
                    .path_parameters = path_parameters,
                    .header_parameters = condition_parameters(),
                    .answers = conditional_answers({{204, "Removed"}}),
                    .handler = [change](const Call& call) { return change(call, std::nullopt); }});
  return routes;
}

}  // namespace reel::api

#include "api/member_routes.h"
#include "api/parameters.h"
#include "api/routes.h"
#include "tams/access.h"
#include "tams/shapes.h"
#include "tams/sources.h"
#include "tams/trash.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

Result<Response> list_sources(const Call& call) {
  tams::SourceFilter filter;
  filter.label = text(call.query, "label");
  filter.format = text(call.query, "format");
  filter.tags = tams::visible_to(caller(call), tag_filter(call.query, "tag"));
  if (const std::string* ids = call.query.find("collected_by_ids")) {
    filter.collected_by = id_list<SourceId>(*ids);
  }
  auto order = tams::SourceOrder::created;
  if (const std::string* sort_by = call.query.find("sort_by")) {
    if (*sort_by == "updated") order = tams::SourceOrder::updated;
    if (*sort_by == "label") order = tams::SourceOrder::label;
  }
  const auto page = page_request(call);
  REEL_ASSIGN(auto sources, tams::list_sources(call.tams, filter, order, page));
  return paged(call, std::move(sources));
}

Result<Response> get_source(const Call& call) {
  REEL_ASSIGN(std::string text, tams::get_source(call.tams, source_id(call)));
  return Response::json(200, std::move(text));
}

Result<Response> post_source(const Call& call) {
  REEL_ASSIGN(const SourceId id, tams::create_source(call.tams, caller(call), call.body));
  REEL_ASSIGN(std::string text, tams::get_source(call.tams, id));
  Response response = Response::json(201, std::move(text));
  response.headers.set("Location", call.base_url + "/sources/" + id.to_string());
  return response;
}

Result<Response> put_source(const Call& call) {
  REEL_TRY(tams::replace_source(call.tams, caller(call), source_id(call), call.body));
  return get_source(call);
}

Result<Response> delete_source(const Call& call) {
  if (flag(call.query, "soft_delete").value_or(false)) {
    REEL_ASSIGN(const TrashId item, tams::trash_source(call.tams, caller(call), source_id(call)));
    return in_trash(call, item);
  }
  REEL_TRY(tams::delete_source(call.tams, caller(call), source_id(call)));
  return Response::empty(204);
}

//! What TAMS leaves to flows: sources of their own right.
std::vector<Route> created_source_routes() {
  const Answer clash{409, "It exists already", shape::error()};
  return {{.method = Method::post,
           .path = "/sources",
           .id = "POST_sources",
           .group = "Sources",
           .summary = "Create a source, which stays until it is deleted",
           .needs = auth::Need::write,
           .confinement = Confinement::filtered,
           .body = shape::source_post(),
           .answers = {{201, "Created", shape::source()}, bad_request(), forbidden_answer(), clash},
           .handler = post_source},
          {.method = Method::put,
           .path = "/sources/{sourceId}",
           .id = "PUT_sources-sourceId",
           .group = "Sources",
           .summary = "Replace label, description and tags of a source",
           .needs = auth::Need::write,
           .confinement = Confinement::source,
           .path_parameters = {source_id_parameter()},
           .header_parameters = condition_parameters(),
           .body = shape::source_put(),
           .answers = conditional_answers({{200, "Replaced", shape::source()}, bad_request()}),
           .handler = put_source},
          {.method = Method::del,
           .path = "/sources/{sourceId}",
           .id = "DELETE_sources-sourceId",
           .group = "Sources",
           .summary = "Delete a source that has no flows",
           .needs = auth::Need::erase,
           .confinement = Confinement::source,
           .path_parameters = {source_id_parameter()},
           .query_parameters = {soft_delete_parameter()},
           .header_parameters = condition_parameters(),
           .answers = conditional_answers(
               {{204, "Deleted"}, bad_request(), {409, "It has flows", shape::error()}}),
           .handler = delete_source}};
}

const MemberOwner& sources() {
  static const MemberOwner owner{
      .path = "/sources/{sourceId}",
      .id = "sources-sourceId",
      .group = "Sources",
      .confinement = Confinement::source,
      .path_parameters = {source_id_parameter()},
      .get =
          [](const Call& call, std::string_view member) {
            return tams::get_source_member(call.tams, source_id(call), member);
          },
      .set =
          [](const Call& call, std::string_view member, std::optional<json::Value> value) {
            return tams::set_source_member(call.tams, caller(call), source_id(call), member,
                                           std::move(value));
          },
      .set_tag =
          [](const Call& call, std::string_view name, std::optional<json::Value> value) {
            return tams::set_source_tag(call.tams, caller(call), source_id(call), name,
                                        std::move(value));
          }};
  return owner;
}

}  // namespace

std::vector<Route> source_routes() {
  std::vector<Route> routes = {
      {.method = Method::get,
       .path = "/sources",
       .id = "GET_sources",
       .group = "Sources",
       .summary = "List sources",
       .needs = auth::Need::read,
       .confinement = Confinement::filtered,
       .query_parameters = join({{{"label", json::Shape::string(), "Only with exactly this label"},
                                  reverse_parameter(),
                                  {"sort_by", json::Shape::choice({"created", "updated", "label"}),
                                   "Most recent first, or by label; default created"},
                                  {"format", shape::content_format(), "Only of this format"},
                                  {"collected_by_ids", uuid_list(),
                                   "Only collected by one of these sources; empty: by none"}},
                                 tag_parameters("tag", "sources"),
                                 page_parameters()}),
       .answers = {{200, "A page of sources", json::Shape::array(shape::source())}, bad_request()},
       .handler = list_sources},
      {.method = Method::get,
       .path = "/sources/{sourceId}",
       .id = "GET_sources-sourceId",
       .group = "Sources",
       .summary = "One source",
       .needs = auth::Need::read,
       .confinement = Confinement::source,
       .path_parameters = {source_id_parameter()},
       .answers = {{200, "The source", shape::source()}, not_found_answer()},
       .handler = get_source,
       .inline_read = true}};
  for (auto part : {created_source_routes(), tag_routes(sources()),
                    member_routes(sources(), "description", json::Shape::string()),
                    member_routes(sources(), "label", json::Shape::string())}) {
    routes.insert(routes.end(), part.begin(), part.end());
  }
  return routes;
}

}  // namespace reel::api

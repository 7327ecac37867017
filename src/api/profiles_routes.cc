#include "api/parameters.h"
#include "api/routes.h"
#include "tams/profiles.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

ProfileId profile_id(const Call& call) { return *ProfileId::parse(call.path[0]); }

Result<Response> list_profiles(const Call& call) {
  const tams::ProfileFilter filter{.format = text(call.query, "format"),
                                   .codec = text(call.query, "codec"),
                                   .label = text(call.query, "label")};
  const auto page = page_request(call);
  REEL_ASSIGN(auto profiles, tams::list_profiles(call.tams, filter, page));
  return paged(call, std::move(profiles));
}

Result<Response> get_profile(const Call& call) {
  REEL_ASSIGN(std::string text, tams::get_profile(call.tams, profile_id(call)));
  return Response::json(200, std::move(text));
}

Result<Response> post_profile(const Call& call) {
  REEL_ASSIGN(std::string text,
              tams::create_profile(call.tams, caller(call), profile_id(call), call.body));
  return Response::json(201, std::move(text));
}

}  // namespace

std::vector<Route> profile_routes() {
  const std::string group = "Profiles";
  const std::vector<Parameter> id = {{"profileId", shape::uuid(), "The profile"}};
  return {
      {.method = Method::get,
       .path = "/service/profiles",
       .id = "GET_profiles",
       .group = group,
       .summary = "List profiles",
       .needs = auth::Need::read,
       .confinement = Confinement::harmless,
       .query_parameters = join({{{"format", shape::content_format(), "Only of this format"},
                                  {"codec", shape::mime_type(), "Only with this codec"},
                                  {"label", json::Shape::string(), "Only with exactly this label"}},
                                 page_parameters()}),
       .answers = {{200, "A page of profiles", json::Shape::array(shape::profile())},
                   bad_request()},
       .handler = list_profiles,
       .inline_read = true},
      {.method = Method::get,
       .path = "/service/profiles/{profileId}",
       .id = "GET_profiles-profileId",
       .group = group,
       .summary = "One profile",
       .needs = auth::Need::read,
       .confinement = Confinement::harmless,
       .path_parameters = id,
       .answers = {{200, "The profile", shape::profile()}, not_found_answer()},
       .handler = get_profile,
       .inline_read = true},
      {.method = Method::post,
       .path = "/service/profiles/{profileId}",
       .id = "POST_profiles-profileId",
       .group = group,
       .summary = "Create a profile; it never changes",
       .needs = auth::Need::write,
       .path_parameters = id,
       .body = shape::profile(),
       .answers = {{201, "Created", shape::profile()}, bad_request(), not_found_answer()},
       .handler = post_profile}};
}

}  // namespace reel::api

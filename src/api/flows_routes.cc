#include "api/member_routes.h"
#include "api/parameters.h"
#include "api/routes.h"
#include "tams/access.h"
#include "tams/deletions.h"
#include "tams/flat_flow.h"
#include "tams/flows.h"
#include "tams/shapes.h"
#include "tams/trash.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

tams::FlowFilter flow_filter(const Query& query) {
  tams::FlowFilter filter;
  if (const std::string* id = query.find("source_id")) filter.source_id = *SourceId::parse(*id);
  if (query.find("timerange") != nullptr) filter.timerange = timerange(query);
  filter.format = text(query, "format");
  filter.codec = text(query, "codec");
  if (const std::string* id = query.find("profile_id")) filter.profile_id = *ProfileId::parse(*id);
  filter.label = text(query, "label");
  filter.status = text(query, "status");
  filter.frame_width = integer(query, "frame_width");
  filter.frame_height = integer(query, "frame_height");
  filter.init_segments = flag(query, "init_segments");
  filter.tags = tag_filter(query, "tag");
  if (const std::string* ids = query.find("collected_by_ids")) {
    filter.collected_by = id_list<FlowId>(*ids);
  }
  return filter;
}

Result<Response> list_flows(const Call& call) {
  auto order = tams::FlowOrder::created;
  if (const std::string* sort_by = call.query.find("sort_by")) {
    if (*sort_by == "metadata_updated") order = tams::FlowOrder::metadata_updated;
    if (*sort_by == "label") order = tams::FlowOrder::label;
  }
  const auto page = page_request(call);
  tams::FlowFilter filter = flow_filter(call.query);
  filter.tags = tams::visible_to(caller(call), std::move(filter.tags));
  REEL_ASSIGN(auto flows, tams::list_flows(call.tams, filter, order, page));
  return paged(call, std::move(flows));
}

Result<Response> get_flow(const Call& call) {
  const tams::FlowView view{
      .include_timerange = flag(call.query, "include_timerange").value_or(false),
      .within = timerange(call.query)};
  REEL_ASSIGN(std::string text, tams::get_flow(call.tams, flow_id(call), view));
  return Response::json(200, std::move(text));
}

Response created(const Call& call, FlowId id, std::string document) {
  Response response = Response::json(201, std::move(document));
  response.headers.set("Location", call.base_url + "/flows/" + id.to_string());
  return response;
}

Result<Response> put_flow(const Call& call) {
  REEL_ASSIGN(auto outcome, tams::put_flow(call.tams, caller(call), flow_id(call), call.body));
  if (!outcome.created) return Response::empty(204);
  return created(call, flow_id(call), std::move(outcome.document));
}

Result<Response> post_flow(const Call& call) {
  static const json::Shape kShape = shape::flow_put();
  json::Value flow = tams::unflatten_flow(call.body);
  if (flow.find("id") == nullptr) flow.set("id", Uuid::random(call.tams.random).to_string());
  REEL_TRY(kShape.check(flow));
  const FlowId id = *FlowId::parse(*flow.find("id")->as_string());
  REEL_ASSIGN(auto outcome, tams::create_flow(call.tams, caller(call), id, flow));
  return created(call, id, std::move(outcome.document));
}

Result<Response> delete_flow(const Call& call) {
  if (flag(call.query, "soft_delete").value_or(false)) {
    REEL_ASSIGN(const TrashId item, tams::trash_flow(call.tams, caller(call), flow_id(call)));
    return in_trash(call, item);
  }
  REEL_ASSIGN(auto request, tams::delete_flow(call.tams, caller(call), flow_id(call)));
  return deleted(call, std::move(request));
}

const MemberOwner& flows() {
  static const MemberOwner owner{
      .path = "/flows/{flowId}",
      .id = "flows-flowId",
      .group = "Flows",
      .confinement = Confinement::flow,
      .path_parameters = {flow_id_parameter()},
      .get =
          [](const Call& call, std::string_view member) {
            return tams::get_flow_member(call.tams, flow_id(call), member);
          },
      .set =
          [](const Call& call, std::string_view member, std::optional<json::Value> value) {
            return tams::set_flow_member(call.tams, caller(call), flow_id(call), member,
                                         std::move(value));
          },
      .set_tag =
          [](const Call& call, std::string_view name, std::optional<json::Value> value) {
            return tams::set_flow_tag(call.tams, caller(call), flow_id(call), name,
                                      std::move(value));
          }};
  return owner;
}

std::vector<Parameter> list_parameters() {
  return join(
      {{{"source_id", shape::uuid(), "Only of this source"},
        {"timerange", shape::timerange(), "Only with segments in this range; (): without any"},
        {"format", shape::content_format(), "Only of this format"},
        {"codec", shape::mime_type(), "Only with this codec"},
        {"profile_id", shape::uuid(), "Only made from this profile"},
        {"label", json::Shape::string(), "Only with exactly this label"},
        reverse_parameter(),
        {"sort_by", json::Shape::choice({"created", "metadata_updated", "label"}),
         "Most recent first, or by label; default created"},
        {"status", shape::flow_status(), "Only with this status"},
        {"frame_width", json::Shape::integer(), "Only with this width in pixels"},
        {"frame_height", json::Shape::integer(), "Only with this height in pixels"},
        {"init_segments", json::Shape::boolean(), "Only with (true) or without init segments"},
        {"collected_by_ids", uuid_list(), "Only collected by one of these flows; empty: by none"}},
       tag_parameters("tag", "flows"),
       page_parameters()});
}

std::vector<Route> document_routes() {
  const std::string group = "Flows";
  const std::vector<Parameter> id = {flow_id_parameter()};
  return {{.method = Method::get,
           .path = "/flows",
           .id = "GET_flows",
           .group = group,
           .summary = "List flows",
           .needs = auth::Need::read,
           .confinement = Confinement::filtered,
           .query_parameters = list_parameters(),
           .answers = {{200, "A page of flows", json::Shape::array(shape::flow())}, bad_request()},
           .handler = list_flows},
          {.method = Method::post,
           .path = "/flows",
           .id = "POST_flows",
           .group = group,
           .summary = "Create a flow, whose essence parameters may stand beside its other members",
           .needs = auth::Need::write,
           .confinement = Confinement::filtered,
           .body = shape::flow_post(),
           .answers = {{201, "Created", shape::flow()},
                       bad_request(),
                       forbidden_answer(),
                       {409, "It exists already", shape::error()}},
           .handler = post_flow},
          {.method = Method::get,
           .path = "/flows/{flowId}",
           .id = "GET_flows-flowId",
           .group = group,
           .summary = "One flow",
           .needs = auth::Need::read,
           .confinement = Confinement::flow,
           .path_parameters = id,
           .query_parameters = {{"include_timerange", json::Shape::boolean(),
                                 "Show the time range of its segments"},
                                {"timerange", shape::timerange(),
                                 "Let only segments that overlap this range count"}},
           .answers = {{200, "The flow", shape::flow()}, bad_request(), not_found_answer()},
           .handler = get_flow,
           .inline_read = true},
          {.method = Method::put,
           .path = "/flows/{flowId}",
           .id = "PUT_flows-flowId",
           .group = group,
           .summary = "Create or replace a flow",
           .needs = auth::Need::write,
           .confinement = Confinement::flow,
           .path_parameters = id,
           .header_parameters = condition_parameters(),
           .body = shape::flow_put(),
           .answers = conditional_answers(
               {{201, "Created", shape::flow()}, {204, "Replaced"}, bad_request()}),
           .handler = put_flow},
          {.method = Method::del,
           .path = "/flows/{flowId}",
           .id = "DELETE_flows-flowId",
           .group = group,
           .summary = "Delete a flow and its segments",
           .needs = auth::Need::erase,
           .confinement = Confinement::flow,
           .path_parameters = id,
           .query_parameters = {soft_delete_parameter()},
           .header_parameters = condition_parameters(),
           .answers = conditional_answers(deleted_answers({bad_request()})),
           .handler = delete_flow}};
}

}  // namespace

std::vector<Route> flow_routes() {
  std::vector<Route> routes = document_routes();
  for (auto part :
       {tag_routes(flows()), member_routes(flows(), "description", json::Shape::string()),
        member_routes(flows(), "label", json::Shape::string()),
        member_routes(flows(), "read_only", json::Shape::boolean(), false),
        member_routes(flows(), "flow_collection", shape::flow_collection()),
        member_routes(flows(), "max_bit_rate", shape::bit_rate()),
        member_routes(flows(), "avg_bit_rate", shape::bit_rate())}) {
    routes.insert(routes.end(), part.begin(), part.end());
  }
  return routes;
}

}  // namespace reel::api

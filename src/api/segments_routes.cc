#include "api/member_routes.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/segment_form.h"
#include "tams/access.h"
#include "tams/deletions.h"
#include "tams/objects.h"
#include "tams/segments.h"
#include "tams/shapes.h"
#include "tams/trash.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

Result<Response> list_segments(const Call& call) {
  tams::SegmentQuery query;
  query.timerange = timerange(call.query);
  query.object_id = text(call.query, "object_id");
  query.tags = tag_filter(call.query, "tag");
  query.urls = url_selection(call.query);
  query.include_object_timerange = flag(call.query, "include_object_timerange").value_or(false);
  query.page = page_request(call);
  REEL_ASSIGN(auto page, tams::list_segments(call.tams, caller(call), flow_id(call), query));
  const std::string timerange_text = page.timerange.to_string();
  Response response = paged(call, std::move(page));
  response.headers.set("X-Paging-Timerange", timerange_text);
  return response;
}

std::string failures_document(const std::vector<tams::FailedSegment>& failures) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("failed_segments");
  out.begin_array();
  for (const tams::FailedSegment& failure : failures) {
    out.begin_object();
    out.field("object_id", std::string_view(failure.object_id));
    if (time::TimeRange::parse(failure.timerange)) {
      out.field("timerange", std::string_view(failure.timerange));
    }
    out.key("error");
    write_problem(out, failure.error, failure.at);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return text;
}

Result<Response> post_segments(const Call& call) {
  REEL_TRY(tams::check_objects(call.tams, caller(call), call.body));
  REEL_ASSIGN(const auto failures,
              tams::register_segments(call.tams, caller(call), flow_id(call), call.body));
  if (failures.empty()) return Response::empty(201);
  return Response::json(200, failures_document(failures));
}

json::Shape segment_form_shape() {
  return json::Shape::object({json::required("segment", shape::segment_post()),
                              json::required("file", json::Shape::string())})
      .named("SegmentForm");
}

Result<std::unique_ptr<BodySink>> post_segment_form(const Call& call) {
  // Which request it is would be known only when the media has arrived, and its boundary differs.
  if (call.once) return at("Idempotency-Key", unsupported("a form takes no key"));
  return open_segment_form(call, flow_id(call));
}

Result<Response> delete_segments(const Call& call) {
  if (flag(call.query, "soft_delete").value_or(false)) {
    REEL_ASSIGN(const auto item,
                tams::trash_segments(call.tams, caller(call), flow_id(call), timerange(call.query),
                                     text(call.query, "object_id")));
    return item ? in_trash(call, *item) : Response::empty(204);
  }
  REEL_ASSIGN(auto request,
              tams::delete_segments(call.tams, caller(call), flow_id(call), timerange(call.query),
                                    text(call.query, "object_id")));
  return deleted(call, std::move(request));
}

Result<Response> post_storage(const Call& call) {
  REEL_ASSIGN(std::string text,
              tams::allocate_storage(call.tams, caller(call), flow_id(call), call.body));
  return Response::json(201, std::move(text));
}

tams::SegmentName segment_name(const Call& call) {
  return {.flow = flow_id(call), .start = *time::Timestamp::parse(call.path[1])};
}

const MemberOwner& segments() {
  static const MemberOwner owner{
      .path = "/flows/{flowId}/segments/{start}",
      .id = "flows-flowId-segments-start",
      .group = "Segments",
      .confinement = Confinement::flow,
      .path_parameters = {flow_id_parameter(),
                          {"start", shape::timestamp(), "Where the segment starts"}},
      .get = [](const Call& call,
                std::string_view) { return tams::get_segment_tags(call.tams, segment_name(call)); },
      .set =
          [](const Call& call, std::string_view, std::optional<json::Value> tags) {
            return tams::set_segment_tags(call.tams, caller(call), segment_name(call),
                                          std::move(tags));
          },
      .set_tag =
          [](const Call& call, std::string_view name, std::optional<json::Value> value) {
            return tams::set_segment_tag(call.tams, caller(call), segment_name(call), name,
                                         std::move(value));
          }};
  return owner;
}

Route storage_route() {
  return {.method = Method::post,
          .path = "/flows/{flowId}/storage",
          .id = "POST_flows-flowId-storage",
          .group = "Segments",
          .summary = "Allocate objects and where to upload them",
          .needs = auth::Need::write,
          .confinement = Confinement::flow,
          .path_parameters = {flow_id_parameter()},
          .header_parameters = {idempotency_parameter()},
          .body = shape::storage_request(),
          .answers = {{201, "Where to upload", shape::storage_allocation()},
                      bad_request(),
                      forbidden_answer(),
                      not_found_answer(),
                      reused_key_answer()},
          .handler = post_storage};
}

std::vector<Route> list_routes() {
  const std::string path = "/flows/{flowId}/segments";
  const std::string group = "Segments";
  const std::vector<Parameter> id = {flow_id_parameter()};
  const Parameter object_id{"object_id", json::Shape::string(), "Only segments of this object"};
  return {{.method = Method::get,
           .path = path,
           .id = "GET_flows-flowId-segments",
           .group = group,
           .summary = "List the segments of a flow by time",
           .needs = auth::Need::read,
           .confinement = Confinement::flow,
           .path_parameters = id,
           .query_parameters =
               join({{object_id,
                      {"timerange", shape::timerange(), "Only segments that overlap this range"},
                      reverse_parameter(),
                      {"include_object_timerange", json::Shape::boolean(),
                       "Show the time range of each object"}},
                     tag_parameters("tag", "segments"),
                     url_parameters(),
                     page_parameters()}),
           .answers = {{200, "A page of segments", json::Shape::array(shape::segment())},
                       bad_request(),
                       not_found_answer()},
           .handler = list_segments,
           .inline_read = true},
          {.method = Method::post,
           .path = path,
           .id = "POST_flows-flowId-segments",
           .group = group,
           .summary = "Register one segment or many; as a form, one with its media",
           .needs = auth::Need::write,
           .confinement = Confinement::flow,
           .path_parameters = id,
           .header_parameters = {idempotency_parameter()},
           .body = shape::segments_post(),
           .answers = {{200, "Some segments failed", shape::failed_segments()},
                       {201, "Registered"},
                       bad_request(),
                       forbidden_answer(),
                       not_found_answer(),
                       reused_key_answer()},
           .handler = post_segments,
           .body_bytes_max = 16 << 20,
           .form = Form{.shape = segment_form_shape(), .open = post_segment_form}},
          {.method = Method::del,
           .path = path,
           .id = "DELETE_flows-flowId-segments",
           .group = group,
           .summary = "Delete the segments that a range covers",
           .needs = auth::Need::erase,
           .confinement = Confinement::flow,
           .path_parameters = id,
           .query_parameters = {{"timerange", shape::timerange(),
                                 "Only segments that this range covers completely"},
                                object_id,
                                soft_delete_parameter()},
           .answers = deleted_answers({bad_request(), forbidden_answer(), not_found_answer()}),
           .handler = delete_segments},
          storage_route()};
}

}  // namespace

std::vector<Route> segment_routes() {
  std::vector<Route> routes = list_routes();
  for (Route& route : tag_routes(segments(), true)) routes.push_back(std::move(route));
  return routes;
}

}  // namespace reel::api

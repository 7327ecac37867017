#include "api/parameters.h"
#include "api/routes.h"
#include "tams/audit.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

Result<Response> get_audit(const Call& call) {
  tams::AuditFilter filter{.type = text(call.query, "type"),
                           .actor = text(call.query, "actor"),
                           .flow_id = std::nullopt,
                           .source_id = std::nullopt};
  if (const auto id = text(call.query, "flow_id")) filter.flow_id = *FlowId::parse(*id);
  if (const auto id = text(call.query, "source_id")) filter.source_id = *SourceId::parse(*id);
  const auto page = page_request(call);
  REEL_ASSIGN(auto changes, tams::list_changes(call.tams, filter, page));
  return paged(call, std::move(changes));
}

}  // namespace

std::vector<Route> audit_routes() {
  return {
      {.method = Method::get,
       .path = "/audit",
       .id = "GET_audit",
       .group = "Operations",
       .summary = "Who changed what and when, newest first",
       .needs = auth::Need::admin,
       .query_parameters =
           join({{{"type", json::Shape::string(), "Only changes of this type"},
                  {"actor", json::Shape::string(), "Only changes by this identity"},
                  {"flow_id", shape::uuid(), "Only changes of this flow and its segments"},
                  {"source_id", shape::uuid(), "Only changes of this source and its flows"},
                  reverse_parameter()},
                 page_parameters()}),
       .answers = {{200, "A page of changes", json::Shape::array(shape::change())}, bad_request()},
       .handler = get_audit}};
}

}  // namespace reel::api

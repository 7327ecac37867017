#include "analytics/reports.h"
#include "api/parameters.h"
#include "api/routes.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

using Report = Result<std::string> (*)(const tams::Context&, const analytics::Filter&);

analytics::Filter filter_of(const Query& query) {
  analytics::Filter filter;
  if (const auto id = text(query, "flow_id")) filter.flow = *FlowId::parse(*id);
  if (const auto id = text(query, "source_id")) filter.source = *SourceId::parse(*id);
  if (query.find("timerange") != nullptr) filter.timerange = timerange(query);
  return filter;
}

Route report(const std::string& name, const std::string& summary, const std::string& timerange,
             const json::Shape& answer, Report write) {
  return {.method = Method::get,
          .path = "/analytics/" + name,
          .id = "GET_analytics-" + name,
          .group = "Analytics",
          .summary = summary,
          .needs = auth::Need::read,
          .query_parameters = {{"flow_id", shape::uuid(), "Only this flow"},
                               {"source_id", shape::uuid(), "Only the flows of this source"},
                               {"timerange", shape::timerange(), timerange}},
          .answers = {{200, "The figures, as of now", answer}, bad_request(), not_found_answer()},
          .handler = [write](const Call& call) -> Result<Response> {
            REEL_ASSIGN(std::string text, write(call.tams, filter_of(call.query)));
            return Response::json(200, std::move(text));
          }};
}

Result<Response> get_catalog(const Call& call) {
  REEL_ASSIGN(std::string text, analytics::catalog(call.tams));
  return Response::json(200, std::move(text));
}

}  // namespace

std::vector<Route> analytics_routes() {
  const std::string flows = "Only flows with a segment that overlaps it; (): without segments";
  return {report("flow-usage", "How many flows there are, of which kinds, and their bytes", flows,
                 analytics::shape::flow_usage(), analytics::flow_usage),
          report("storage-usage", "Objects: sizes, reads, and what re-use saves", flows,
                 analytics::shape::storage_usage(), analytics::storage_usage),
          report("time-range-analysis", "Segments: durations, coverage, gaps",
                 "Only segments that overlap it", analytics::shape::time_ranges(),
                 analytics::time_ranges),
          {.method = Method::get,
           .path = "/analytics/catalog-summary",
           .id = "GET_analytics-catalog-summary",
           .group = "Analytics",
           .summary = "Rows of each table, and how many of them are new",
           .needs = auth::Need::read,
           .answers = {{200, "The figures, as of now", analytics::shape::catalog()}},
           .handler = get_catalog}};
}

}  // namespace reel::api

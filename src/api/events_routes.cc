#include <fmt/format.h>

#include "api/event_stream.h"
#include "api/parameters.h"
#include "api/routes.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

Status check_event_type(const std::string& type) { return shape::event_type().check(type); }

Status check_event_types(std::string_view text) {
  for (const std::string& type : comma_list(text)) REEL_TRY(check_event_type(type));
  if (text.ends_with(',')) return invalid("a list does not end in a comma");
  return {};
}

json::Shape event_types() {
  const std::string one = fmt::format("({})", fmt::join(events::kEventTypes, "|"));
  return json::Shape::form("Comma-separated event types", fmt::format("^({0}(,{0})*)?$", one),
                           check_event_types);
}

template <class IdType>
std::optional<std::vector<IdType>> ids(const Query& query, std::string_view name) {
  const std::string* value = query.find(name);
  if (value == nullptr) return std::nullopt;
  return id_list<IdType>(*value);
}

events::EventFilter event_filter(const Query& query) {
  events::EventFilter filter{.types = comma_list(text(query, "types").value_or(""))};
  if (filter.types.empty()) {
    filter.types.assign(events::kEventTypes.begin(), events::kEventTypes.end());
  }
  filter.flow_ids = ids<FlowId>(query, "flow_ids");
  filter.source_ids = ids<SourceId>(query, "source_ids");
  filter.flow_collected_by = ids<FlowId>(query, "flow_collected_by_ids");
  filter.source_collected_by = ids<SourceId>(query, "source_collected_by_ids");
  return filter;
}

//! The header that browsers send when they connect again goes before the parameter, which is still
//! that of the first connection.
Result<std::optional<std::int64_t>> last_event_id(const Call& call) {
  const std::string* field = call.request.head.headers.find("Last-Event-ID");
  if (field == nullptr || field->empty()) return integer(call.query, "last_event_id");
  if (const Status status = json::Shape::integer(0).check_text(*field); !status) {
    return at("Last-Event-ID", invalid("'{}' is not the id of an event", field->substr(0, 64)));
  }
  return std::strtoll(field->c_str(), nullptr, 10);
}

Result<Response> get_events(events::ChangeFeed& feed, const Call& call) {
  REEL_ASSIGN(const auto last, last_event_id(call));
  EventStreamOptions options{
      .caller = caller(call),
      .filter = event_filter(call.query),
      .shaping = {.urls = url_selection(call.query),
                  .include_object_timerange =
                      flag(call.query, "include_object_timerange").value_or(false)},
      .last_event_id = last};
  REEL_ASSIGN(auto stream, EventStream::open(call.tams, feed, std::move(options)));
  Response response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Accel-Buffering", "no");  // or nginx would hold events back
  response.body = std::move(stream);
  return response;
}

std::vector<Parameter> filter_parameters() {
  const std::string flows = "Only events of flows ";
  return {{"types", event_types(), "Only events of these types; default: all"},
          {"flow_ids", uuid_list_or_none(), flows + "with these ids, and of sources"},
          {"source_ids", uuid_list_or_none(), "Only events of these sources and their flows"},
          {"flow_collected_by_ids", uuid_list_or_none(),
           flows + "collected by these, and of sources; empty: collected by none"},
          {"source_collected_by_ids", uuid_list_or_none(),
           "Only events of sources collected by these; empty: collected by none"},
          {"last_event_id", json::Shape::integer(0),
           "Begin behind this event instead of now; the header Last-Event-ID goes before it"},
          {"include_object_timerange", json::Shape::boolean(),
           "Show the objects' time ranges in flows/segments_added"}};
}

}  // namespace

std::vector<Route> event_routes(events::ChangeFeed& feed) {
  return {{.method = Method::get,
           .path = "/events",
           .id = "GET_events",
           .group = "Events",
           .summary = "What happens, as Server-Sent Events",
           .needs = auth::Need::read,
           .query_parameters = join({filter_parameters(), url_parameters()}),
           .answers = {{200, "Events until the client goes", json::Shape::string()}, bad_request()},
           .handler = [&feed](const Call& call) { return get_events(feed, call); },
           .produces = "text/event-stream"}};
}

}  // namespace reel::api

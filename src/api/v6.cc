#include "api/v6.h"

#include <algorithm>
#include <array>

#include "tams/shapes.h"
#include "time/time_range.h"

namespace reel::api {
namespace {

using json::Value;

// --- times ---

//! 6.0 lets numbers begin with zeros: "00:05" is "0:5".
std::string without_padding(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_number = is_digit(text[i]) && (i == 0 || !is_digit(text[i - 1]));
    if (begins_number) {
      while (text[i] == '0' && i + 1 < text.size() && is_digit(text[i + 1])) ++i;
    }
    out.push_back(text[i]);
  }
  return out;
}

json::Shape timerange() {
  return json::Shape::form("TimeRange", R"(^(\[|\()?(-?\d+:\d+)?(_(-?\d+:\d+)?)?(\]|\))?$)",
                           [](std::string_view text) -> Status {
                             REEL_TRY(time::TimeRange::parse(without_padding(text)));
                             return {};
                           });
}

void remove_padding(Value& document, std::string_view name) {
  const Value* member = document.find(name);
  if (member == nullptr || member->as_string() == nullptr) return;
  document.set(name, without_padding(*member->as_string()));
}

// --- bodies: from 6.0 to 8.2. What they leave as it is, the check against 8.2's shape judges. ---

Status read_flow(Value& flow) {
  if (const Value* format = flow.find("format");
      format != nullptr && *format == Value(tams::shape::kImage)) {
    return at("/format", invalid("TAMS 6.0 has no image flows"));
  }
  remove_padding(flow, "timerange");
  // A flow always has technical metadata of its own; empty takes it off a profile.
  flow.set("profile_id", "");
  Value* essence = flow.find("essence_parameters");
  const Value* format = flow.find("format");
  const bool is_video = format != nullptr && *format == Value(tams::shape::kVideo);
  if (is_video && essence != nullptr && essence->as_object() != nullptr &&
      essence->find("frame_rate") == nullptr) {
    essence->set("vfr", true);  // how 8.2 says that there is no one frame rate
  }
  return {};
}

Status read_segment(Value& segment) {
  for (const char* member : {"timerange", "ts_offset", "last_duration"}) {
    remove_padding(segment, member);
  }
  Value* urls = segment.find("get_urls");
  if (urls == nullptr || urls->as_array() == nullptr) return {};
  for (Value& url : *urls->as_array()) {
    if (url.as_object() != nullptr && url.find("label") == nullptr) url.set("label", "");
  }
  return {};
}

//! Only `limit` is of 6.0; other members of the body mean nothing there.
Status read_storage(Value& request) {
  std::erase_if(*request.as_object(), [](const json::Member& m) { return m.name != "limit"; });
  return {};
}

// --- answers: from 8.2 to 6.0 ---

void write_tag(Value& tag) {
  const json::Array* items = tag.as_array();
  if (items == nullptr) return;
  std::string joined;
  for (const Value& item : *items) {
    if (!joined.empty()) joined += ',';
    joined += *item.as_string();
  }
  tag = std::move(joined);
}

void write_tags(Value& tags) {
  if (tags.as_object() == nullptr) return;
  for (json::Member& tag : *tags.as_object()) write_tag(tag.value);
}

void write_collection(Value& items) {
  for (Value& item : *items.as_array()) {
    if (item.find("role") == nullptr) item.set("role", "");
  }
}

void write_entity(Value& document) {
  for (const char* collection : {"flow_collection", "source_collection"}) {
    if (Value* items = document.find(collection)) write_collection(*items);
  }
  if (Value* tags = document.find("tags")) write_tags(*tags);
  document.erase("profile_id");
  if (Value* essence = document.find("essence_parameters")) {
    essence->erase("vfr");
    essence->erase("init_segments");
  }
}

bool is_image(const Value& document) {
  const Value* format = document.find("format");
  return format != nullptr && *format == Value(tams::shape::kImage);
}

void write_get_urls(Value& document) {
  Value* urls = document.find("get_urls");
  if (urls == nullptr) return;
  for (Value& url : *urls->as_array()) {
    std::erase_if(*url.as_object(), [](const json::Member& member) {
      return member.name != "url" && member.name != "label";
    });
  }
}

Status write_flow_or_source(Value& document) {
  if (is_image(document)) return not_found("TAMS 6.0 has no images");
  write_entity(document);
  return {};
}

Status write_flows_or_sources(Value& list) {
  std::erase_if(*list.as_array(), is_image);
  for (Value& document : *list.as_array()) write_entity(document);
  return {};
}

Status write_segments(Value& list) {
  for (Value& segment : *list.as_array()) {
    write_get_urls(segment);
    segment.erase("tags");
    if (Value* init = segment.find("init_object")) write_get_urls(*init);
  }
  return {};
}

Status write_storage(Value& answer) {
  for (Value& object : *answer.find("media_objects")->as_array()) object.erase("presigned");
  return {};
}

Status write_all_tags(Value& tags) {
  write_tags(tags);
  return {};
}

Status write_one_tag(Value& tag) {
  write_tag(tag);
  return {};
}

Status write_collection_only(Value& items) {
  write_collection(items);
  return {};
}

Status write_service(Value& service) {
  service.set("api_version", "6.0");
  return {};
}

Status write_root(Value& names) {
  std::erase_if(*names.as_array(), [](const Value& name) { return name == Value("objects"); });
  return {};
}

// --- the table ---

using Translation = Status (*)(Value& document);
using enum Method;

//! What 6.0 has at a path.
struct Place {
  std::string_view path;
  std::vector<Method> methods;
  std::vector<std::string_view> query = {};  //!< other parameters are not looked at
  Translation read = nullptr;                //!< of a body
  Translation write = nullptr;               //!< of an answer
};

const std::vector<Place>& places() {
  static const std::vector<Place> kPlaces = {
      {.path = "/", .methods = {get}, .write = write_root},
      {.path = "/service", .methods = {get, post}, .write = write_service},
      {.path = "/sources",
       .methods = {get},
       .query = {"label", "format", "tag.{name}", "tag_exists.{name}", "page", "limit"},
       .write = write_flows_or_sources},
      {.path = "/sources/{sourceId}", .methods = {get}, .write = write_flow_or_source},
      {.path = "/sources/{sourceId}/tags", .methods = {get}, .write = write_all_tags},
      {.path = "/sources/{sourceId}/tags/{name}",
       .methods = {get, put, del},
       .write = write_one_tag},
      {.path = "/sources/{sourceId}/description", .methods = {get, put, del}},
      {.path = "/sources/{sourceId}/label", .methods = {get, put, del}},
      {.path = "/flows",
       .methods = {get},
       .query = {"source_id", "timerange", "format", "codec", "label", "tag.{name}",
                 "tag_exists.{name}", "frame_width", "frame_height", "page", "limit"},
       .write = write_flows_or_sources},
      {.path = "/flows/{flowId}",
       .methods = {get, put, del},
       .query = {"include_timerange", "timerange"},
       .read = read_flow,
       .write = write_flow_or_source},
      {.path = "/flows/{flowId}/tags", .methods = {get}, .write = write_all_tags},
      {.path = "/flows/{flowId}/tags/{name}", .methods = {get, put, del}, .write = write_one_tag},
      {.path = "/flows/{flowId}/description", .methods = {get, put, del}},
      {.path = "/flows/{flowId}/label", .methods = {get, put, del}},
      {.path = "/flows/{flowId}/read_only", .methods = {get, put}},
      {.path = "/flows/{flowId}/flow_collection",
       .methods = {get, put, del},
       .write = write_collection_only},
      {.path = "/flows/{flowId}/max_bit_rate", .methods = {get, put, del}},
      {.path = "/flows/{flowId}/avg_bit_rate", .methods = {get, put, del}},
      {.path = "/flows/{flowId}/segments",
       .methods = {get, post, del},
       .query = {"object_id", "timerange", "reverse_order", "accept_get_urls", "page", "limit"},
       .read = read_segment,
       .write = write_segments},
      {.path = "/flows/{flowId}/storage",
       .methods = {post},
       .read = read_storage,
       .write = write_storage},
      {.path = "/flow-delete-requests", .methods = {get}},
      {.path = "/flow-delete-requests/{requestId}", .methods = {get}},
      {.path = "/media/{storageId}/{objectId}", .methods = {get, put}}};
  return kPlaces;
}

//! Writes an answer of 8.2 anew.
Result<Response> translate(Response response, Translation write) {
  auto* text = std::get_if<std::string>(&response.body);
  if (response.status >= 300 || text == nullptr || text->empty()) return response;
  REEL_ASSIGN(Value document, json::parse(*text));
  REEL_TRY(write(document));
  if (document.as_array() != nullptr && response.headers.find("X-Paging-Count") != nullptr) {
    response.headers.set("X-Paging-Count", std::to_string(document.as_array()->size()));
  }
  *text = json::to_text(document);
  return response;
}

//! A condition on what GET shows here.
tams::Condition translate(const tams::Condition& condition, Translation write) {
  if (!condition) return nullptr;
  return [condition, write](const std::optional<std::string>& shown) -> Status {
    if (!shown) return condition(std::nullopt);
    REEL_ASSIGN(Value document, json::parse(*shown));
    REEL_TRY(write(document));
    return condition(json::to_text(document));
  };
}

//! The query without what 6.0 does not know, and with times as 8.2 writes them.
Query translate(const Route& route, const Query& query) {
  Query known;
  for (const auto& [name, value] : query.all()) {
    if (declared_parameter(route, name) == nullptr) continue;
    known.add(name, name == "timerange" ? without_padding(value) : value);
  }
  return known;
}

Route translated(const Route& latest, const Place& place) {
  Route route = latest;
  route.form.reset();
  std::erase_if(route.query_parameters, [&](const Parameter& parameter) {
    return std::find(place.query.begin(), place.query.end(), parameter.name) == place.query.end();
  });
  for (Parameter& parameter : route.query_parameters) {
    if (parameter.name == "timerange") parameter.shape = timerange();
  }
  if (latest.upload || latest.produces != "application/json") return route;
  for (Answer& answer : route.answers) {  // 8.2's shape does not describe what is written anew
    if (answer.shape && answer.status < 300 && place.write) answer.shape = json::Shape::any();
  }
  const Translation read = latest.body ? place.read : nullptr;
  if (read != nullptr) {
    const auto rule = [read, shape = *latest.body](const Value& body) -> Status {
      Value translated_body = body;
      REEL_TRY(read(translated_body));
      return shape.check(translated_body);
    };
    route.body = json::Shape::object({}).with_rule(rule);
  }
  // The handler keeps a copy of the declaration: it needs to know the parameters.
  Route declaration = route;
  route.handler = [declaration = std::move(declaration), read,
                   write = place.write](const Call& call) -> Result<Response> {
    Call inner = call;
    inner.query = translate(declaration, call.query);
    if (write != nullptr) inner.condition = translate(call.condition, write);
    if (read != nullptr) REEL_TRY(read(inner.body));
    REEL_ASSIGN(Response response, declaration.handler(inner));
    if (write == nullptr) return response;
    return translate(std::move(response), write);
  };
  return route;
}

}  // namespace

std::vector<Route> v6_routes(const std::vector<Route>& routes) {
  std::vector<Route> all;
  for (const Place& place : places()) {
    for (const Route& route : routes) {
      const auto& methods = place.methods;
      const bool same = route.path == place.path &&
                        std::find(methods.begin(), methods.end(), route.method) != methods.end();
      if (same) all.push_back(translated(route, place));
    }
  }
  return all;
}

}  // namespace reel::api

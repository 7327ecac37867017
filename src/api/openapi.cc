#include "api/openapi.h"

#include <algorithm>
#include <map>

#include "api/problem.h"
#include "json/writer.h"

namespace reel::api {
namespace {

constexpr std::string_view kJson = "application/json";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

//! "GET_flows" becomes "HEAD_flows".
std::string head_id(std::string_view id) {
  if (id.starts_with("GET_")) id.remove_prefix(4);
  return "HEAD_" + std::string(id);
}

void write_parameters(json::Writer& out, const Route& route) {
  if (route.path_parameters.empty() && route.query_parameters.empty()) return;
  const auto write = [&out](const Parameter& parameter, std::string_view place) {
    out.begin_object();
    out.field("name", parameter.name);
    out.field("in", place);
    if (place == "path") out.field("required", true);
    if (!parameter.doc.empty()) out.field("description", parameter.doc);
    out.key("schema");
    parameter.shape.write_use(out);
    out.end_object();
  };
  out.key("parameters");
  out.begin_array();
  for (const Parameter& parameter : route.path_parameters) write(parameter, "path");
  for (const Parameter& parameter : route.query_parameters) write(parameter, "query");
  out.end_array();
}

struct Content {
  std::string_view type;
  const json::Shape* shape;  //!< nullptr: bytes of any kind
};

//! "content": {type: {"schema": …}, …}
void write_contents(json::Writer& out, const std::vector<Content>& contents) {
  out.key("content");
  out.begin_object();
  for (const Content& content : contents) {
    out.key(content.type);
    out.begin_object();
    if (content.shape != nullptr) {
      out.key("schema");
      content.shape->write_use(out);
    }
    out.end_object();
  }
  out.end_object();
}

void write_content(json::Writer& out, std::string_view type, const json::Shape* shape) {
  write_contents(out, {{type, shape}});
}

void write_body(json::Writer& out, const Route& route) {
  if (!route.body && !route.upload) return;
  out.key("requestBody");
  out.begin_object();
  out.field("required", true);
  std::vector<Content> contents;
  if (route.body) contents.push_back({kJson, &*route.body});
  if (route.form) contents.push_back({"multipart/form-data", &route.form->shape});
  if (route.upload) contents.push_back({"*/*", nullptr});
  write_contents(out, contents);
  out.end_object();
}

void write_answers(json::Writer& out, const Route& route, bool bodies) {
  const json::Shape error = problem_shape();
  out.key("responses");
  out.begin_object();
  for (const Answer& answer : route.answers) {
    out.key(std::to_string(answer.status));
    out.begin_object();
    out.field("description", answer.doc);
    if (bodies && answer.shape) {
      write_content(out, kJson, &*answer.shape);
    } else if (bodies && answer.status >= 400) {
      write_content(out, kJson, &error);
    } else if (bodies && answer.status == 200 && route.produces != kJson) {
      write_content(out, route.produces, nullptr);
    }
    out.end_object();
  }
  out.key("default");
  out.begin_object();
  out.field("description", "Any other refusal or failure");
  if (bodies) write_content(out, kJson, &error);
  out.end_object();
  out.end_object();
}

void write_operation(json::Writer& out, const Route& route, bool head_twin) {
  out.key(head_twin ? "head" : lower(method_name(route.method)));
  out.begin_object();
  out.field("operationId", head_twin ? head_id(route.id) : route.id);
  out.key("tags");
  out.begin_array();
  out.string(route.group);
  out.end_array();
  out.field("summary", route.summary);
  write_parameters(out, route);
  write_body(out, route);
  write_answers(out, route, !head_twin && route.method != Method::head);
  out.end_object();
}

void write_paths(json::Writer& out, const std::vector<Route>& routes) {
  std::map<std::string_view, std::vector<const Route*>> paths;
  for (const Route& route : routes) paths[route.path].push_back(&route);
  out.key("paths");
  out.begin_object();
  for (const auto& [path, operations] : paths) {
    out.key(path);
    out.begin_object();
    const bool has_head = std::any_of(operations.begin(), operations.end(),
                                      [](const Route* r) { return r->method == Method::head; });
    for (const Route* route : operations) {
      if (route->method == Method::get && !has_head) write_operation(out, *route, true);
      write_operation(out, *route, false);
    }
    out.end_object();
  }
  out.end_object();
}

void write_schemas(json::Writer& out, const std::vector<Route>& routes) {
  std::map<std::string, std::string> schemas;
  const auto add = [&schemas](const std::string& name, const json::Shape& shape) {
    std::string text;
    json::Writer writer(text);
    shape.write_schema(writer);
    const auto [entry, added] = schemas.try_emplace(name, text);
    REEL_CHECK(added || entry->second == text);
  };
  problem_shape().each_named(add);
  for (const Route& route : routes) {
    for (const Parameter& parameter : route.path_parameters) parameter.shape.each_named(add);
    for (const Parameter& parameter : route.query_parameters) parameter.shape.each_named(add);
    if (route.body) route.body->each_named(add);
    if (route.form) route.form->shape.each_named(add);
    for (const Answer& answer : route.answers) {
      if (answer.shape) answer.shape->each_named(add);
    }
  }
  out.key("components");
  out.begin_object();
  out.key("schemas");
  out.begin_object();
  for (const auto& [name, schema] : schemas) out.raw_field(name, schema);
  out.end_object();
  out.end_object();
}

}  // namespace

std::string openapi_document(const std::vector<Route>& routes, const DocumentInfo& info) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("openapi", "3.1.0");
  out.key("info");
  out.begin_object();
  out.field("title", info.title);
  out.field("version", info.version);
  if (!info.description.empty()) out.field("description", info.description);
  out.end_object();
  if (!info.base_path.empty()) {
    out.key("servers");
    out.begin_array();
    out.begin_object();
    out.field("url", info.base_path);
    out.end_object();
    out.end_array();
  }
  write_paths(out, routes);
  write_schemas(out, routes);
  out.end_object();
  return text;
}

}  // namespace reel::api

#include "api/openapi.h"

#include <algorithm>
#include <array>
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
  if (route.path_parameters.empty() && route.query_parameters.empty() &&
      route.header_parameters.empty()) {
    return;
  }
  const auto write = [&out](const Parameter& parameter, std::string_view place) {
    out.begin_object();
    out.field("name", parameter.name);
    out.field("in", place);
    if (place == "path" || parameter.required) out.field("required", true);
    if (!parameter.doc.empty()) out.field("description", parameter.doc);
    out.key("schema");
    parameter.shape.write_use(out);
    out.end_object();
  };
  out.key("parameters");
  out.begin_array();
  for (const Parameter& parameter : route.path_parameters) write(parameter, "path");
  for (const Parameter& parameter : route.query_parameters) write(parameter, "query");
  for (const Parameter& parameter : route.header_parameters) write(parameter, "header");
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
  out.field("required", route.body_required);
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
    if (bodies && answer.status >= 400) {
      write_content(out, kJson, answer.shape ? &*answer.shape : &error);
    } else if (bodies && (answer.shape || (answer.status == 200 && route.produces != kJson))) {
      std::vector<Content> contents{{route.produces, answer.shape ? &*answer.shape : nullptr}};
      if (answer.status == 200) {
        for (const std::string& type : route.also_produces) contents.push_back({type, nullptr});
      }
      write_contents(out, contents);
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

struct SecurityScheme {
  std::string_view name;
  std::string_view definition;
};
constexpr std::array kSecuritySchemes = {
    SecurityScheme{"api_key", R"({"type":"apiKey","in":"header","name":"X-Api-Key"})"},
    SecurityScheme{"bearer", R"({"type":"http","scheme":"bearer",)"
                             R"("description":"An API key or a JWT of the configured issuer"})"},
    SecurityScheme{"basic", R"({"type":"http","scheme":"basic"})"},
    SecurityScheme{"access_token",
                   R"({"type":"apiKey","in":"query","name":"access_token",)"
                   R"("description":"For players that cannot set headers; GET and HEAD only"})"},
    SecurityScheme{"signed_url",
                   R"({"type":"apiKey","in":"query","name":"signature",)"
                   R"("description":"A URL that this server signed needs nothing else"})"},
};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void write_security(json::Writer& out, const Route& route, const DocumentInfo& info) {
  if (info.security.empty()) return;
  out.key("security");
  out.begin_array();
  for (const SecurityScheme& scheme : kSecuritySchemes) {
    const bool offered = scheme.name == "signed_url" ? route.takes_signed_url
                         : scheme.name == "access_token" && route.method != Method::get
                             ? false
                             : contains(info.security, scheme.name);
    if (!offered || route.needs == auth::Need::nothing) continue;
    out.begin_object();
    out.raw_field(scheme.name, "[]");
    out.end_object();
  }
  out.end_array();
  out.field("x-permission", auth::need_name(route.needs));
}

void write_security_schemes(json::Writer& out, const DocumentInfo& info) {
  if (info.security.empty()) return;
  out.key("securitySchemes");
  out.begin_object();
  for (const SecurityScheme& scheme : kSecuritySchemes) {
    if (scheme.name == "signed_url" || contains(info.security, scheme.name)) {
      out.raw_field(scheme.name, scheme.definition);
    }
  }
  out.end_object();
}

void write_operation(json::Writer& out, const Route& route, const DocumentInfo& info,
                     bool head_twin) {
  out.key(head_twin ? "head" : lower(method_name(route.method)));
  out.begin_object();
  out.field("operationId", head_twin ? head_id(route.id) : route.id);
  out.key("tags");
  out.begin_array();
  out.string(route.group);
  out.end_array();
  out.field("summary", route.summary);
  write_security(out, route, info);
  write_parameters(out, route);
  write_body(out, route);
  write_answers(out, route, !head_twin && route.method != Method::head);
  out.end_object();
}

void write_paths(json::Writer& out, const std::vector<Route>& routes, const DocumentInfo& info) {
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
      if (route->method == Method::get && !has_head) write_operation(out, *route, info, true);
      write_operation(out, *route, info, false);
    }
    out.end_object();
  }
  out.end_object();
}

void write_components(json::Writer& out, const std::vector<Route>& routes,
                      const DocumentInfo& info) {
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
    for (const Parameter& parameter : route.header_parameters) parameter.shape.each_named(add);
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
  write_security_schemes(out, info);
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
  write_paths(out, routes, info);
  write_components(out, routes, info);
  out.end_object();
  return text;
}

}  // namespace reel::api

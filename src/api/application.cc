#include "api/application.h"

#include <algorithm>
#include <array>
#include <exception>

#include "api/entity_tag.h"
#include "api/multipart.h"
#include "api/v6.h"

namespace reel::api {
namespace {

//! A body that the route does not ask for is read and ignored up to this size.
constexpr std::uint64_t kUnwantedBodyBytesMax = 64 << 10;

// Versions as prefixes of the path: unprefixed is the latest.
constexpr std::string_view kV8Prefix = "/v8.2";
constexpr std::string_view kV6Prefix = "/v6.0";

DocumentInfo document_of_v6(DocumentInfo info) {
  info.version = "6.0";
  info.base_path = kV6Prefix;
  return info;
}

Result<Response> serve_document(const std::string& text) { return Response::json(200, text); }

std::vector<Route> with_document(std::vector<Route> routes, const DocumentInfo& info) {
  const auto document = std::make_shared<std::string>();
  routes.push_back({.method = Method::get,
                    .path = "/openapi.json",
                    .id = "GET_openapi",
                    .group = "Service",
                    .summary = "This API as an OpenAPI 3.1 document",
                    .path_parameters = {},
                    .query_parameters = {},
                    .body = {},
                    .answers = {{200, "The document", json::Shape::any()}},
                    .handler = [document](const Call&) { return serve_document(*document); },
                    .inline_read = true});
  for (const Route& route : routes) {
    const std::vector<std::string> names = template_parameters(route.path);
    REEL_CHECK(names.size() == route.path_parameters.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      REEL_CHECK(names[i] == route.path_parameters[i].name);
    }
    REEL_CHECK((route.handler != nullptr) != (route.upload != nullptr));
  }
  *document = openapi_document(routes, info);
  return routes;
}

//! application/json or application/<anything>+json, with or without parameters; absent is taken for
//! JSON.
bool is_json(const std::string* content_type) {
  if (content_type == nullptr) return true;
  std::string type(content_type->substr(0, content_type->find(';')));
  while (type.ends_with(' ') || type.ends_with('\t')) type.pop_back();
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

//! Parameters that the route does not declare are ignored, as TAMS clients expect.
Status check_query(const Route& route, const Query& query) {
  const auto& all = query.all();
  for (auto parameter = all.begin(); parameter != all.end(); ++parameter) {
    const auto& [name, value] = *parameter;
    std::string_view family;
    const Parameter* declaration = declared_parameter(route, name, &family);
    if (declaration == nullptr) continue;
    if (!family.empty() && name.size() == family.size()) {
      return at("?" + name, invalid("a name must follow '{}'", family));
    }
    const bool repeated = std::any_of(all.begin(), parameter,
                                      [&](const auto& earlier) { return earlier.first == name; });
    if (repeated) return at("?" + name, invalid("the parameter '{}' is given twice", name));
    if (Status status = declaration->shape.check_text(value); !status) {
      return at("?" + name,
                invalid("the parameter '{}' is wrong: {}", name, status.error().message()));
    }
  }
  return {};
}

//! A path that no resource can have is a path where nothing is: TAMS wants 404, not 400.
Status check_path(const Route& route, const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Parameter& parameter = route.path_parameters[i];
    if (Status status = parameter.shape.check_text(values[i]); !status) {
      return not_found("there is nothing at this path: {} '{}' is wrong: {}", parameter.name,
                       values[i], status.error().message());
    }
  }
  return {};
}

Result<json::Value> read_body(const json::Shape& shape, const std::string& text) {
  if (text.empty()) return invalid("a JSON body is required");
  REEL_ASSIGN(json::Value body, json::parse(text));
  REEL_TRY(shape.check(body));
  return body;
}

//! The first of the values that proxies append one after the other.
std::string_view first_of_list(const std::string* header) {
  if (header == nullptr) return {};
  std::string_view value = std::string_view(*header).substr(0, header->find(','));
  while (value.ends_with(' ')) value.remove_suffix(1);
  return value;
}

//! Whether text from a header may become part of a URL that we write.
bool is_url_part(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

//! Runs `body`; an exception becomes an internal error. The one place where exceptions end.
template <class Body>
auto guarded(const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::exception& exception) {
    return internal("unexpected exception: {}", exception.what());
  } catch (...) {
    return internal("unexpected exception of unknown type");
  }
}

}  // namespace

TamsApplication::TamsApplication(std::vector<Route> routes, const tams::Context& context,
                                 Options options)
    : options_(std::move(options)),
      context_(context),
      v6_router_(with_document(v6_routes(routes), document_of_v6(options_.document))),
      router_(with_document(std::move(routes), options_.document)) {}

TamsApplication::Edition TamsApplication::edition_of(std::string_view path) const {
  const std::array<Edition, 2> prefixed = {Edition{kV8Prefix, &router_},
                                           Edition{kV6Prefix, &v6_router_}};
  for (const Edition& edition : prefixed) {
    if (!path.starts_with(edition.prefix)) continue;
    path.remove_prefix(edition.prefix.size());
    if (path.empty() || path.front() == '/') return edition;
    break;
  }
  return {.prefix = {}, .router = &router_};
}

Result<Router::Match> TamsApplication::match(const RequestHead& head, Method method) const {
  const Edition edition = edition_of(head.path);
  const std::string_view path = std::string_view(head.path).substr(edition.prefix.size());
  return edition.router->match(method, path.empty() ? "/" : path);
}

tl::expected<Admission, Response> TamsApplication::admit(const RequestHead& head) {
  const auto refused = [&](const Error& error) {
    return tl::unexpected<Response>(problem(error, head.request_id, *options_.clock));
  };
  const auto found = guarded([&] { return match(head, head.method); });
  if (!found) return refused(found.error());
  if (found->route == nullptr) return tl::unexpected(no_route(head, found->allowed));
  const Route& route = *found->route;
  const std::string* type = head.headers.find("Content-Type");
  const bool form = route.form && type != nullptr && is_form(*type);
  if (route.body && !form && !is_json(type)) {
    return tl::unexpected(refuse(415, "The body must be application/json", head.request_id));
  }
  Admission admission;
  admission.route = route.path;
  admission.route_entry = &route;
  admission.inline_read = route.inline_read;
  admission.body_bytes_max =
      route.body || route.upload ? route.body_bytes_max : kUnwantedBodyBytesMax;
  if (form) admission.body_bytes_max = kUploadBytesMax;
  if (form || route.upload) {
    auto sink =
        guarded([&] { return open_sink(route, form ? route.form->open : route.upload, head); });
    if (!sink) return refused(sink.error());
    admission.sink = *std::move(sink);
  }
  return admission;
}

Response TamsApplication::handle(const Admission& admission, Request& request) {
  const Route& route = *static_cast<const Route*>(admission.route_entry);
  auto response = guarded([&] { return run(route, request); });
  if (response) return *std::move(response);
  return problem(response.error(), request.head.request_id, *options_.clock);
}

Response TamsApplication::refuse(int status, std::string_view message,
                                 std::string_view request_id) {
  return problem(status, message, request_id, *options_.clock);
}

Result<Call> TamsApplication::prepare(const Route& route, const Request& request) const {
  REEL_ASSIGN(Router::Match found, match(request.head, request.head.method));
  REEL_TRY(check_path(route, found.parameters));
  REEL_ASSIGN(Query query, Query::parse(request.head.query));
  REEL_TRY(check_query(route, query));
  REEL_ASSIGN(std::string base, base_url(request.head));
  const std::string_view prefix = edition_of(request.head.path).prefix;
  base += prefix;
  return Call{.tams = context_,
              .request = request,
              .raw_path = std::string_view(request.head.path).substr(prefix.size()),
              .path = std::move(found.parameters),
              .query = std::move(query),
              .body = {},
              .base_url = std::move(base),
              .principal = "anonymous"};
}

Result<Response> TamsApplication::run(const Route& route, const Request& request) const {
  REEL_ASSIGN(Call call, prepare(route, request));
  if (route.body) {
    REEL_ASSIGN(call.body, read_body(*route.body, request.body));
  }
  const std::string* tags = request.head.headers.find("If-Match");
  if (tags != nullptr && route.method != Method::get) {
    REEL_TRY(check_if_match(request, *tags));
  }
  return route.handler(call);
}

Status TamsApplication::check_if_match(const Request& request, const std::string& tags) const {
  const auto failed = [] {
    return at("If-Match", precondition_failed("what is at this path has none of these tags"));
  };
  Request read = {.head = request.head, .body = {}};
  read.head.method = Method::get;
  read.head.query.clear();
  REEL_ASSIGN(const Router::Match found, match(read.head, Method::get));
  if (found.route == nullptr) return failed();
  REEL_ASSIGN(const Call call, prepare(*found.route, read));
  const auto shown = found.route->handler(call);
  if (!shown) return failed();
  const auto* text = std::get_if<std::string>(&shown->body);
  if (text == nullptr) return failed();
  const std::string etag = strong_etag(*text);
  if (names_etag_strongly(tags, etag) || names_etag_strongly(tags, gzip_etag(etag))) return {};
  return failed();
}

Result<std::unique_ptr<BodySink>> TamsApplication::open_sink(const Route& route,
                                                             const UploadHandler& open,
                                                             const RequestHead& head) const {
  const Request request{.head = head, .body = {}};
  REEL_ASSIGN(Call call, prepare(route, request));
  return open(call);
}

Result<std::string> TamsApplication::base_url(const RequestHead& head) const {
  if (!options_.public_url.empty()) return options_.public_url;
  constexpr std::string_view kAuthority = "-._~:[]";
  std::string_view scheme = head.tls ? "https" : "http";
  std::string_view authority = first_of_list(head.headers.find("Host"));
  std::string_view prefix;
  if (options_.trust_forwarded) {
    const std::string_view proto = first_of_list(head.headers.find("X-Forwarded-Proto"));
    if (proto == "http" || proto == "https") scheme = proto;
    const std::string_view host = first_of_list(head.headers.find("X-Forwarded-Host"));
    if (!host.empty()) authority = host;
    prefix = first_of_list(head.headers.find("X-Forwarded-Prefix"));
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
  }
  if (authority.empty() || !is_url_part(authority, kAuthority)) {
    return at("Host", invalid("'{}' is not a host", authority));
  }
  if (!prefix.empty() && (!prefix.starts_with('/') || !is_url_part(prefix, "-._~/%"))) {
    return at("X-Forwarded-Prefix", invalid("'{}' is not a path", prefix));
  }
  return fmt::format("{}://{}{}", scheme, authority, prefix);
}

Response TamsApplication::no_route(const RequestHead& head,
                                   const std::vector<Method>& allowed) const {
  if (allowed.empty()) {
    const auto error = not_found("there is no operation at the path {}", head.path);
    return problem(error.value(), head.request_id, *options_.clock);
  }
  std::string names;
  for (const Method method : allowed) {
    names += method_name(method);
    names += ", ";
  }
  names += method_name(Method::options);
  const std::string message =
      fmt::format("{} is not offered at this path; {} are", method_name(head.method), names);
  Response response = problem(405, message, head.request_id, *options_.clock);
  response.headers.set("Allow", names);
  return response;
}

}  // namespace reel::api

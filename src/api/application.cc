#include "api/application.h"

#include <algorithm>
#include <array>
#include <exception>

#include "api/entity_tag.h"
#include "api/multipart.h"
#include "api/parameters.h"
#include "api/v6.h"
#include "base/percent.h"
#include "tams/access.h"

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
                    .needs = auth::Need::nothing,
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
  for (const Parameter& parameter : route.query_parameters) {
    if (!parameter.required || query.find(parameter.name) != nullptr) continue;
    return at("?" + parameter.name, invalid("the parameter '{}' is required", parameter.name));
  }
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

bool declares_header(const Route& route, std::string_view name) {
  return std::any_of(route.header_parameters.begin(), route.header_parameters.end(),
                     [name](const Parameter& parameter) { return parameter.name == name; });
}

Status check_headers(const Route& route, const Headers& headers) {
  for (const Parameter& parameter : route.header_parameters) {
    const auto value = headers.list(parameter.name);
    if (!value) continue;
    if (Status status = parameter.shape.check_text(*value); !status) {
      return at(parameter.name,
                invalid("the field {} is wrong: {}", parameter.name, status.error().message()));
    }
  }
  return {};
}

//! If-Match and If-None-Match (RFC 9110 13.1); null when the request has neither. GET may show the
//! same in two encodings.
tams::Condition condition_in(const Headers& headers) {
  const auto match = headers.list("If-Match");
  const auto none_match = headers.list("If-None-Match");
  if (!match && !none_match) return nullptr;
  return [match, none_match](const std::optional<std::string>& shown) -> Status {
    const auto named = [&](const std::string& list, auto names) {
      if (!shown) return false;
      const std::string etag = strong_etag(*shown);
      return names(list, etag) || names(list, gzip_etag(etag));
    };
    if (match && !named(*match, names_etag_strongly)) {
      return at("If-Match", precondition_failed("what is at this path has none of these tags"));
    }
    if (none_match && named(*none_match, names_etag)) {
      return at("If-None-Match", precondition_failed("what is at this path has such a tag"));
    }
    return {};
  };
}

//! The key of a request, and what tells it from others.
std::optional<tams::IdempotencyKey> idempotency_key(const Request& request) {
  auto key = request.head.headers.list("Idempotency-Key");
  if (!key) return std::nullopt;
  std::string text = fmt::format("{} {}?{}\n", method_name(request.head.method), request.head.path,
                                 request.head.query);
  text += request.body;
  return tams::IdempotencyKey{.key = *std::move(key), .fingerprint = to_hex(sha256(text))};
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

constexpr std::string_view kAccessToken = "access_token";

std::string_view text_of(const RequestHead& head, std::string_view name) {
  const std::string* value = head.headers.find(name);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

//! The raw value of a parameter whose name is written without escapes; nullopt when absent.
std::optional<std::string_view> raw_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), one.size() + 1));
    if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=') {
      return one.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

bool has_parameter(std::string_view query, std::string_view name) {
  return raw_parameter(query, name).has_value();
}

//! Whether the handler will find a signature, which it then verifies. A name written with escapes
//! is no signature here, so such a request needs a credential as well.
bool has_signature(std::string_view query) { return has_parameter(query, "signature"); }

//! A credential for players, which cannot set headers; so it reads only. Empty when there is none.
Result<std::string> access_token(const RequestHead& head) {
  const auto raw = raw_parameter(head.query, kAccessToken);
  if (!raw) return std::string();
  if (head.method != Method::get && head.method != Method::head) {
    return unauthorized("access_token is for GET and HEAD; send the token in Authorization");
  }
  auto token = percent_decode(*raw, Plus::space);
  if (!token) return unauthorized("access_token is not well encoded");
  return *std::move(token);
}

auth::IdentityPtr named(std::string name, auth::Permissions permissions) {
  return std::make_shared<const auth::Identity>(
      auth::Identity{.name = std::move(name), .permissions = permissions});
}

//! For operations that are open to all.
const auth::IdentityPtr& nobody() {
  static const auth::IdentityPtr identity = named("anonymous", {});
  return identity;
}

//! Where nobody is asked for a credential.
const auth::IdentityPtr& everybody() {
  static const auth::IdentityPtr identity = named("anonymous", {auth::Permission::admin});
  return identity;
}

//! Whoever has a signed URL may do what was signed, which its handler checks.
const auth::IdentityPtr& bearer_of_url() {
  static const auth::IdentityPtr identity = named("signed-url", {});
  return identity;
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
      peer_rate_(options_.peer_rate),
      identity_rate_(options_.identity_rate),
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

tl::expected<Admission, Response> TamsApplication::admit(const RequestHead& head,
                                                         auth::Patience patience) {
  const auto found = guarded([&] { return match(head, head.method); });
  if (!found) return tl::unexpected(refused(found.error(), head));
  if (found->route == nullptr) return tl::unexpected(no_route(head, found->allowed));
  const Route& route = *found->route;
  Admission admission;
  admission.route = route.path;
  auto identity = authorize(route, head, patience);
  if (!identity) return tl::unexpected(std::move(identity).error());
  admission.identity = *std::move(identity);
  admission.undecided = admission.identity == nullptr;
  if (admission.undecided) return admission;
  const std::string* type = head.headers.find("Content-Type");
  const bool form = route.form && type != nullptr && is_form(*type);
  if (route.body && !form && !is_json(type)) {
    return tl::unexpected(refuse(415, "The body must be application/json", head.request_id));
  }
  admission.route_entry = &route;
  admission.inline_read = route.inline_read;
  admission.stoppable = route.stoppable;
  admission.body_bytes_max =
      route.body || route.upload ? route.body_bytes_max : kUnwantedBodyBytesMax;
  if (form) admission.body_bytes_max = kUploadBytesMax;
  if (form || route.upload) {
    const UploadHandler& open = form ? route.form->open : route.upload;
    auto sink = guarded([&] { return open_sink(route, open, head, admission.identity); });
    if (!sink) return tl::unexpected(refused(sink.error(), head));
    admission.sink = *std::move(sink);
  }
  return admission;
}

tl::expected<auth::IdentityPtr, Response> TamsApplication::authorize(const Route& route,
                                                                     const RequestHead& head,
                                                                     auth::Patience patience) {
  const auto now = std::chrono::steady_clock::now();
  const std::string_view peer = peer_of(head);
  // The second, patient look at a request is not a second request.
  if (peer_rate_.enabled() && patience == auth::Patience::none) {
    const auto wait = peer_rate_.take(auth::address_key(peer), now);
    if (wait.count() > 0) return tl::unexpected(slow_down(wait, head.request_id));
  }
  if (route.needs == auth::Need::nothing) return nobody();
  if (route.takes_signed_url && has_signature(head.query)) return bearer_of_url();
  if (options_.authenticator == nullptr) return everybody();
  if (const auto wait = options_.authenticator->blocked_for(peer); wait.count() > 0) {
    return tl::unexpected(slow_down(wait, head.request_id));
  }
  auto identity = guarded([&] { return identify(head, peer, patience); });
  if (!identity) return tl::unexpected(refused(identity.error(), head));
  if (*identity == nullptr) return nullptr;
  if (!auth::satisfies(**identity, route.needs)) {
    const auto error = forbidden("this needs the permission '{}'", auth::need_name(route.needs));
    return tl::unexpected(refused(error.value(), head));
  }
  if (identity_rate_.enabled()) {
    const auto wait = identity_rate_.take((*identity)->name, now);
    if (wait.count() > 0) return tl::unexpected(slow_down(wait, head.request_id));
  }
  return *std::move(identity);
}

Result<auth::IdentityPtr> TamsApplication::identify(const RequestHead& head, std::string_view peer,
                                                    auth::Patience patience) const {
  REEL_ASSIGN(const std::string token, access_token(head));
  return options_.authenticator->identify({.api_key = text_of(head, "X-Api-Key"),
                                           .authorization = text_of(head, "Authorization"),
                                           .access_token = token},
                                          peer, patience);
}

Response TamsApplication::refused(const Error& error, const RequestHead& head) const {
  Response response = problem(error, head.request_id, *options_.clock);
  if (error.code() == Code::unauthorized && options_.authenticator != nullptr) {
    for (const std::string& challenge : options_.authenticator->challenges()) {
      response.headers.add("WWW-Authenticate", challenge);
    }
  }
  return response;
}

Response TamsApplication::slow_down(std::chrono::seconds wait, std::string_view request_id) const {
  Response response = problem(429, fmt::format("Too many requests; wait {} s", wait.count()),
                              request_id, *options_.clock);
  response.headers.set("Retry-After", std::to_string(wait.count()));
  return response;
}

std::string_view TamsApplication::peer_of(const RequestHead& head) const {
  if (!options_.trust_forwarded) return head.peer;
  // What the proxy in front of us appended; what is before it came from the client.
  std::string_view chain = text_of(head, "X-Forwarded-For");
  if (const std::size_t comma = chain.rfind(','); comma != chain.npos) {
    chain.remove_prefix(comma + 1);
  }
  while (chain.starts_with(' ')) chain.remove_prefix(1);
  return chain.empty() ? std::string_view(head.peer) : chain;
}

Response TamsApplication::handle(const Admission& admission, Request& request) {
  const Route& route = *static_cast<const Route*>(admission.route_entry);
  auto response = guarded([&] { return run(route, request, admission.identity); });
  if (!response) return refused(response.error(), request.head);
  // What a token in the URL opened is for its owner: no shared cache may keep it (RFC 6750 §2.3).
  if (has_parameter(request.head.query, kAccessToken)) {
    response->headers.set("Cache-Control", "private, no-store");
  }
  return *std::move(response);
}

Response TamsApplication::refuse(int status, std::string_view message,
                                 std::string_view request_id) {
  return problem(status, message, request_id, *options_.clock);
}

Result<Call> TamsApplication::prepare(const Route& route, const Request& request,
                                      const auth::IdentityPtr& identity) const {
  if (route.needs != auth::Need::nothing) context_.demand->note();  // nobody waits for a probe
  REEL_ASSIGN(Router::Match found, match(request.head, request.head.method));
  REEL_TRY(check_path(route, found.parameters));
  REEL_ASSIGN(Query query, Query::parse(request.head.query));
  REEL_TRY(check_query(route, query));
  REEL_TRY(check_headers(route, request.head.headers));
  REEL_ASSIGN(std::string base, base_url(request.head));
  const std::string_view prefix = edition_of(request.head.path).prefix;
  base += prefix;
  std::optional<tams::IdempotencyKey> once;
  if (declares_header(route, "Idempotency-Key")) once = idempotency_key(request);
  return Call{.tams = context_,
              .request = request,
              .raw_path = std::string_view(request.head.path).substr(prefix.size()),
              .path = std::move(found.parameters),
              .query = std::move(query),
              .body = {},
              .base_url = std::move(base),
              .identity = identity,
              .once = std::move(once)};
}

Status TamsApplication::check_confinement(const Route& route, const Call& call) {
  const tams::Caller who = caller(call);
  if (!who.classes || route.needs == auth::Need::nothing) return {};
  // Of "<id>.m3u8" too, the first 36 characters are the identifier.
  const auto first_id = [&call] { return std::string_view(call.path.front()).substr(0, 36); };
  Result<tams::Access> access = tams::Access::none;
  switch (route.confinement) {
    case Confinement::closed: return forbidden("this is not for callers with auth classes");
    case Confinement::harmless:
    case Confinement::filtered: return {};
    case Confinement::flow:
      access = tams::flow_access(call.tams, who, *FlowId::parse(first_id()));
      break;
    case Confinement::source:
      access = tams::source_access(call.tams, who, *SourceId::parse(first_id()));
      break;
    case Confinement::object: access = tams::object_access(call.tams, who, call.path.back()); break;
  }
  // What is created has no classes yet; the handler gives it the caller's.
  const bool creates = route.method == Method::put && route.path == "/flows/{flowId}";
  const bool absent = !access && access.error().code() == Code::not_found;
  if (absent && creates) return {};
  if (!access && !absent) return Failure(std::move(access).error());
  // The same words for both: what they may not see must not differ from what is not there.
  if (absent || *access == tams::Access::none) return not_found("there is nothing at this path");
  if (route.needs != auth::Need::read && *access != tams::Access::write) {
    return forbidden("you may read what is at this path, not change it");
  }
  return {};
}

Result<Response> TamsApplication::run(const Route& route, const Request& request,
                                      const auth::IdentityPtr& identity) const {
  REEL_ASSIGN(Call call, prepare(route, request, identity));
  REEL_TRY(check_confinement(route, call));
  if (route.body) {
    const bool none = request.body.empty() && !route.body_required;
    REEL_ASSIGN(call.body, read_body(*route.body, none ? "{}" : request.body));
  }
  const bool reads = route.method == Method::get || route.method == Method::head;
  if (!reads) call.condition = condition_in(request.head.headers);
  if (call.condition && !declares_header(route, "If-Match")) {
    return unsupported("this operation takes neither If-Match nor If-None-Match");
  }
  return route.handler(call);
}

Result<std::unique_ptr<BodySink>> TamsApplication::open_sink(
    const Route& route, const UploadHandler& open, const RequestHead& head,
    const auth::IdentityPtr& identity) const {
  const Request request{.head = head, .body = {}};
  REEL_ASSIGN(Call call, prepare(route, request, identity));
  REEL_TRY(check_confinement(route, call));
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
  const std::string_view asked =
      head.method == Method::other ? "this method" : method_name(head.method);
  const std::string message = fmt::format("{} is not offered at this path; {} are", asked, names);
  Response response = problem(405, message, head.request_id, *options_.clock);
  response.headers.set("Allow", names);
  return response;
}

}  // namespace reel::api

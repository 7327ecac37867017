#include "http/cors.h"

#include <algorithm>

#include "http/field_internal.h"

namespace reel::http {
namespace {

constexpr const char* kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
constexpr const char* kExposed =
    "Link, X-Paging-Limit, X-Paging-NextKey, X-Paging-Count, X-Paging-Timerange, "
    "X-Paging-Reverse-Order, Location, ETag, Content-Range, Accept-Ranges, Retry-After, "
    "WWW-Authenticate, Repr-Digest, X-Request-Id, traceparent";

bool allows_any(const CorsOptions& options) {
  return std::find(options.allowed_origins.begin(), options.allowed_origins.end(), "*") !=
         options.allowed_origins.end();
}

bool allows(const CorsOptions& options, std::string_view origin) {
  return std::find(options.allowed_origins.begin(), options.allowed_origins.end(), origin) !=
         options.allowed_origins.end();
}

//! True when the answer may be read by that origin. With "*" the answer is the same for every
//! origin, so that caches may share it.
bool add_permission(const CorsOptions& options, const std::string& origin, api::Headers& answer) {
  if (allows_any(options)) {
    answer.add("Access-Control-Allow-Origin", "*");
    return true;
  }
  add_vary(answer, "Origin");
  if (!allows(options, origin)) return false;
  answer.add("Access-Control-Allow-Origin", origin);
  return true;
}

}  // namespace

std::optional<api::Response> preflight_answer(const CorsOptions& options,
                                              const api::RequestHead& head) {
  if (options.allowed_origins.empty() || head.method != api::Method::options) return std::nullopt;
  const std::string* origin = head.headers.find("Origin");
  const std::string* method = head.headers.find("Access-Control-Request-Method");
  if (origin == nullptr || method == nullptr) return std::nullopt;
  api::Response answer = api::Response::empty(204);
  if (!add_permission(options, *origin, answer.headers)) return answer;
  answer.headers.add("Access-Control-Allow-Methods", kMethods);
  if (const std::string* names = head.headers.find("Access-Control-Request-Headers")) {
    // Any header may be sent: authority comes from its value, not from its name.
    answer.headers.add("Access-Control-Allow-Headers", *names);
    add_vary(answer.headers, "Access-Control-Request-Headers");
  }
  answer.headers.add("Access-Control-Max-Age", std::to_string(options.preflight_cache_seconds));
  return answer;
}

void add_cors_headers(const CorsOptions& options, const api::RequestHead& head,
                      api::Headers& answer) {
  if (options.allowed_origins.empty()) return;
  const std::string* origin = head.headers.find("Origin");
  if (origin == nullptr) {
    // The answer to others must not be reused for an origin from a cache.
    if (!allows_any(options)) add_vary(answer, "Origin");
    return;
  }
  if (answer.find("Access-Control-Allow-Origin") != nullptr) return;
  if (add_permission(options, *origin, answer)) {
    answer.add("Access-Control-Expose-Headers", kExposed);
  }
}

void add_vary(api::Headers& answer, std::string_view name) {
  const std::string* vary = answer.find("Vary");
  if (vary == nullptr) {
    answer.add("Vary", std::string(name));
    return;
  }
  bool there = false;
  for_each_element(*vary, [&](std::string_view element) {
    there = there || element == "*" || same_text(element, name);
  });
  if (!there) answer.set("Vary", *vary + ", " + std::string(name));
}

}  // namespace reel::http

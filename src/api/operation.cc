#include "api/operation.h"

namespace reel::api {
namespace {

bool is_at_or_below(std::string_view route, std::string_view path) {
  return route.starts_with(path) && (route.size() == path.size() || route[path.size()] == '/');
}

std::string_view subject_of(std::string_view route) {
  if (is_at_or_below(route, "/flows/{flowId}/segments")) return "segment";
  if (is_at_or_below(route, "/flows")) return "flow";
  if (is_at_or_below(route, "/sources")) return "source";
  return {};
}

//! Whether the route is the thing itself or its list, not one of its properties.
bool is_whole(std::string_view route) {
  return route == "/flows" || route == "/flows/{flowId}" || route == "/flows/{flowId}/segments" ||
         route == "/sources" || route == "/sources/{sourceId}";
}

}  // namespace

std::optional<Operation> operation_of(Method method, std::string_view route, int status) {
  const std::string_view subject = subject_of(route);
  if (subject.empty()) return std::nullopt;
  switch (method) {
    case Method::get:
    case Method::head: return Operation{subject, "read"};
    case Method::post: return Operation{subject, is_whole(route) ? "create" : "update"};
    case Method::put:
      return Operation{subject, is_whole(route) && status == 201 ? "create" : "update"};
    case Method::patch: return Operation{subject, "update"};
    case Method::del: return Operation{subject, is_whole(route) ? "delete" : "update"};
    case Method::options:
    case Method::trace: break;
  }
  return std::nullopt;
}

}  // namespace reel::api

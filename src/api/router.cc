#include "api/router.h"

#include <algorithm>

#include "base/percent.h"

namespace reel::api {

//! One place in the tree of templates.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::string parameter_name;
  //! Positions of the path's parameters; the same for every route that ends here.
  std::vector<std::size_t> parameter_positions;
  std::map<Method, const Route*> routes;
};

namespace {

//! "/" has no segments, "/a/" has "a" and "".
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path == "/") return segments;
  path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

}  // namespace

std::vector<std::string> template_parameters(std::string_view path_template) {
  std::vector<std::string> names;
  for (const std::string_view segment : split(path_template)) {
    if (is_parameter(segment)) names.emplace_back(segment.substr(1, segment.size() - 2));
  }
  return names;
}

Router::Router(std::vector<Route> routes)
    : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
  for (const Route& route : routes_) {
    REEL_CHECK(route.path.starts_with('/'));
    Node* node = root_.get();
    std::vector<std::size_t> positions;
    const std::vector<std::string_view> segments = split(route.path);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const bool parameter = is_parameter(segments[i]);
      if (parameter) positions.push_back(i);
      std::unique_ptr<Node>& next =
          parameter ? node->parameter : node->literals[std::string(segments[i])];
      if (!next) {
        next = std::make_unique<Node>();
        if (parameter) next->parameter_name = segments[i];
      }
      REEL_CHECK(!parameter || next->parameter_name == segments[i]);
      node = next.get();
    }
    node->parameter_positions = std::move(positions);
    const bool added = node->routes.emplace(route.method, &route).second;
    REEL_CHECK(added);
  }
}

Router::~Router() = default;

void Router::find(const Node& node, const std::vector<std::string>& segments, std::size_t depth,
                  std::vector<const Node*>& found) {
  if (depth == segments.size()) {
    if (!node.routes.empty()) found.push_back(&node);
    return;
  }
  if (const auto literal = node.literals.find(segments[depth]); literal != node.literals.end()) {
    find(*literal->second, segments, depth + 1, found);
  }
  if (node.parameter && !segments[depth].empty()) {
    find(*node.parameter, segments, depth + 1, found);
  }
}

Result<Router::Match> Router::match(Method method, std::string_view raw_path) const {
  Match match;
  if (!raw_path.starts_with('/')) return match;
  std::vector<std::string> segments;
  for (const std::string_view raw : split(raw_path)) {
    REEL_ASSIGN(std::string segment, percent_decode(raw));
    segments.push_back(std::move(segment));
  }
  std::vector<const Node*> nodes;  // the one with more literal segments first
  find(*root_, segments, 0, nodes);
  for (const Node* node : nodes) {
    auto found = node->routes.find(method);
    if (found == node->routes.end() && method == Method::head) {
      found = node->routes.find(Method::get);
    }
    if (found == node->routes.end()) continue;
    match.route = found->second;
    for (const std::size_t position : node->parameter_positions) {
      match.parameters.push_back(std::move(segments[position]));
    }
    return match;
  }
  for (const Node* node : nodes) {
    for (const auto& [allowed, route] : node->routes) {
      match.allowed.push_back(allowed);
      if (allowed == Method::get) match.allowed.push_back(Method::head);
    }
  }
  std::sort(match.allowed.begin(), match.allowed.end());
  match.allowed.erase(std::unique(match.allowed.begin(), match.allowed.end()), match.allowed.end());
  return match;
}

}  // namespace reel::api

#pragma once
//! Finds the route of a request.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/route.h"

namespace reel::api {

//! The table of routes, ready for look-up. Immutable, so that any thread may ask. A path is cut at
//! its raw slashes first and each segment is then decoded exactly once, so that a parameter may
//! contain an encoded slash ("/objects/a%2Fb").
class Router {
 public:
  //! REQUIRES: no two routes have the same method and template, and templates that differ only
  //! in the names of their parameters do not occur.
  explicit Router(std::vector<Route> routes);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  struct Match {
    const Route* route = nullptr;         //!< nullptr: no operation, see `allowed`
    std::vector<std::string> parameters;  //!< decoded, in the order of the template
    //! The methods that the path knows when it does not know this one; empty when there is no such
    //! path.
    std::vector<Method> allowed;
  };

  //! HEAD finds the GET route where there is no HEAD route of its own. Code::invalid when the path
  //! is not well encoded.
  Result<Match> match(Method method, std::string_view raw_path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  static void find(const Node& node, const std::vector<std::string>& segments, std::size_t depth,
                   std::vector<const Node*>& found);

  const std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
};

//! The names of a template's parameters: "/flows/{flowId}/tags/{name}" gives flowId and name.
std::vector<std::string> template_parameters(std::string_view path_template);

}  // namespace reel::api

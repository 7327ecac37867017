#include "api/routes.h"

#include <iterator>

namespace reel::api {

std::vector<Route> product_routes() {
  std::vector<Route> all;
  for (auto part :
       {service_routes, profile_routes, source_routes, flow_routes, segment_routes, deletion_routes,
        trash_routes, object_routes, media_routes, playback_routes, audit_routes, webhook_routes,
        documentation_routes, search_routes, analytics_routes}) {
    std::vector<Route> routes = part();
    all.insert(all.end(), std::make_move_iterator(routes.begin()),
               std::make_move_iterator(routes.end()));
  }
  return all;
}

}  // namespace reel::api

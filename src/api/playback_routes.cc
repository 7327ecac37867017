#include "api/routes.h"

namespace reel::api {

std::vector<Route> playback_routes() { return {}; }

}  // namespace reel::api

#pragma once
//! Operations on credentials.

#include <vector>

#include "api/route.h"
#include "auth/api_keys.h"

namespace reel::api {

//! REQUIRES: `keys` outlives the routes.
std::vector<Route> auth_routes(auth::ApiKeys& keys);

}  // namespace reel::api

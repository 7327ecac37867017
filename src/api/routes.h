#pragma once
//! Every operation of the product, by area.

#include <vector>

#include "api/route.h"

namespace reel::api {

std::vector<Route> service_routes();
std::vector<Route> profile_routes();
std::vector<Route> source_routes();
std::vector<Route> flow_routes();
std::vector<Route> segment_routes();
std::vector<Route> object_routes();
std::vector<Route> media_routes();
std::vector<Route> playback_routes();
std::vector<Route> audit_routes();

//! All of the above.
std::vector<Route> product_routes();

}  // namespace reel::api

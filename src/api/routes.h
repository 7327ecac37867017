#pragma once
//! Every operation of the product, by area.

#include <vector>

#include "api/route.h"
#include "events/change_feed.h"

namespace reel::api {

std::vector<Route> service_routes();
std::vector<Route> profile_routes();
std::vector<Route> source_routes();
std::vector<Route> flow_routes();
std::vector<Route> segment_routes();
std::vector<Route> deletion_routes();
std::vector<Route> trash_routes();
std::vector<Route> object_routes();
std::vector<Route> media_routes();
std::vector<Route> playback_routes();
std::vector<Route> documentation_routes();
std::vector<Route> search_routes();
std::vector<Route> audit_routes();
std::vector<Route> analytics_routes();
std::vector<Route> webhook_routes();
//! REQUIRES: the store outlives the routes.
std::vector<Route> tables_routes(store::Store& store);

//! All of the above.
std::vector<Route> product_routes();

//! GET /events. REQUIRES: the feed outlives the routes and every answer.
std::vector<Route> event_routes(events::ChangeFeed& feed);

}  // namespace reel::api

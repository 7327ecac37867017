#pragma once
//! The dialect of TAMS 6.0: which operations it has, and how its documents differ from those of
//! 8.2. All of it is one table in v6.cc; no handler knows of it.

#include <vector>

#include "api/route.h"

namespace reel::api {

//! The operations of 6.0 that `routes` (8.2) has, with 6.0's query parameters and documents: a body
//! is translated before the handler, an answer after it. What 6.0 cannot say is left out (image
//! flows, init segments, variable frame rates, profiles), lists in tags become texts with commas.
//! Media routes are added unchanged, because URLs in answers lead there.
std::vector<Route> v6_routes(const std::vector<Route>& routes);

}  // namespace reel::api

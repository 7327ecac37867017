#pragma once
//! The bytes of objects: signed and plain URLs to upload and to read them.

#include <cstdint>
#include <vector>

#include "api/route.h"

namespace reel::api {

//! GET and PUT /media/{storageId}/{objectId}. A request with a signature must fit it; one without
//! is allowed what the API allows its caller, which is everything as long as there is no
//! authentication.
std::vector<Route> media_routes(std::uint64_t upload_bytes_max);

}  // namespace reel::api

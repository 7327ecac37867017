#pragma once
//! What the service says about itself.

#include <string>

#include "json/value.h"
#include "tams/context.h"
#include "tams/listing.h"

namespace reel::tams {

//! GET /service as JSON.
Result<std::string> get_service(const Context& context);
//! Sets name and/or description; they survive a restart.
Status update_service(const Context& context, const json::Value& body);

//! GET /service/storage-backends, by label.
Result<Page> list_storage_backends(const Context& context, const TagFilter& tags,
                                   const PageRequest& page);

}  // namespace reel::tams

#pragma once
//! POST of a segment together with its media, as one form.

#include <memory>

#include "api/route.h"
#include "base/uuid.h"

namespace reel::api {

//! Takes multipart/form-data with the part `segment` (the JSON of one segment; without an object_id
//! it gets a new one) and then the part `file` (the media), which goes to storage as it arrives.
//! The segment is registered when the media is stored; if that fails, the object is left unused and
//! will be collected. Other parts are ignored.
Result<std::unique_ptr<BodySink>> open_segment_form(const Call& call, FlowId flow);

}  // namespace reel::api

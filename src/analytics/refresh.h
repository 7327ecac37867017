#pragma once
//! Keeps the figures up to date behind the change log, in pieces. One thread at a time.

#include <stop_token>

#include "tams/context.h"

namespace reel::analytics {

//! Takes in all changes up to now, or, where changes are missing, computes everything anew. Ends
//! early when it is asked to stop; the next call goes on.
Status refresh(const tams::Context& context, const std::stop_token& stop);

//! Writes down how often media was read since the last call.
Status save_reads(const tams::Context& context);

}  // namespace reel::analytics

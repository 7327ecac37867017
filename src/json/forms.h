#pragma once
//! Forms of text that documents of many kinds have.

#include "json/shape.h"

namespace reel::json {

//! RFC 3339, as Instant::parse() reads it.
Shape date_time();

}  // namespace reel::json

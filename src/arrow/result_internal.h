#pragma once

#include <nanoarrow/nanoarrow.h>

#include "base/result.h"

namespace reel::arrow {

//! What is encoded was made by this program: that it cannot be is no mistake of a user's.
inline Status check(ArrowErrorCode code, const ArrowError& error = {}) {
  if (code == NANOARROW_OK) return {};
  return internal("Arrow cannot encode this (error {}): {}", code, error.message);
}

}  // namespace reel::arrow

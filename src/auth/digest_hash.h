#pragma once
//! Hash tables by SHA-256.

#include <cstddef>
#include <cstring>

#include "base/hash.h"

namespace reel::auth {

//! Any part of a SHA-256 is as good a hash as another. What a look-up takes depends on a digest
//! that nobody can choose, so it tells nothing of the secret behind it.
struct DigestHash {
  std::size_t operator()(const Sha256Digest& digest) const {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof(hash));
    return hash;
  }
};

}  // namespace reel::auth

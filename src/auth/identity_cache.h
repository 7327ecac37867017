#pragma once
//! Credentials that were verified a moment ago, so that a request does not pay for it again.

#include <unordered_map>

#include "auth/digest_hash.h"
#include "auth/identity.h"
#include "base/clock.h"
#include "base/thread_annotations.h"

namespace reel::auth {

//! By SHA-256 of the credential, which is not kept. At most kEntriesMax; when it is full it starts
//! again. Thread-safe.
class IdentityCache {
 public:
  static constexpr std::size_t kEntriesMax = 4096;

  //! nullptr when unknown, past its time, or verified with keys of another generation.
  IdentityPtr find(const Sha256Digest& digest, std::uint64_t generation, Instant now) const;
  void put(const Sha256Digest& digest, IdentityPtr identity, std::uint64_t generation,
           Instant until);

 private:
  struct Entry {
    IdentityPtr identity;
    std::uint64_t generation = 0;
    Instant until;
  };
  mutable Mutex mutex_;
  std::unordered_map<Sha256Digest, Entry, DigestHash> entries_ GUARDED_BY(mutex_);
};

}  // namespace reel::auth

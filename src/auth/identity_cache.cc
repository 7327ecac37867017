#include "auth/identity_cache.h"

namespace reel::auth {

IdentityPtr IdentityCache::find(const Sha256Digest& digest, std::uint64_t generation,
                                Instant now) const {
  MutexLock lock(mutex_);
  const auto found = entries_.find(digest);
  if (found == entries_.end()) return nullptr;
  const Entry& entry = found->second;
  return entry.generation == generation && now < entry.until ? entry.identity : nullptr;
}

void IdentityCache::put(const Sha256Digest& digest, IdentityPtr identity, std::uint64_t generation,
                        Instant until) {
  MutexLock lock(mutex_);
  if (entries_.size() >= kEntriesMax) entries_.clear();
  entries_[digest] = {.identity = std::move(identity), .generation = generation, .until = until};
}

}  // namespace reel::auth

#include "auth/rate_limiter.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <arpa/inet.h>

namespace reel::auth {

double RateLimiter::filled(const Bucket& bucket, TimePoint now) const {
  const std::chrono::duration<double> passed = now - bucket.at;
  return std::min(burst(), bucket.tokens + std::max(0.0, passed.count()) * limit_.per_second);
}

RateLimiter::Shard& RateLimiter::shard_of(std::string_view key) {
  return shards_[std::hash<std::string_view>()(key) % kShards];
}

std::chrono::seconds RateLimiter::until_one(double tokens) const {
  if (tokens >= 1) return std::chrono::seconds(0);
  return std::chrono::seconds(
      std::max(1L, static_cast<long>(std::ceil((1 - tokens) / limit_.per_second))));
}

std::chrono::seconds RateLimiter::take(std::string_view key, TimePoint now) {
  if (!enabled()) return std::chrono::seconds(0);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  std::string owned(key);
  auto found = shard.buckets.find(owned);
  if (found == shard.buckets.end()) {
    make_room(shard, now);
    found = shard.buckets.emplace(std::move(owned), Bucket{.tokens = burst(), .at = now}).first;
  }
  Bucket& bucket = found->second;
  bucket = {.tokens = filled(bucket, now), .at = now};
  const auto wait = until_one(bucket.tokens);
  if (wait.count() == 0) bucket.tokens -= 1;
  return wait;
}

std::chrono::seconds RateLimiter::wait(std::string_view key, TimePoint now) {
  if (!enabled()) return std::chrono::seconds(0);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  const auto found = shard.buckets.find(std::string(key));
  if (found == shard.buckets.end()) return std::chrono::seconds(0);
  return until_one(filled(found->second, now));
}

void RateLimiter::make_room(Shard& shard, TimePoint now) const {
  if (shard.buckets.size() < kKeysMax / kShards) return;
  std::erase_if(shard.buckets,
                [&](const auto& entry) { return filled(entry.second, now) >= burst(); });
  if (shard.buckets.size() >= kKeysMax / kShards) shard.buckets.clear();
}

std::string address_key(std::string_view address) {
  in6_addr parsed{};
  std::string text(address);
  if (::inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  return {reinterpret_cast<const char*>(&parsed), 8};
}

}  // namespace reel::auth

#pragma once
//! Token buckets, one per key (an address, an identity), in bounded memory.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/thread_annotations.h"

namespace reel::auth {

struct RateLimit {
  //! What a bucket gains; 0 = no limit.
  std::uint32_t per_second = 0;
  //! What a full bucket holds, in seconds of `per_second`: the burst that is allowed.
  std::uint32_t burst_s = 10;
};

//! Thread-safe. Remembers at most kKeysMax keys: when there are more, those whose buckets have
//! filled again are forgotten, which changes nothing for them, and if none has, all are.
class RateLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kKeysMax = 65'536;

  explicit RateLimiter(RateLimit limit) : limit_(limit) {}

  bool enabled() const { return limit_.per_second > 0; }
  //! Takes one token of the key's bucket. Zero: it was there; else how long until there is one.
  std::chrono::seconds take(std::string_view key, TimePoint now);
  //! The same without taking.
  std::chrono::seconds wait(std::string_view key, TimePoint now);

 private:
  static constexpr std::size_t kShards = 16;
  struct Bucket {
    double tokens = 0;
    TimePoint at;
  };
  struct Shard {
    Mutex mutex;
    std::unordered_map<std::string, Bucket> buckets GUARDED_BY(mutex);
  };

  double burst() const { return double{1} * limit_.per_second * limit_.burst_s; }
  double filled(const Bucket& bucket, TimePoint now) const;
  Shard& shard_of(std::string_view key);
  void make_room(Shard& shard, TimePoint now) const REQUIRES(shard.mutex);
  std::chrono::seconds until_one(double tokens) const;

  const RateLimit limit_;
  std::array<Shard, kShards> shards_;
};

//! The key of an address: an IPv6 client owns a whole /64, an IPv4 client one address.
std::string address_key(std::string_view address);

}  // namespace reel::auth

#pragma once
//! The seed of random tests: REELHOUSE_SEED replays a run.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace reel::store::testing {

inline std::uint64_t random_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("REELHOUSE_SEED");
    const std::uint64_t chosen =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::fprintf(stderr, "REELHOUSE_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

}  // namespace reel::store::testing

#pragma once
//! For tests only: the seed of everything random.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace reel {

//! REELHOUSE_SEED if it is set, else a new seed; printed once, so that a failure can be replayed.
inline std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("REELHOUSE_SEED");
    const std::uint64_t value =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    // tidy: allow(print) because a failed test is replayed with what it printed
    std::fprintf(stderr, "REELHOUSE_SEED=%llu\n", static_cast<unsigned long long>(value));
    return value;
  }();
  return seed;
}

}  // namespace reel

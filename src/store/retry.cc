#include "store/retry.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

namespace reel::store {

void wait_before_attempt(int attempt) {
  constexpr int kFreeAttempts = 2;
  constexpr int kWaitMsMax = 20;
  if (attempt <= kFreeAttempts) return;
  thread_local std::minstd_rand random(std::random_device{}());
  const int limit_us = std::min(attempt, kWaitMsMax) * 1000;
  std::this_thread::sleep_for(
      std::chrono::microseconds(std::uniform_int_distribution(0, limit_us)(random)));
}

}  // namespace reel::store

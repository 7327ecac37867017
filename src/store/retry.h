#pragma once
//! Writing again when someone else was faster.

#include "base/result.h"

namespace reel::store {

//! Waits before the next attempt: not at all at first, then a random while that grows to some
//! milliseconds, so that writers of one row stop meeting each other.
void wait_before_attempt(int attempt);

//! Runs `attempt` again as long as it ends with conflict, a bounded number of times; the last
//! conflict is returned. Each attempt reads a fresh snapshot.
template <class Attempt>
auto retry_on_conflict(const Attempt& attempt) -> decltype(attempt()) {
  constexpr int kAttemptsMax = 200;
  for (int i = 1;; ++i) {
    auto outcome = attempt();
    if (outcome || outcome.error().code() != Code::conflict || i == kAttemptsMax) return outcome;
    wait_before_attempt(i + 1);
  }
}

}  // namespace reel::store

#pragma once
//! For tests only: waiting for what another thread does.

#include <chrono>
#include <thread>

namespace reel {

//! True as soon as `condition` holds, false when it does not for ten seconds.
template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 2'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace reel

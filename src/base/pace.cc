#include "base/pace.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace reel {

Pace::Clock::duration Pace::rest() {
  constexpr std::chrono::milliseconds kDemandLasts{100};
  constexpr Clock::duration kRestMax = std::chrono::milliseconds(100);
  const Clock::time_point now = Clock::now();
  if (const std::uint64_t count = demand_.count(); count != seen_) {
    seen_ = count;
    wanted_ = now;
  }
  Clock::duration rest{};
  if (now - wanted_ < kDemandLasts) rest = std::min(times_ * (now - begun_), kRestMax);
  if (rest > Clock::duration::zero()) std::this_thread::sleep_for(rest);
  begun_ = Clock::now();
  return rest;
}

void lower_priority(int nice) {
  // On Linux each thread has a priority of its own.
  (void)::setpriority(PRIO_PROCESS, 0, nice);
}

}  // namespace reel

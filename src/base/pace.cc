#include "base/pace.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace reel {

void Pace::rest() {
  constexpr std::chrono::milliseconds kDemandLasts{100};
  constexpr Clock::duration kRestMax = std::chrono::milliseconds(100);
  const Clock::time_point now = Clock::now();
  if (const std::uint64_t count = demand_.count(); count != seen_) {
    seen_ = count;
    wanted_ = now;
  }
  if (now - wanted_ < kDemandLasts) {
    std::this_thread::sleep_for(std::min(times_ * (now - begun_), kRestMax));
  }
  begun_ = Clock::now();
}

void lower_priority(int nice) {
  // On Linux each thread has a priority of its own.
  (void)::setpriority(PRIO_PROCESS, 0, nice);
}

}  // namespace reel

#include "events/change_signal.h"

namespace reel::events {

void ChangeSignal::notify() {
  const MutexLock lock(mutex_);
  for (const auto& [id, listener] : listeners_) listener();
}

std::uint64_t ChangeSignal::add(Listener listener) {
  const MutexLock lock(mutex_);
  listeners_.emplace(next_, std::move(listener));
  return next_++;
}

void ChangeSignal::remove(std::uint64_t id) {
  const MutexLock lock(mutex_);
  listeners_.erase(id);
}

}  // namespace reel::events

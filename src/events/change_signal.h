#pragma once
//! Tells readers of the change log in this process that there may be something new.

#include <cstdint>
#include <functional>
#include <map>

#include "base/thread_annotations.h"

namespace reel::events {

//! Thread-safe. A listener may be called without need and must look for itself; what another
//! process writes is told by nobody, so look now and then, too.
class ChangeSignal {
 public:
  using Listener = std::function<void()>;

  //! Something was committed. Calls every listener, on this thread: they only wake others.
  void notify() EXCLUDES(mutex_);

  //! Calls `listener` from now on until remove().
  std::uint64_t add(Listener listener) EXCLUDES(mutex_);
  //! When it returns, the listener is not running and never will again.
  void remove(std::uint64_t id) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::map<std::uint64_t, Listener> listeners_ GUARDED_BY(mutex_);
  std::uint64_t next_ GUARDED_BY(mutex_) = 1;
};

}  // namespace reel::events

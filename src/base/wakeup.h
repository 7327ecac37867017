#pragma once
//! Lets those who make work wake the thread that does it.

#include <chrono>
#include <condition_variable>
#include <stop_token>

#include "base/thread_annotations.h"

namespace reel {

//! One thread waits, any may notify. A notification while nobody waits is kept for the next wait.
class Wakeup {
 public:
  void notify() {
    {
      const MutexLock lock(mutex_);
      notified_ = true;
    }
    changed_.notify_one();
  }

  //! Until it is notified, asked to stop, or `pause` is over.
  void wait(const std::stop_token& stop, std::chrono::milliseconds pause) {
    MutexLock lock(mutex_);
    changed_.wait_for(mutex_, stop, pause, [this]() REQUIRES(mutex_) { return notified_; });
    notified_ = false;
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  bool notified_ GUARDED_BY(mutex_) = false;
};

}  // namespace reel

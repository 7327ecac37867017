#pragma once
//! Lets many readers of the change log sleep until there is something behind what they have read.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>

#include "base/thread_annotations.h"
#include "events/change_signal.h"
#include "store/store.h"

namespace reel::events {

//! One thread looks at the log after commits, for all who wait; ten thousand of them cost one look.
//! Thread-safe.
class ChangeFeed {
 public:
  using Ticket = std::uint64_t;

  //! REQUIRES: store and signal outlive it.
  ChangeFeed(store::Store& store, ChangeSignal& signal);
  //! No wake comes once it has returned.
  ~ChangeFeed();
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  //! Calls `wake` once, from the feed's thread, when there is a change behind `after`, or at the
  //! latest after `at_latest`. It must not block nor call the feed.
  Ticket wait(std::int64_t after, std::chrono::milliseconds at_latest, std::function<void()> wake)
      EXCLUDES(mutex_);
  //! When it returns, the wake of this ticket is not running and never will.
  void cancel(Ticket ticket) EXCLUDES(mutex_);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiter {
    std::int64_t after;
    Clock::time_point deadline;
    std::function<void()> wake;
  };

  void run(const std::stop_token& stop);
  //! The newest change, as far as the store can be read.
  std::int64_t look();
  void wake_due(std::int64_t newest) EXCLUDES(mutex_);

  store::Store& store_;
  ChangeSignal& signal_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<Ticket, Waiter> waiters_ GUARDED_BY(mutex_);
  Ticket next_ GUARDED_BY(mutex_) = 1;
  bool look_again_ GUARDED_BY(mutex_) = false;
  std::int64_t newest_ = 0;  //!< of the thread
  std::uint64_t listener_ = 0;
  std::jthread thread_;
};

}  // namespace reel::events

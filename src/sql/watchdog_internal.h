#pragma once
//! Interrupts statements that take too long or too much, or that nobody wants any more.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <thread>

#include "base/thread_annotations.h"

namespace reel::sql {

//! One thread for all sessions. Thread-safe.
class Watchdog {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  enum class Reason : std::uint8_t { time, memory };
  using Interrupt = std::function<void(Reason)>;

  //! Calls `interrupt` from the deadline on, and while statements have more memory than they may,
  //! again and again until the watch is destroyed: DuckDB forgets an interruption that comes just
  //! before a statement begins.
  class Watch {
   public:
    Watch(Watchdog& dog, Time deadline, Interrupt interrupt);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    //! Does not wait for the deadline.
    void interrupt_now();

   private:
    Watchdog& dog_;
    std::uint64_t number_;
  };

 private:
  struct Entry {
    Time next;
    Interrupt interrupt;
  };

  void run();
  void look_at_memory() REQUIRES(mutex_);

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::uint64_t, Entry> entries_ GUARDED_BY(mutex_);
  std::uint64_t last_number_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace reel::sql

#include "sql/watchdog_internal.h"

#include <algorithm>

namespace reel::sql {
namespace {

constexpr std::chrono::milliseconds kAgain{20};

}  // namespace

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Watchdog::Watch::Watch(Watchdog& dog, Time deadline, std::function<void()> interrupt) : dog_(dog) {
  {
    const MutexLock lock(dog_.mutex_);
    number_ = ++dog_.last_number_;
    dog_.entries_.emplace(number_, Entry{.next = deadline, .interrupt = std::move(interrupt)});
  }
  dog_.changed_.notify_all();
}

Watchdog::Watch::~Watch() {
  const MutexLock lock(dog_.mutex_);
  dog_.entries_.erase(number_);
}

void Watchdog::Watch::interrupt_now() {
  {
    const MutexLock lock(dog_.mutex_);
    dog_.entries_.at(number_).next = Time::min();
  }
  dog_.changed_.notify_all();
}

void Watchdog::run() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const Time now = std::chrono::steady_clock::now();
    Time next = Time::max();
    for (auto& [number, entry] : entries_) {
      if (entry.next <= now) {
        entry.interrupt();  // sets a flag
        entry.next = now + kAgain;
      }
      next = std::min(next, entry.next);
    }
    if (next == Time::max()) {
      changed_.wait(mutex_);
    } else {
      changed_.wait_until(mutex_, next);
    }
  }
}

}  // namespace reel::sql

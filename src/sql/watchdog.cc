#include "sql/watchdog_internal.h"

#include <algorithm>

#include "sql/memory_guard_internal.h"

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

Watchdog::Watch::Watch(Watchdog& dog, Time deadline, Interrupt interrupt) : dog_(dog) {
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

void Watchdog::look_at_memory() {
  if (!memory_exceeded()) return;
  release_memory();  // it may be what an allocator keeps of statements that have ended
  if (!memory_exceeded()) return;
  for (auto& [number, entry] : entries_) entry.interrupt(Reason::memory);
}

void Watchdog::run() {
  const MutexLock lock(mutex_);
  Time next_look = Time::min();
  while (!stopping_) {
    const Time now = std::chrono::steady_clock::now();
    Time next = Time::max();
    for (auto& [number, entry] : entries_) {
      if (entry.next <= now) {
        entry.interrupt(Reason::time);  // sets a flag
        entry.next = now + kAgain;
      }
      next = std::min(next, entry.next);
    }
    if (entries_.empty()) {
      changed_.wait(mutex_);
      continue;
    }
    if (next_look <= now) {
      look_at_memory();
      next_look = now + kAgain;
    }
    changed_.wait_until(mutex_, std::min(next, next_look));
  }
}

}  // namespace reel::sql

#pragma once
//! Work on many things at once, whose results come out in the order of the things.

#include <condition_variable>
#include <cstddef>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread_annotations.h"

namespace reel::cli {

//! Calls `work(i)` for each i below `count` on `threads` threads, and `emit(i, result)` on this
//! one, in order, until it returns false. Threads wait when they are far ahead of it. REQUIRES: at
//! least one thread; `work` may run on several at once.
template <typename Work, typename Emit>
void run_in_order(std::size_t count, std::size_t threads, const Work& work, const Emit& emit) {
  using Output = decltype(work(std::size_t{}));
  struct Shared {
    Mutex mutex;
    std::condition_variable_any changed;
    std::size_t next GUARDED_BY(mutex) = 0;     // to be worked on
    std::size_t emitted GUARDED_BY(mutex) = 0;  // all before it
    bool stopped GUARDED_BY(mutex) = false;
    std::map<std::size_t, Output> done GUARDED_BY(mutex);
  } shared;
  const std::size_t ahead_max = threads * 64;

  const auto claim = [&]() -> std::optional<std::size_t> {
    const MutexLock lock(shared.mutex);
    while (!shared.stopped && shared.next < count && shared.next >= shared.emitted + ahead_max) {
      shared.changed.wait(shared.mutex);
    }
    if (shared.stopped || shared.next == count) return std::nullopt;
    return shared.next++;
  };
  const auto run = [&] {
    while (const auto index = claim()) {
      Output output = work(*index);
      const MutexLock lock(shared.mutex);
      shared.done.emplace(*index, std::move(output));
      shared.changed.notify_all();
    }
  };
  const auto wait_for = [&](std::size_t index) -> Output {
    const MutexLock lock(shared.mutex);
    while (!shared.done.contains(index)) shared.changed.wait(shared.mutex);
    shared.emitted = index + 1;
    shared.changed.notify_all();
    return std::move(shared.done.extract(index).mapped());
  };

  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(run);
  for (std::size_t i = 0; i < count; ++i) {
    if (emit(i, wait_for(i))) continue;
    const MutexLock lock(shared.mutex);
    shared.stopped = true;
    shared.changed.notify_all();
    return;
  }
}

}  // namespace reel::cli

#pragma once
//! A fixed number of threads behind a bounded queue.

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/semaphore.h"
#include "base/thread_annotations.h"

namespace reel {

//! Runs jobs that may block. A full queue refuses, it never grows: the caller answers
//! "overloaded". Thread-safe.
class WorkerPool {
 public:
  struct Options {
    std::size_t threads = 4;
    std::size_t queue_max = 1024;
  };

  //! REQUIRES: at least one thread.
  explicit WorkerPool(Options options);
  //! Stops, see stop().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  //! False when the queue is full or the pool is stopping; the job is then not run.
  //! A job must not throw.
  [[nodiscard]] bool submit(std::function<void()> job);

  //! Finishes every accepted job, then joins the threads. Idempotent. REQUIRES: called by the
  //! pool's owner, not by a job nor by two threads at once.
  void stop();

  std::size_t queued() const;

 private:
  void run();
  //! The next job; empty when the pool stops and nothing is left. Blocks.
  std::function<void()> next();
  bool claim_wake() REQUIRES(mutex_);

  const Options options_;
  mutable Mutex mutex_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  //! Threads that sleep and that nobody has promised to wake.
  std::size_t idle_ GUARDED_BY(mutex_) = 0;
  //! A thread was woken and has not looked at the queue yet. It wakes the next one when it finds
  //! more than one job, so that a burst of short jobs does not wake all threads at once, to fight
  //! for the lock: measured, that cost five futex calls per job, and this one or two.
  bool waking_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Semaphore wake_;
  std::vector<std::jthread> threads_;
};

}  // namespace reel

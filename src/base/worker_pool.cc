#include "base/worker_pool.h"

#include <utility>

#include "base/result.h"

namespace reel {

WorkerPool::WorkerPool(Options options) : options_(options) {
  REEL_CHECK(options_.threads > 0);
  threads_.reserve(options_.threads);
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(std::function<void()> job) {
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_max) return false;
    queue_.push_back(std::move(job));
    wake = claim_wake();
  }
  if (wake) wake_.post();
  return true;
}

void WorkerPool::stop() {
  std::size_t sleeping = 0;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    sleeping = std::exchange(idle_, 0);
  }
  for (; sleeping > 0; --sleeping) wake_.post();
  threads_.clear();
}

std::size_t WorkerPool::queued() const {
  const MutexLock lock(mutex_);
  return queue_.size();
}

//! Whether the caller must wake one thread, once it has released the lock.
bool WorkerPool::claim_wake() {
  if (idle_ == 0 || waking_) return false;
  --idle_;
  waking_ = true;
  return true;
}

std::function<void()> WorkerPool::next() {
  bool woken = false;
  while (true) {
    std::function<void()> job;
    bool wake = false;
    {
      const MutexLock lock(mutex_);
      if (std::exchange(woken, false)) waking_ = false;
      if (!queue_.empty()) {
        job = std::move(queue_.front());
        queue_.pop_front();
        wake = !queue_.empty() && claim_wake();
      } else if (stopping_) {
        return nullptr;
      } else {
        ++idle_;
      }
    }
    if (wake) wake_.post();
    if (job) return job;
    wake_.wait();
    woken = true;
  }
}

void WorkerPool::run() {
  while (const std::function<void()> job = next()) job();
}

}  // namespace reel

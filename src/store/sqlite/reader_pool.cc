#include "store/sqlite/reader_pool_internal.h"

#include <algorithm>
#include <chrono>

namespace reel::store::sqlite {

Result<std::unique_ptr<Connection>> ReaderPool::take() {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.busy_ms);
  {
    const MutexLock lock(mutex_);
    while (closed_until_ > std::chrono::steady_clock::now()) {
      const Moment until = closed_until_;  // waiting looks at it without the lock
      freed_.wait_until(mutex_, until);
    }
    while (taken_ >= readers_max_) {
      if (freed_.wait_until(mutex_, deadline) == std::cv_status::timeout &&
          taken_ >= readers_max_) {
        return overloaded("all {} readers of the store are in use", readers_max_);
      }
    }
    ++taken_;
    if (!idle_.empty()) {
      // The last one back is the one whose pages and statements are still in the caches.
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      in_use_.emplace(connection.get(), std::chrono::steady_clock::now());
      return connection;
    }
  }
  auto opened = Connection::open(options_);
  const MutexLock lock(mutex_);
  if (opened) {
    in_use_.emplace(opened->get(), std::chrono::steady_clock::now());
  } else {
    --taken_;
    freed_.notify_one();
  }
  return opened;
}

void ReaderPool::give_back(std::unique_ptr<Connection> connection, bool reusable) {
  {
    const MutexLock lock(mutex_);
    --taken_;
    in_use_.erase(connection.get());
    if (reusable) idle_.push_back(std::move(connection));
  }
  freed_.notify_one();
}

void ReaderPool::close(Moment until) {
  const MutexLock lock(mutex_);
  closed_until_ = until;
}

void ReaderPool::open() {
  {
    const MutexLock lock(mutex_);
    closed_until_ = Moment::min();
  }
  freed_.notify_all();
}

bool ReaderPool::in_use_since(Moment moment) const {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(in_use_, [&](const auto& use) { return use.second < moment; });
}

std::size_t ReaderPool::taken() const {
  const MutexLock lock(mutex_);
  return taken_;
}

}  // namespace reel::store::sqlite

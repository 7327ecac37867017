#include "store/sqlite/reader_pool_internal.h"

#include <chrono>

namespace reel::store::sqlite {

Result<std::unique_ptr<Connection>> ReaderPool::take() {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.busy_ms);
  {
    const MutexLock lock(mutex_);
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
      return connection;
    }
  }
  auto opened = Connection::open(options_);
  if (!opened) give_back(nullptr);
  return opened;
}

void ReaderPool::give_back(std::unique_ptr<Connection> connection) {
  {
    const MutexLock lock(mutex_);
    --taken_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  freed_.notify_one();
}

std::size_t ReaderPool::taken() const {
  const MutexLock lock(mutex_);
  return taken_;
}

}  // namespace reel::store::sqlite

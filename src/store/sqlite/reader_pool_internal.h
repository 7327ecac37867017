#pragma once
//! A bounded number of read-only connections.

#include <condition_variable>
#include <memory>
#include <vector>

#include "base/thread_annotations.h"
#include "store/sqlite/connection_internal.h"

namespace reel::store::sqlite {

//! Thread-safe. Connections are opened when first needed and kept.
class ReaderPool {
 public:
  ReaderPool(Connection::Options options, std::size_t readers_max)
      : options_(std::move(options)), readers_max_(readers_max) {}

  //! Code::overloaded when none becomes free in time.
  Result<std::unique_ptr<Connection>> take();
  //! Takes a connection back. REQUIRES: no transaction is open. Null: it was broken.
  void give_back(std::unique_ptr<Connection> connection);
  //! How many are in use.
  std::size_t taken() const;

 private:
  const Connection::Options options_;
  const std::size_t readers_max_;
  mutable Mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<std::unique_ptr<Connection>> idle_ GUARDED_BY(mutex_);
  std::size_t taken_ GUARDED_BY(mutex_) = 0;
};

}  // namespace reel::store::sqlite

#pragma once
//! A bounded number of read-only connections.

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <vector>

#include "base/thread_annotations.h"
#include "store/sqlite/connection_internal.h"

namespace reel::store::sqlite {

//! Thread-safe. Connections are opened when first needed and kept.
class ReaderPool {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  ReaderPool(Connection::Options options, std::size_t readers_max)
      : options_(std::move(options)), readers_max_(readers_max) {}

  //! Code::overloaded when none becomes free in time.
  Result<std::unique_ptr<Connection>> take();
  //! Takes a connection back. REQUIRES: no transaction is open, or it is not reusable.
  void give_back(std::unique_ptr<Connection> connection, bool reusable);
  //! How many are in use.
  std::size_t taken() const;

  //! Makes those who want a connection wait until open(), but not longer than until `until`.
  void close(Moment until);
  void open();
  //! Whether one has been in use since before `moment`.
  bool in_use_since(Moment moment) const;

 private:
  const Connection::Options options_;
  const std::size_t readers_max_;
  mutable Mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<std::unique_ptr<Connection>> idle_ GUARDED_BY(mutex_);
  std::size_t taken_ GUARDED_BY(mutex_) = 0;
  std::map<const Connection*, Moment> in_use_ GUARDED_BY(mutex_);  //!< and since when
  Moment closed_until_ GUARDED_BY(mutex_) = Moment::min();
};

}  // namespace reel::store::sqlite

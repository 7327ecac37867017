#pragma once
//! Moves pages from the write-ahead log to the database, away from the commit path.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <thread>

#include "base/thread_annotations.h"
#include "obs/metrics.h"
#include "store/sqlite/connection_internal.h"

namespace reel::store::sqlite {

//! One thread with a connection of its own. It checkpoints passively: it never makes the writer or
//! a reader wait, and what it cannot move because a reader still needs it stays for the next time.
class Checkpointer {
 public:
  //! `failed` is told when the disk refuses; called on the thread of the checkpointer.
  Checkpointer(Connection::Options options, obs::Histogram& took,
               std::function<void(const Error&)> failed);
  ~Checkpointer();

  //! Asks for a checkpoint soon. Never blocks. `pages`: how long the log is now.
  void request(std::size_t pages);
  //! Whether a checkpoint is at work or was asked for.
  bool is_busy() const;
  //! How long the log was, at least, when the last checkpoint that has ended began: what was added
  //! since then is still to be moved.
  std::size_t moved_pages() const { return moved_pages_; }
  //! Forgets a request that has not begun and waits for the checkpoint at work: SQLite lets nobody
  //! else checkpoint meanwhile.
  void wait_idle();
  void stop();

 private:
  void run();
  Status checkpoint();

  const Connection::Options options_;
  obs::Histogram& took_;
  const std::function<void(const Error&)> failed_;
  std::unique_ptr<Connection> connection_;  //!< of the thread
  mutable Mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable_any idle_;
  bool requested_ GUARDED_BY(mutex_) = false;
  std::size_t pages_ GUARDED_BY(mutex_) = 0;  //!< of the log, at the last request
  std::atomic<std::size_t> moved_pages_ = 0;
  bool working_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

//! Moves what can be moved (`mode` is SQLite's), and observes how long it took. False: a reader or
//! another checkpoint was in the way of doing all that the mode asks for.
Result<bool> checkpoint_wal(Connection& connection, int mode, obs::Histogram& took);

}  // namespace reel::store::sqlite

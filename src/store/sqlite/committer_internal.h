#pragma once
//! The one thread that writes.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/semaphore.h"
#include "base/thread_annotations.h"
#include "store/sqlite/applier_internal.h"
#include "store/sqlite/checkpointer_internal.h"
#include "store/sqlite/engine_metrics_internal.h"
#include "store/sqlite/snapshot_internal.h"
#include "store/sqlite/sqlite_store.h"

namespace reel::store::sqlite {

//! Group commit: while one transaction is being made durable, batches queue up; the next one takes
//! them all. Every batch sees those before it in its group, a batch that fails leaves nothing and
//! the others go on, and all are answered after the one fsync. A group of which no batch is to be
//! durable at once is not synced: the log's next sync takes its pages along.
//!
//! When the disk refuses, the group is undone and the store is read-only for `retry_ms`; then the
//! writer connection is opened anew and a small commit tries the disk. After a COMMIT that failed,
//! the same is tried at once, because its success proves what became of the group:
//! - the sequence number in the file is the group's: it is there, and was made durable;
//! - it is an older one, and a new commit went through: it is not there and never will be, since
//!   the new commit lies where the failed one would have been in the log;
//! - neither could be learned: unknown_outcome.
class Committer {
 public:
  //! Runs on the committer's thread, outside a transaction.
  using Job = std::function<Status(Connection& writer)>;

  Committer(const SqliteOptions& options, std::unique_ptr<Connection> writer,
            std::shared_ptr<SharedLayouts> layouts, std::shared_ptr<ReaderPool> readers,
            obs::Registry& metrics);
  ~Committer();

  //! Blocks until the batch is applied, and durable if it is to be at once, or refused.
  Status commit(const Batch& batch, BatchPlan plan);
  Status run(Job job);

  StoreHealth health() const;
  //! Another part of the store found the disk failing.
  void report(const Error& error);

  //! Refuses new work, finishes what was accepted. Idempotent.
  void stop();

 private:
  struct Request {
    const Batch* batch = nullptr;
    BatchPlan plan = {};
    Job job = {};
    Status result = {};
    Semaphore answered = {};
  };
  //! What the file held before the commit that tried the disk.
  struct Recovered {
    std::int64_t sequence;
    bool durable;  //!< and that everything up to there has been written to the disk anew
  };
  using Group = std::vector<Request*>;
  using Moment = std::chrono::steady_clock::time_point;

  Status submit(Request& request);
  void loop();
  //! Waits for work, and now and then for the disk or for readers. Empty: stopping, and nothing is
  //! left to do.
  Group next_group();
  //! Until there is work, or something else to be looked at.
  void wait_for_work() REQUIRES(mutex_);
  Group take_group() REQUIRES(mutex_);
  void answer(const Group& group);

  void serve(Group& group);
  void commit_group(Group& group);
  //! Whether the next transactions are to be synced at their end. Outside a transaction only.
  Status set_synced(bool synced);
  //! An error means that the transaction is broken and must be rolled back.
  Status apply_group(Group& group);
  //! False when a batch failed half way and could not be undone on its own.
  Result<bool> try_group(Group& group, Applier::Undo undo);
  Status run_job(const Job& job);
  void undo(Group& group, const Error& error);
  void settle_failed_commit(Group& group, const Error& error);

  bool ready();
  void turn_read_only(const Error& error);
  void tell(const StoreHealth& health) const;
  //! Opens the writer anew and proves that the disk takes a commit.
  Result<Recovered> recover();
  Status bump_sequence();

  // The log begins anew when all of it is in the database and nobody reads from it. Most of it is
  // moved in the background. Then those who want to read wait, while those who do go on, and what
  // they commit is committed: a reader often holds its snapshot until its batch is durable.
  void keep_log_short();
  //! Whether a checkpoint in the background has left little to be moved, and readers may end soon.
  bool may_restart_log();
  void begin_restart();
  //! Restarts the log if nobody reads, or it is too late for more patience.
  void continue_restart();
  void end_restart();

  const SqliteOptions options_;
  EngineMetrics metrics_;
  const BatchLimits limits_;
  const std::shared_ptr<SharedLayouts> layouts_;
  const std::shared_ptr<ReaderPool> readers_;

  // Of the committer's thread:
  std::unique_ptr<Connection> writer_;
  const std::size_t page_bytes_;
  bool synced_ = true;
  std::int64_t sequence_ = 0;
  std::size_t wal_pages_ = 0;
  std::size_t wal_pages_before_ = 0;
  std::size_t wal_pages_request_;        //!< when to ask for the next checkpoint
  std::size_t wal_pages_restart_;        //!< when the committer checkpoints itself
  bool log_unmoved_ = false;             //!< since the last commit nobody was asked to
  std::optional<Moment> restart_until_;  //!< new readers wait for a restart, no longer than this

  mutable Mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Request*> queue_ GUARDED_BY(mutex_);
  bool idle_ GUARDED_BY(mutex_) = false;  //!< the committer waits for wake_
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::optional<Error> sick_ GUARDED_BY(mutex_);
  Moment retry_at_ GUARDED_BY(mutex_) = {};

  std::once_flag stopped_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::thread thread_;
};

//! The options of the writer connection.
Connection::Options writer_options(const SqliteOptions& options);

}  // namespace reel::store::sqlite

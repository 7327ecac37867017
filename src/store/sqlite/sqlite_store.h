#pragma once
//! The embedded engine: tables in one SQLite file. docs/formats/store.md says what is in it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "obs/metrics.h"
#include "store/store.h"

namespace reel::store {

struct SqliteOptions {
  //! The database file. Its directory is created when there is none; beside it live "-wal",
  //! "-shm" and ".lock".
  std::string path = {};
  //! A registered SQLite VFS; empty means SQLite's own. Tests inject a failing disk here.
  std::string vfs = {};
  //! Must outlive the store.
  const Clock* clock = &system_clock();

  //! Snapshots that may be held at one time. One more waits `busy_ms`, then gets `overloaded`.
  std::size_t readers_max = 128;
  //! Page cache of one reader. It is forgotten at every commit, so a large one is of no use.
  std::size_t reader_cache_kib = 512;
  std::size_t writer_cache_kib = 16 * 1024;
  //! Of a new file only.
  std::size_t page_bytes = 4096;

  //! Batches that may wait for the committer; one more gets `overloaded`.
  std::size_t commit_queue_max = 1024;
  //! One transaction folds at most so many batches, and stops folding after so many mutations.
  std::size_t group_batches_max = 256;
  std::size_t group_mutations_max = 20'000;
  //! Limits of one batch, answered with `too_large`.
  std::size_t batch_mutations_max = 100'000;
  std::size_t cell_bytes_max = std::size_t{16} << 20;

  //! See Store::convert_rows_max().
  std::int64_t convert_rows_max = 200'000;

  //! How long to wait for a lock or for a free reader.
  std::uint32_t busy_ms = 5'000;
  //! Pages in the write-ahead log from which the background moves them to the database, again and
  //! again, and from which the committer begins the log anew once little is left to be moved. At
  //! twice as many all writers wait for that.
  std::size_t wal_pages_soft = 1'000;
  std::size_t wal_pages_hard = 32'000;
  //! False: checkpoints run on the committer, so that a test sees the same I/O every time.
  bool checkpoint_in_background = true;

  //! After the disk has refused, how long the store stays read-only before it tries again.
  std::uint32_t retry_ms = 5'000;
  //! Told when the store turns read-only and when it recovers, on a thread of the store; must not
  //! call it. Null: a log line.
  std::function<void(const StoreHealth&)> health_changed = {};
  //! Told after each group of commits, on a thread of the store, whose next group waits for it.
  std::function<void()> committed = {};
  //! Where the engine counts and times what it does; outlives the store, and is not rendered any
  //! more once that is gone. Null: nobody looks.
  obs::Registry* metrics = nullptr;
};

//! Opens the store, or creates it. Errors:
//! - conflict: the data directory belongs to a running server (its pid is named);
//! - unsupported: the file was written by a newer program (both format versions are named), or it
//!   is somebody else's database;
//! - corrupt: it is not a database;
//! - io: the directory or the file cannot be read and written; the path is named.
//! Destroying the store stops it. A snapshot that outlives its store stays readable.
Result<std::unique_ptr<Store>> open_sqlite_store(SqliteOptions options);

//! A consistent copy of the store in the file `path`, under the same name in `directory`, whether
//! or not a server has it open. `directory` must not exist or be empty. Code::not_found when there
//! is no such file.
Status copy_sqlite_store(const std::string& path, const std::string& directory);

}  // namespace reel::store

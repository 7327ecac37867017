#pragma once
//! A disk in memory that fails and loses power on demand, as an SQLite VFS. For tests only.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <sqlite3.h>

namespace reel::store::testing {

//! Keeps what was synced apart from what was only written. A power cut keeps any part of the
//! latter, torn anywhere; a failed sync forgets for good that some of it was ever written, as Linux
//! does: a later sync that succeeds does not bring it back. Thread-safe.
class FaultDisk {
 public:
  enum Operation : std::uint8_t {
    on_open = 1,
    on_write = 2,
    on_sync = 4,
    on_truncate = 8,
    on_remove = 16,
    on_all = 31,
  };

  //! Registers the VFS; `seed` decides what a power cut keeps.
  explicit FaultDisk(std::uint64_t seed);
  ~FaultDisk();
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  const std::string& vfs_name() const { return name_; }

  //! Of the operations in `kinds`, lets `skip` pass from now on, then fails `times` with `rc`
  //! (SQLITE_IOERR, SQLITE_FULL). A write that fails may have happened in part.
  void fail(unsigned kinds, std::uint64_t skip, std::uint64_t times, int rc);
  void heal();

  //! Lets `skip` operations pass from now on, then nothing happens any more: every call fails.
  void cut_power_after(std::uint64_t skip);
  bool power_is_off() const;
  //! What the disk holds after the cut. REQUIRES: nobody has a file open.
  void restart();

  //! How long every sync takes; 0 at first.
  void slow_syncs(std::chrono::microseconds by) { sync_delay_us_ = by.count(); }

  //! How many operations of these kinds there were.
  std::uint64_t operations(unsigned kinds = on_all) const;

  //! What a reader of the file would get; empty when there is none.
  std::string content(const std::string& path) const;
  //! Replaces a file, durably.
  void put(const std::string& path, std::string content);

 private:
  friend struct DiskFile;
  friend struct DiskCalls;

  struct Write {
    std::uint64_t offset;
    std::string bytes;
    bool truncates = false;  //!< to `offset`
    bool forgotten = false;
  };
  //! The memory that connections share for the log's index, and its locks.
  struct Shared {
    std::vector<std::unique_ptr<char[]>> regions;
    int shared[SQLITE_SHM_NLOCK] = {};
    bool exclusive[SQLITE_SHM_NLOCK] = {};
    int users = 0;
  };
  struct Node {
    std::string current;
    std::string synced;
    bool ever_synced = false;
    std::vector<Write> unsynced;
    int readers = 0;  //!< holders of a lock at least SHARED
    const void* reserved = nullptr;
    const void* pending = nullptr;
    std::unique_ptr<Shared> memory;
  };

  static void apply(std::string& content, const Write& write);
  //! SQLITE_OK, or the failure that is due now. REQUIRES: mutex_ held.
  int due(Operation operation);
  void keep_any_part(Node& node);

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::string name_;
  sqlite3_vfs vfs_ = {};
  std::map<std::string, std::shared_ptr<Node>> files_;
  std::map<std::string, std::shared_ptr<Node>> removed_;  //!< not yet for good
  std::map<unsigned, std::uint64_t> counts_;

  unsigned failing_ = 0;
  std::uint64_t fail_skip_ = 0;
  std::uint64_t fail_times_ = 0;
  int fail_rc_ = SQLITE_OK;
  bool cut_planned_ = false;
  bool power_off_ = false;
  std::uint64_t cut_skip_ = 0;
  std::atomic<std::int64_t> sync_delay_us_{0};
};

}  // namespace reel::store::testing

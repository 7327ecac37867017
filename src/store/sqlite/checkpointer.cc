#include "store/sqlite/checkpointer_internal.h"

#include "base/pace.h"

namespace reel::store::sqlite {
namespace {

//! Moving pages takes milliseconds of a processor. Little, so that it goes on beside other
//! programs.
constexpr int kNice = 5;

}  // namespace

Checkpointer::Checkpointer(Connection::Options options, obs::Histogram& took,
                           std::function<void(const Error&)> failed)
    : options_(std::move(options)),
      took_(took),
      failed_(std::move(failed)),
      thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() { stop(); }

void Checkpointer::request(std::size_t pages) {
  {
    const MutexLock lock(mutex_);
    pages_ = pages;
    if (requested_) return;
    requested_ = true;
  }
  wake_.notify_one();
}

bool Checkpointer::is_busy() const {
  const MutexLock lock(mutex_);
  return requested_ || working_;
}

void Checkpointer::wait_idle() {
  const MutexLock lock(mutex_);
  requested_ = false;
  while (working_) idle_.wait(mutex_);
}

void Checkpointer::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::run() {
  lower_priority(kNice);
  while (true) {
    std::size_t pages = 0;
    {
      const MutexLock lock(mutex_);
      while (!requested_ && !stopping_) wake_.wait(mutex_);
      if (stopping_) break;
      requested_ = false;
      working_ = true;
      pages = pages_;
    }
    if (const Status done = checkpoint(); done) {
      moved_pages_ = pages;
    } else {
      connection_.reset();
      failed_(done.error());
    }
    {
      const MutexLock lock(mutex_);
      working_ = false;
    }
    idle_.notify_all();
  }
  connection_.reset();
}

namespace {

//! SQLite does so only when it has moved the whole log: whoever moved the rest would wait for all.
Status sync_database(Connection& connection) {
  sqlite3_file* file = nullptr;
  int rc = sqlite3_file_control(connection.get(), "main", SQLITE_FCNTL_FILE_POINTER,
                                static_cast<void*>(&file));
  if (rc == SQLITE_OK && file != nullptr && file->pMethods != nullptr) {
    rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
  }
  return rc == SQLITE_OK ? Status() : Status(connection.failure(rc, "synchronizing"));
}

}  // namespace

Status Checkpointer::checkpoint() {
  if (connection_ == nullptr) {
    REEL_ASSIGN(connection_, Connection::open(options_));
  }
  REEL_TRY(checkpoint_wal(*connection_, SQLITE_CHECKPOINT_PASSIVE, took_));
  return sync_database(*connection_);
}

Result<bool> checkpoint_wal(Connection& connection, int mode, obs::Histogram& took) {
  const obs::Stopwatch watch(took);
  const int rc = sqlite3_wal_checkpoint_v2(connection.get(), nullptr, mode, nullptr, nullptr);
  if (rc == SQLITE_OK) return true;
  if ((rc & 0xff) == SQLITE_BUSY) return false;
  return connection.failure(rc, "checkpointing");
}

}  // namespace reel::store::sqlite

#include "store/sqlite/committer_internal.h"

#include <algorithm>

#include "obs/log.h"
#include "store/sqlite/catalog_internal.h"
#include "store/sqlite/log_rewrite_internal.h"

namespace reel::store::sqlite {
namespace {

using Milliseconds = std::chrono::milliseconds;

//! How long the committer lets readers keep it from restarting the log after a failed write.
constexpr int kRestartWaitMs = 100;

//! How long new readers are made to wait for those before them when the log is to begin anew: it
//! counts the more, the longer the log is.
Milliseconds restart_patience(std::size_t pages, std::size_t pages_max) {
  constexpr Milliseconds kLeast{20};
  constexpr Milliseconds kMost{500};
  const auto times = static_cast<std::int64_t>(pages / std::max<std::size_t>(pages_max, 1));
  return std::clamp(times * kLeast, kLeast, kMost);
}

//! Who has read for so long will not end soon.
constexpr Milliseconds kLongRead{1000};

//! How often it is looked whether the readers have ended.
constexpr std::chrono::microseconds kReadersPoll{200};

//! From so many times the length at which it is too long, writers wait until the background has
//! moved the log.
constexpr std::size_t kFarTooLong = 2;

//! With nothing to write for so long, the log is moved to the database: readers then need not look
//! into it.
constexpr Milliseconds kIdle{500};

int note_wal_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<std::size_t*>(pages) = static_cast<std::size_t>(count);
  return SQLITE_OK;
}

//! An existing file keeps the page size that it was made with.
std::size_t page_bytes_of(Connection& writer, std::size_t of_new_files) {
  const auto found = writer.read_integer("PRAGMA page_size");
  return found ? static_cast<std::size_t>(*found) : of_new_files;
}

}  // namespace

Connection::Options writer_options(const SqliteOptions& options) {
  return {.path = options.path,
          .vfs = options.vfs,
          .write = true,
          .cache_kib = options.writer_cache_kib,
          .busy_ms = options.busy_ms,
          .statements_max = 256};
}

Committer::Committer(const SqliteOptions& options, std::unique_ptr<Connection> writer,
                     std::shared_ptr<SharedLayouts> layouts, std::shared_ptr<ReaderPool> readers,
                     obs::Registry& metrics)
    : options_(options),
      metrics_(metrics),
      limits_{.mutations_max = options.batch_mutations_max,
              .cell_bytes_max = options.cell_bytes_max},
      layouts_(std::move(layouts)),
      readers_(std::move(readers)),
      writer_(std::move(writer)),
      page_bytes_(page_bytes_of(*writer_, options.page_bytes)),
      wal_pages_request_(options.wal_pages_soft),
      wal_pages_restart_(options.wal_pages_hard) {
  sqlite3_wal_hook(writer_->get(), note_wal_pages, &wal_pages_);
  if (options_.checkpoint_in_background) {
    Connection::Options connection = writer_options(options_);
    connection.cache_kib = 256;
    checkpointer_ = std::make_unique<Checkpointer>(std::move(connection), metrics_.checkpoint,
                                                   [this](const Error& error) { report(error); });
  }
  thread_ = std::thread([this] { loop(); });
}

Committer::~Committer() { stop(); }

Status Committer::commit(const Batch& batch, BatchPlan plan) {
  const obs::Stopwatch watch(metrics_.commit);
  Request request;
  request.batch = &batch;
  request.plan = std::move(plan);
  return submit(request);
}

Status Committer::run(Job job) {
  Request request;
  request.job = std::move(job);
  return submit(request);
}

Status Committer::submit(Request& request) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return shutting_down("the store is stopping");
    if (queue_.size() >= options_.commit_queue_max) {
      return overloaded("{} batches wait for the store already", queue_.size());
    }
    queue_.push_back(&request);
    metrics_.queue_batches.add(1);
    if (std::exchange(idle_, false)) wake_.notify_one();
  }
  request.answered.wait();
  return std::move(request.result);
}

StoreHealth Committer::health() const {
  const MutexLock lock(mutex_);
  if (!sick_) return {};
  return {.writable = false, .reason = sick_->message()};
}

void Committer::report(const Error& error) { turn_read_only(error); }

void Committer::stop() {
  std::call_once(stopped_, [this] {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    if (checkpointer_ != nullptr) checkpointer_->stop();
  });
}

void Committer::loop() {
  while (true) {
    Group group = next_group();
    if (group.empty()) break;
    serve(group);
    answer(group);
    if (options_.committed) options_.committed();
    keep_log_short();
  }
  end_restart();
  // A clean end leaves no log behind, unless a snapshot still reads from it.
  if (writer_ != nullptr && health().writable) {
    sqlite3_busy_timeout(writer_->get(), 0);
    const auto moved = checkpoint_wal(*writer_, SQLITE_CHECKPOINT_TRUNCATE, metrics_.checkpoint);
    if (moved && *moved) (void)writer_->set_checkpoint_on_close(true);
  }
  writer_.reset();
}

Committer::Group Committer::next_group() {
  while (true) {
    {
      const MutexLock lock(mutex_);
      wait_for_work();
      if (!queue_.empty()) return take_group();
      if (stopping_) return {};
    }
    if (restart_until_) {
      continue_restart();
    } else {
      ready();  // an idle store notices by itself that its disk is healthy again
    }
  }
}

void Committer::wait_for_work() {
  idle_ = queue_.empty();
  while (queue_.empty() && !stopping_ && !sick_ && !restart_until_) {
    if (!log_unmoved_) {
      wake_.wait(mutex_);
    } else if (wake_.wait_for(mutex_, kIdle) == std::cv_status::timeout) {
      checkpointer_->request(wal_pages_);
      log_unmoved_ = false;
    }
  }
  if (queue_.empty() && !stopping_) {
    if (restart_until_) {
      wake_.wait_for(mutex_, kReadersPoll);
    } else {
      const Moment until = retry_at_;  // waiting looks at it without the lock
      wake_.wait_until(mutex_, until);
    }
  }
  idle_ = false;
}

Committer::Group Committer::take_group() {
  Group group;
  std::size_t mutations = 0;
  while (!queue_.empty() && group.size() < options_.group_batches_max &&
         mutations < options_.group_mutations_max) {
    Request* const request = queue_.front();
    const bool is_job = request->batch == nullptr;
    if (is_job && !group.empty()) break;
    group.push_back(request);
    queue_.pop_front();
    if (is_job) break;
    mutations += request->batch->mutations.size();
  }
  metrics_.queue_batches.add(-static_cast<std::int64_t>(group.size()));
  return group;
}

void Committer::answer(const Group& group) {
  for (Request* const request : group) request->answered.post();  // gone from here on
}

void Committer::serve(Group& group) {
  if (!ready()) {
    const std::string reason = health().reason;
    for (Request* const request : group) {
      request->result = read_only("the store is read-only: {}", reason);
    }
    return;
  }
  if (group.front()->batch == nullptr) {
    group.front()->result = run_job(group.front()->job);
  } else {
    commit_group(group);
  }
}

Status Committer::run_job(const Job& job) {
  writer_->clear_failure();
  Status done = job(*writer_);
  if (sqlite3_get_autocommit(writer_->get()) == 0) (void)writer_->run("ROLLBACK");
  if (!done && is_disk_failure(writer_->last_failure())) turn_read_only(done.error());
  return done;
}

Status Committer::set_synced(bool synced) {
  if (synced == synced_) return {};
  // Without a sync a commit that returned may be lost, but not one before it, nor part of one.
  REEL_TRY(writer_->run(synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  synced_ = synced;
  return {};
}

void Committer::commit_group(Group& group) {
  writer_->clear_failure();
  const bool synced = std::ranges::any_of(group, [](const Request* request) {
    return request->batch->durability == Durability::at_once;
  });
  Status applied = set_synced(synced);
  if (applied) applied = apply_group(group);
  if (!applied) {
    undo(group, applied.error());
    return;
  }
  metrics_.group_batches.observe(static_cast<double>(group.size()));
  Status committed;
  {
    const obs::Stopwatch watch(metrics_.sync);
    committed = writer_->run("COMMIT");
  }
  if (!committed) settle_failed_commit(group, committed.error());
}

Status Committer::apply_group(Group& group) {
  // A savepoint costs as much as an insert, and hardly any batch fails after its first change: only
  // for a group with such a batch the work is done again with savepoints.
  REEL_ASSIGN(const bool done, try_group(group, Applier::Undo::never));
  if (done) return {};
  REEL_TRY(writer_->run("ROLLBACK"));
  REEL_ASSIGN(const bool done_again, try_group(group, Applier::Undo::by_savepoint));
  REEL_CHECK(done_again);
  return {};
}

Result<bool> Committer::try_group(Group& group, Applier::Undo undo) {
  REEL_TRY(writer_->run("BEGIN IMMEDIATE"));
  Applier applier(*writer_, *options_.clock, undo);
  const std::shared_ptr<const Layouts> newest = layouts_->get();
  for (Request* const request : group) {
    if (request->plan.layouts != newest) {
      auto again = plan_batch(newest, *request->batch, limits_);
      if (!again) {
        request->result = tl::unexpected(std::move(again).error());
        continue;
      }
      request->plan = *std::move(again);
    }
    request->result = applier.apply(*request->batch, request->plan);
    if (writer_->last_failure() != SQLITE_OK) {
      return tl::unexpected(request->result.error().clone());
    }
    if (applier.torn()) return false;
  }
  if (!applier.changed()) return true;
  REEL_TRY(applier.write_ledger());
  REEL_TRY(bump_sequence());
  return true;
}

void Committer::undo(Group& group, const Error& error) {
  const int failure = writer_->last_failure();
  if (sqlite3_get_autocommit(writer_->get()) == 0) (void)writer_->run("ROLLBACK");
  // Also a batch that was refused on its own: what it clashed with may have been in this group.
  for (Request* const request : group) request->result = tl::unexpected(error.clone());
  if (is_disk_failure(failure)) turn_read_only(error);
}

void Committer::settle_failed_commit(Group& group, const Error& error) {
  turn_read_only(error);
  const std::int64_t ours = sequence_;
  const auto found = recover();
  const bool there = found && found->sequence >= ours;
  if (there && found->durable) return;
  for (Request* const request : group) {
    const bool refused = !request->result;
    if ((found && !there) || refused) {
      request->result = io("nothing was applied: {}", error.message());
    } else {
      request->result =
          unknown_outcome("it is not known whether the commit happened: {}", error.message());
    }
  }
}

Status Committer::bump_sequence() {
  {
    REEL_ASSIGN(const Statement update,
                writer_->prepare("UPDATE _commits SET sequence = sequence + 1"));
    REEL_TRY(writer_->finish(update));
  }
  REEL_ASSIGN(sequence_, writer_->read_integer("SELECT sequence FROM _commits"));
  return {};
}

void Committer::turn_read_only(const Error& error) {
  bool is_news = false;
  {
    const MutexLock lock(mutex_);
    is_news = !sick_;
    if (is_news) sick_ = error.clone();
    retry_at_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.retry_ms);
  }
  if (is_news) tell({.writable = false, .reason = error.message()});
}

void Committer::tell(const StoreHealth& health) const {
  if (options_.health_changed) {
    options_.health_changed(health);
  } else if (health.writable) {
    obs::log(obs::Level::info, "the store takes commits again");
  } else {
    obs::log(obs::Level::error, "the store is read-only now", {{"reason", health.reason}});
  }
}

bool Committer::ready() {
  {
    const MutexLock lock(mutex_);
    if (!sick_) return true;
    if (std::chrono::steady_clock::now() < retry_at_) return false;
  }
  const auto recovered = recover();
  if (!recovered) {
    turn_read_only(recovered.error());
    return false;
  }
  {
    const MutexLock lock(mutex_);
    sick_.reset();
  }
  tell({});
  return true;
}

Result<Committer::Recovered> Committer::recover() {
  end_restart();
  writer_.reset();
  synced_ = true;
  if (checkpointer_ != nullptr) checkpointer_->wait_idle();
  REEL_TRY(rewrite_log(options_.path, options_.vfs));
  REEL_ASSIGN(writer_, Connection::open(writer_options(options_)));
  sqlite3_wal_hook(writer_->get(), note_wal_pages, &wal_pages_);
  REEL_TRY(prepare_file(*writer_, options_.page_bytes));
  // The database, too, may lack pages that the kernel takes for written; they are in the log.
  sqlite3_busy_timeout(writer_->get(), kRestartWaitMs);
  REEL_ASSIGN(const bool complete,
              checkpoint_wal(*writer_, SQLITE_CHECKPOINT_TRUNCATE, metrics_.checkpoint));
  sqlite3_busy_timeout(writer_->get(), static_cast<int>(options_.busy_ms));
  Recovered recovered{.sequence = 0, .durable = complete};
  REEL_ASSIGN(recovered.sequence, writer_->read_integer("SELECT sequence FROM _commits"));
  REEL_TRY(bump_sequence());
  REEL_ASSIGN(auto layouts, load_layouts(*writer_));  // a failed schema change may be there
  layouts_->set(std::move(layouts));
  return recovered;
}

void Committer::keep_log_short() {
  if (writer_ == nullptr) return;
  metrics_.log_bytes.set(static_cast<std::int64_t>(wal_pages_ * page_bytes_));
  log_unmoved_ = checkpointer_ != nullptr;
  const bool began_anew = wal_pages_ < wal_pages_before_;
  wal_pages_before_ = wal_pages_;
  if (began_anew) {
    wal_pages_request_ = options_.wal_pages_soft;
    wal_pages_restart_ = options_.wal_pages_hard;
  }
  if (restart_until_) {
    continue_restart();
  } else if (wal_pages_ >= wal_pages_restart_) {
    if (may_restart_log()) begin_restart();
  } else if (wal_pages_ >= wal_pages_request_) {
    wal_pages_request_ = wal_pages_ + options_.wal_pages_soft;
    if (checkpointer_ != nullptr) return checkpointer_->request(wal_pages_);
    const auto done = checkpoint_wal(*writer_, SQLITE_CHECKPOINT_PASSIVE, metrics_.checkpoint);
    if (!done) turn_read_only(done.error());
  }
}

bool Committer::may_restart_log() {
  if (checkpointer_ != nullptr) {
    if (wal_pages_ >= kFarTooLong * options_.wal_pages_hard) {  // it grows faster than it is moved
      checkpointer_->wait_idle();
    } else if (checkpointer_->is_busy()) {
      return false;
    } else {
      const std::size_t moved = checkpointer_->moved_pages();
      const std::size_t left = wal_pages_ - (moved <= wal_pages_ ? moved : 0);
      if (left > options_.wal_pages_soft / 8) {
        checkpointer_->request(wal_pages_);
        return false;
      }
    }
  }
  return !readers_->in_use_since(std::chrono::steady_clock::now() - kLongRead);
}

void Committer::begin_restart() {
  restart_until_ =
      std::chrono::steady_clock::now() + restart_patience(wal_pages_, options_.wal_pages_hard);
  readers_->close(*restart_until_);
  continue_restart();
}

void Committer::continue_restart() {
  const bool in_time = std::chrono::steady_clock::now() < *restart_until_;
  if (writer_ != nullptr && in_time && readers_->taken() > 0) return;
  if (writer_ != nullptr) {
    sqlite3_busy_timeout(writer_->get(), 0);
    const auto done = checkpoint_wal(*writer_, SQLITE_CHECKPOINT_RESTART, metrics_.checkpoint);
    sqlite3_busy_timeout(writer_->get(), static_cast<int>(options_.busy_ms));
    if (!done) turn_read_only(done.error());
    // When a reader was in the way, the log goes on growing: try again somewhat later.
    if (done && *done) {
      wal_pages_restart_ = options_.wal_pages_hard;
    } else {
      wal_pages_restart_ = wal_pages_ + std::max(options_.wal_pages_soft, wal_pages_ / 8);
    }
  }
  end_restart();
}

void Committer::end_restart() {
  restart_until_.reset();
  readers_->open();
}

}  // namespace reel::store::sqlite

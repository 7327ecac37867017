#include <mutex>

#include "store/sqlite/connection_internal.h"

namespace reel::store::sqlite {
namespace {

Code code_of(int rc) {
  switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::timeout;
    case SQLITE_TOOBIG: return Code::too_large;
    case SQLITE_CONSTRAINT: return Code::conflict;
    case SQLITE_INTERRUPT: return Code::cancelled;
    default: return is_disk_failure(rc) ? Code::io : Code::internal;
  }
}

//! SQLite counts its memory under one lock of the process unless told otherwise before its start.
void configure_library() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

}  // namespace

bool is_disk_failure(int rc) {
  switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return true;
    default: return false;
  }
}

Statement::~Statement() {
  if (handle_ == nullptr) return;
  if (busy_ == nullptr) {
    sqlite3_finalize(handle_);
  } else {
    sqlite3_reset(handle_);
    *busy_ = false;
  }
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
  configure_library();
  sqlite3* db = nullptr;
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
      (options.write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  const int rc = sqlite3_open_v2(options.path.c_str(), &db, flags,
                                 options.vfs.empty() ? nullptr : options.vfs.c_str());
  std::unique_ptr<Connection> connection(new Connection(db, options));
  if (rc != SQLITE_OK) return connection->failure(rc, "opening");
  REEL_TRY(connection->set_up());
  return connection;
}

Status Connection::set_up() {
  sqlite3_busy_timeout(db_, static_cast<int>(options_.busy_ms));
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  REEL_TRY(
      run(fmt::format("PRAGMA cache_size=-{}; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; "
                      "PRAGMA temp_store=MEMORY",
                      options_.cache_kib)));
  // Closing does not move the log: whoever does must know that the disk has all of it.
  REEL_TRY(set_checkpoint_on_close(false));
  return options_.write ? Status() : run("PRAGMA query_only=ON");
}

Status Connection::set_checkpoint_on_close(bool on) {
  const int rc =
      sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, static_cast<int>(!on), nullptr);
  return rc == SQLITE_OK ? Status() : Status(failure(rc, "configuring"));
}

Connection::~Connection() {
  for (const auto& [shape, cached] : cache_) sqlite3_finalize(cached->handle);
  sqlite3_close_v2(db_);
}

Failure Connection::failure(int rc, std::string_view doing) const {
  last_failure_ = rc;
  const int system = db_ == nullptr ? 0 : sqlite3_system_errno(db_);
  std::string detail = db_ == nullptr ? sqlite3_errstr(rc) : sqlite3_errmsg(db_);
  if (system != 0 && is_disk_failure(rc)) {
    detail += fmt::format(" (errno {})", system);
  }
  return fail(code_of(rc), "{} {}: {}", doing, options_.path, detail);
}

Status Connection::run(const std::string& sql) {
  const int rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return failure(rc, "writing");
  return {};
}

Result<std::int64_t> Connection::read_integer(const std::string& sql) {
  REEL_ASSIGN(const Statement statement, prepare(sql));
  REEL_ASSIGN(const bool found, step(statement));
  return found ? sqlite3_column_int64(statement.get(), 0) : 0;
}

void Connection::evict_one() {
  auto oldest = cache_.end();
  for (auto it = cache_.begin(); it != cache_.end(); ++it) {
    if (!it->second->busy && (oldest == cache_.end() || it->second->used < oldest->second->used)) {
      oldest = it;
    }
  }
  if (oldest == cache_.end()) return;
  sqlite3_finalize(oldest->second->handle);
  cache_.erase(oldest);
}

std::optional<Statement> Connection::take_cached(std::string_view shape) {
  const auto found = cache_.find(shape);
  if (found == cache_.end() || found->second->busy) return std::nullopt;
  Cached& cached = *found->second;
  cached.busy = true;
  cached.used = ++uses_;
  return Statement(cached.handle, &cached.busy);
}

Result<Statement> Connection::prepare_once(const std::string& sql) {
  sqlite3_stmt* handle = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (rc != SQLITE_OK) return failure(rc, "preparing");
  return Statement(handle, nullptr);
}

Result<Statement> Connection::compile_for(std::string_view shape, const std::string& sql) {
  REEL_ASSIGN(Statement statement, prepare_once(sql));
  if (cache_.contains(shape)) return statement;  // the cached one is busy
  if (cache_.size() >= options_.statements_max) evict_one();
  auto& cached = cache_[std::string(shape)];
  cached = std::make_unique<Cached>(
      Cached{.handle = statement.release(), .busy = true, .used = ++uses_});
  return Statement(cached->handle, &cached->busy);
}

Result<bool> Connection::step(const Statement& statement) {
  const int rc = sqlite3_step(statement.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return failure(rc, sqlite3_stmt_readonly(statement.get()) != 0 ? "reading" : "writing");
}

Status Connection::finish(const Statement& statement) {
  REEL_ASSIGN(const bool row, step(statement));
  REEL_CHECK(!row);
  return {};
}

}  // namespace reel::store::sqlite

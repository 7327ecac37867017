#pragma once
//! One SQLite connection and its prepared statements.

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <sqlite3.h>

#include "base/result.h"

namespace reel::store::sqlite {

//! A statement in use. Resets it (and ends its part of the read transaction) when it goes.
class Statement {
 public:
  Statement(sqlite3_stmt* handle, bool* busy) : handle_(handle), busy_(busy) {}
  Statement(Statement&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), busy_(other.busy_) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  sqlite3_stmt* get() const { return handle_; }
  //! The handle is the caller's now.
  sqlite3_stmt* release() { return std::exchange(handle_, nullptr); }

 private:
  sqlite3_stmt* handle_;
  bool* busy_;  //!< null: not from the cache, finalized when done
};

//! Not thread-safe (opened with NOMUTEX): one thread at a time.
class Connection {
 public:
  struct Options {
    std::string path;
    std::string vfs = {};
    bool write = false;
    std::size_t cache_kib = 512;
    std::uint32_t busy_ms = 5'000;
    std::size_t statements_max = 64;
  };

  static Result<std::unique_ptr<Connection>> open(const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  //! Runs statements that return nothing of interest.
  Status run(const std::string& sql);
  //! The first column of the first row, as an integer; 0 when there is no row.
  Result<std::int64_t> read_integer(const std::string& sql);

  //! The statement of this shape, prepared on first use. The least recently used one goes when
  //! there are too many. A shape that is in use already gets a second statement, not cached.
  template <std::invocable MakeSql>
  Result<Statement> prepare(std::string_view shape, MakeSql&& sql) {
    if (auto cached = take_cached(shape)) return *std::move(cached);
    return compile_for(shape, sql());
  }
  //! The statement of this text, which is its own shape.
  Result<Statement> prepare(std::string_view sql) {
    return prepare(sql, [&] { return std::string(sql); });
  }

  //! A statement that is not kept.
  Result<Statement> prepare_once(const std::string& sql);

  //! True when there is a row. REQUIRES: every parameter is bound.
  Result<bool> step(const Statement& statement);
  Status finish(const Statement& statement);

  //! Whether closing the file's last connection moves the log to the database and removes it.
  Status set_checkpoint_on_close(bool on);

  //! The error that SQLite reported last on this connection.
  Failure failure(int rc, std::string_view doing) const;

  sqlite3* get() const { return db_; }
  //! Primary result code of the last failure; SQLITE_OK when there was none since clear_failure.
  int last_failure() const { return last_failure_; }
  void clear_failure() { last_failure_ = SQLITE_OK; }
  //! For what SQLite did not notice: a stored row that does not decode.
  void note_corrupt() { last_failure_ = SQLITE_CORRUPT; }

 private:
  struct Cached {
    sqlite3_stmt* handle = nullptr;
    bool busy = false;
    std::uint64_t used = 0;
  };
  struct ShapeHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  Connection(sqlite3* db, const Options& options) : db_(db), options_(options) {}
  Status set_up();
  std::optional<Statement> take_cached(std::string_view shape);
  Result<Statement> compile_for(std::string_view shape, const std::string& sql);
  void evict_one();

  sqlite3* db_;
  Options options_;
  std::unordered_map<std::string, std::unique_ptr<Cached>, ShapeHash, std::equal_to<>> cache_;
  std::uint64_t uses_ = 0;
  mutable int last_failure_ = SQLITE_OK;
};

//! Whether the disk refused, as opposed to the data or the caller.
bool is_disk_failure(int rc);

}  // namespace reel::store::sqlite

#pragma once
//! One client's statements: its transaction, its temporary tables.

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace reel::sql {

struct ResultColumn {
  std::string name;
  std::string type;   //!< as SQL calls it: "DECIMAL(24,9)"
  store::Type shown;  //!< of the cells
};

//! What a statement answers.
enum class ResultKind : std::uint8_t {
  rows,     //!< a query, or RETURNING
  changed,  //!< one row with the number of rows that were changed
  nothing,  //!< such as CREATE TABLE
};

//! Takes in the results of statements, on the thread that executes them. An error ends the
//! execution and is its answer.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  //! A statement begins to answer.
  virtual Status begin(ResultKind kind, const std::vector<ResultColumn>& columns) = 0;
  virtual Status row(const store::Row& cells) = 0;
  //! It is done.
  virtual Status end() = 0;
};

struct ExecuteOptions {
  //! Values of `?` or `$1`, `$2`, …; for a single statement only.
  std::vector<store::Value> parameters = {};
  //! Code::timeout after so long.
  std::optional<std::chrono::milliseconds> time_max = {};
  //! Code::cancelled when it is asked to stop, before or meanwhile.
  std::stop_token stop = {};
};

//! The result of a statement that is taken row by row, while the statement runs. Dropping it ends
//! the statement. Used by one thread at a time; does not outlive its session, which executes
//! nothing else meanwhile.
class Cursor {
 public:
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  ResultKind kind() const;
  const std::vector<ResultColumn>& columns() const;

  //! Waits for the next row; false when there is none. Errors as Session::execute().
  Result<bool> next(store::Row& cells);

  //! Whether next() has something to say at once.
  bool ready();

  struct State;
  explicit Cursor(std::unique_ptr<State> state);

 private:
  friend class ArrowStream;

  std::unique_ptr<State> state_;
};

//! One thread at a time, but for cancel(). Dropping it rolls an open transaction back.
class Session {
 public:
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  //! Executes statements, one after the other, until one fails. Every statement is a transaction of
  //! its own unless BEGIN was said. Errors:
  //! - invalid: the statement is wrong, or a value does not fit; the message names the place;
  //! - conflict: a key that is there already, or another transaction was faster;
  //! - forbidden, unsupported: not for this table, not offered here;
  //! - timeout, cancelled, too_large (memory), and those of Store::commit().
  Status execute(std::string_view sql, ResultSink& sink, const ExecuteOptions& options = {});

  //! As execute(), but hands the result of the last statement out before it is complete; the others
  //! have been executed then. Code::invalid when there is no statement. What changes rows is
  //! complete and committed before its result is handed out.
  Result<std::unique_ptr<Cursor>> open(std::string_view sql, const ExecuteOptions& options = {});

  //! Ends the running execution with Code::cancelled. From any thread.
  void cancel();

  bool in_transaction() const;

  //! How far the running statement is, 0 to 1. Nullopt when that cannot be told, or was not asked
  //! for in ConnectOptions. From any thread.
  std::optional<double> progress() const;

  struct State;
  explicit Session(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace reel::sql

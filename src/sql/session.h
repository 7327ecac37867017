#pragma once
//! One client's statements: its transaction, its temporary tables.

#include <chrono>
#include <memory>
#include <optional>
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

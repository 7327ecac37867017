#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include <duckdb/main/connection.hpp>
#include <duckdb/main/query_result.hpp>
#include <duckdb/parser/sql_statement.hpp>

#include "sql/engine_internal.h"
#include "sql/memory_guard_internal.h"
#include "sql/session.h"

namespace reel::sql {

struct Session::State {
  State(Engine::State& of, ConnectOptions chosen) : engine(of), options(std::move(chosen)) {}

  //! Connects, and again when the instance had to be replaced.
  Status connect();
  Result<duckdb::unique_ptr<duckdb::QueryResult>> run(
      duckdb::unique_ptr<duckdb::SQLStatement> statement,
      const std::vector<store::Value>& parameters);
  //! What DuckDB's error means: why the time was up, what the store said to a commit.
  Error explain(const duckdb::ErrorData& error);
  void cancel();
  std::shared_ptr<duckdb::Connection> connected() EXCLUDES(mutex);
  template <class Take>
  Status execute(std::string_view sql, const std::vector<store::Value>& parameters,
                 const Take& take);

  Engine::State& engine;
  const ConnectOptions options;
  std::shared_ptr<Instance> instance;
  Mutex mutex;  //!< cancel() comes from other threads
  std::shared_ptr<duckdb::Connection> connection GUARDED_BY(mutex);
  Watchdog::Watch* watch GUARDED_BY(mutex) = nullptr;  //!< of the running execution
  std::atomic<bool> cancelled = false;
  std::atomic<bool> timed_out = false;
  std::atomic<bool> too_large = false;  //!< interrupted for its memory, or that of others
};

//! What may end the statements of one execution before they are done, for as long as it lives.
class Execution {
 public:
  //! REQUIRES: session.connect() succeeded.
  Execution(Session::State& session, const ExecuteOptions& options);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

 private:
  Session::State& session_;
  MemoryUse memory_;
  Watchdog::Watch watch_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

struct Cursor::State {
  Session::State& session;
  std::unique_ptr<Execution> execution;  //!< of a cursor that was handed out
  duckdb::unique_ptr<duckdb::QueryResult> result;
  std::vector<ResultColumn> columns;
  duckdb::unique_ptr<duckdb::DataChunk> chunk = nullptr;
  duckdb::idx_t row = 0;  //!< of the chunk, the next one
  bool ended = false;

  //! False when there is no other chunk.
  Result<bool> next_chunk();
  //! As Cursor::ready().
  bool ready();

 private:
  //! Works until the next chunk is there, or the result's end; an error on the way.
  std::optional<duckdb::ErrorData> await_chunk();
};

}  // namespace reel::sql

#pragma once

#include <atomic>
#include <memory>

#include <duckdb/main/connection.hpp>
#include <duckdb/parser/sql_statement.hpp>

#include "sql/engine_internal.h"
#include "sql/session.h"

namespace reel::sql {

struct Session::State {
  State(Engine::State& of, ConnectOptions chosen)
      : engine(of),
        product_tables(std::move(chosen.product_tables)),
        with_progress(chosen.progress) {}

  //! Connects, and again when the instance had to be replaced.
  Status connect();
  Status run(duckdb::unique_ptr<duckdb::SQLStatement> statement, ResultSink& sink,
             const std::vector<store::Value>& parameters);
  //! What DuckDB's error means: why the time was up, what the store said to a commit.
  Error explain(const duckdb::ErrorData& error);

  Engine::State& engine;
  const std::optional<std::set<std::string, std::less<>>> product_tables;
  const bool with_progress;
  std::shared_ptr<duckdb::DuckDB> instance;
  Mutex mutex;  //!< cancel() comes from other threads
  std::shared_ptr<duckdb::Connection> connection GUARDED_BY(mutex);
  std::atomic<bool> cancelled = false;
  std::atomic<bool> timed_out = false;
};

}  // namespace reel::sql

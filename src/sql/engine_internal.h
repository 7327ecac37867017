#pragma once
//! The instance of DuckDB that sessions share, and who watches their time.

#include <atomic>

#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>

#include "base/thread_annotations.h"
#include "sql/engine.h"
#include "sql/watchdog_internal.h"

namespace reel::sql {

struct Engine::State {
  State(store::Store& of, EngineOptions chosen) : store(of), options(std::move(chosen)) {}

  //! The instance in use. DuckDB gives one up for good after a defect of its own: then a new one.
  Result<std::shared_ptr<duckdb::DuckDB>> instance() EXCLUDES(mutex);

  store::Store& store;
  const EngineOptions options;
  Watchdog watchdog;
  std::atomic<std::size_t> running = 0;

 private:
  Mutex mutex;
  std::shared_ptr<duckdb::DuckDB> current GUARDED_BY(mutex);
};

}  // namespace reel::sql

#pragma once
//! The instance of DuckDB that sessions share, and who watches their time.

#include <atomic>
#include <thread>
#include <vector>

#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>

#include "base/thread_annotations.h"
#include "sql/engine.h"
#include "sql/watchdog_internal.h"

namespace reel::sql {

//! An instance of DuckDB with threads of ours that work on its statements: they are known to the
//! memory guard, unlike those that DuckDB would start itself.
class Instance {
 public:
  Instance(duckdb::DBConfig& config, std::uint32_t threads);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  duckdb::DuckDB& database() { return database_; }

 private:
  duckdb::DuckDB database_;
  duckdb::atomic<bool> working_ = true;
  std::vector<std::thread> threads_;
};

struct Engine::State {
  State(store::Store& of, EngineOptions chosen) : store(of), options(std::move(chosen)) {}

  //! The instance in use. DuckDB gives one up for good after a defect of its own: then a new one.
  Result<std::shared_ptr<Instance>> instance() EXCLUDES(mutex_);
  //! What a statement hears that was ended for the memory guard.
  Error memory_error() const;

  store::Store& store;
  const EngineOptions options;
  Watchdog watchdog;
  std::atomic<std::size_t> running = 0;

 private:
  Mutex mutex_;
  std::shared_ptr<Instance> current_ GUARDED_BY(mutex_);
};

}  // namespace reel::sql

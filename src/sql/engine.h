#pragma once
//! SQL over the tables of a store: DuckDB, with the store as its database `reel`.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sql/session.h"
#include "store/draft.h"

namespace reel::sql {

struct EngineOptions {
  //! Memory of all statements together; one that wants more fails with too_large.
  std::uint64_t memory_bytes_max = std::uint64_t{512} << 20;
  //! Threads that work on a statement, with the caller's; at least one.
  std::uint32_t threads = 2;
  //! Folders whose files statements may read and write (COPY, read_csv, …). Nothing else of the
  //! machine can be reached, nor the network.
  std::vector<std::string> directories = {};
};

//! Who keeps the rules of the product's tables when statements change their rows.
struct ProductWrites {
  //! Adds to the draft what the edits of one statement stand for, or says why they cannot be.
  std::function<Status(store::Draft& draft, const store::TableSchema& table,
                       const std::vector<store::RowEdit>& edits)>
      apply;
  //! After the commit of a transaction that did so.
  std::function<void()> committed;
};

struct ConnectOptions {
  //! Who the client is, for the history of the tables that it changes.
  std::string by = "sql";
  //! Of the tables of the product, those that the session sees; unset: all. Others are not there.
  std::optional<std::set<std::string, std::less<>>> product_tables = {};
  //! Null: the tables of the product are read-only.
  std::shared_ptr<const ProductWrites> product_writes = nullptr;
  //! Whether Session::progress() is wanted: it costs statements a little.
  bool progress = false;
};

//! One instance of DuckDB. Thread-safe.
class Engine {
 public:
  //! The store must outlive the engine. DuckDB itself is opened by the first statement: who never
  //! uses SQL does not pay for it.
  static std::unique_ptr<Engine> make(store::Store& store, EngineOptions options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  //! Sessions must not outlive the engine.
  std::unique_ptr<Session> connect(ConnectOptions options = {});

  //! Executions that have begun and not ended, of all sessions.
  std::size_t running() const;

  struct State;

 private:
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace reel::sql

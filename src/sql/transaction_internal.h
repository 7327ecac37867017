#pragma once
//! A DuckDB transaction on our catalog: one snapshot of the store, and one batch of changes.

#include <condition_variable>
#include <functional>
#include <memory>
#include <vector>

#include <duckdb/transaction/transaction.hpp>
#include <duckdb/transaction/transaction_manager.hpp>

#include "base/thread_annotations.h"
#include "sql/engine.h"
#include "sql/row_edits.h"

namespace reel::sql {

//! Threads of one query share it. Errors leave as DuckDB's exceptions.
class StoreTransaction final : public duckdb::Transaction {
 public:
  StoreTransaction(duckdb::TransactionManager& manager, duckdb::ClientContext& context,
                   store::Store& store)
      : duckdb::Transaction(manager, context), store_(store) {}

  static StoreTransaction& get(duckdb::ClientContext& context, duckdb::Catalog& catalog);

  //! The tables as the snapshot has them.
  const store::Catalog& catalog();

  //! Code::not_found when the table was dropped meanwhile, code::conflict when it was changed after
  //! the statement was planned.
  void check_version(const store::TableSchema& schema);

  //! Reads the rows as the transaction sees them, with a snapshot that belongs to the caller
  //! meanwhile; waits until one is free.
  template <class Read>
  auto read(const Read& read) EXCLUDES(mutex_) {
    const Reader reader(*this);
    return read(reader.snapshot);
  }

  //! While a statement is planned: as many threads as this will probably read one of its tables.
  void expect_threads(std::size_t threads) EXCLUDES(mutex_);
  //! Before rows are read by so many threads; returns how many can. The first call decides, because
  //! snapshots of the same state are taken together. `all`: as many as are expected, too.
  std::size_t start_reading(std::size_t threads, bool all) EXCLUDES(mutex_);

  //! Whether it has changed rows.
  bool has_changes() EXCLUDES(mutex_);

  //! The edits of one statement; those of a product's table are the business of `product_writes`.
  void apply(const store::TableSchema& schema, const std::vector<store::RowEdit>& edits,
             const std::shared_ptr<const ProductWrites>& product_writes) EXCLUDES(mutex_);

  //! Schemas change at once, not with the transaction: REQUIRES autocommit and no changes so far.
  //! The statement goes on with a new snapshot, which knows what changed.
  void change_schema(const std::function<Status(store::Store&)>& change) EXCLUDES(mutex_);

  Status commit();

 private:
  //! A snapshot that is taken out of `free_`.
  struct Reader {
    explicit Reader(StoreTransaction& transaction);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    StoreTransaction& transaction;
    store::Snapshot& snapshot;
  };

  store::Snapshot& snapshot() REQUIRES(mutex_);
  store::Snapshot& take_free() EXCLUDES(mutex_);
  void set_free() REQUIRES(mutex_);
  bool all_free() const REQUIRES(mutex_) {
    return free_.size() == (view_ != nullptr ? 1 : snapshots_.size());
  }

  store::Store& store_;
  Mutex mutex_;
  std::condition_variable_any freed_;
  //! All of one state. With changes, the draft is over the first and nothing else is read.
  std::vector<std::unique_ptr<store::Snapshot>> snapshots_ GUARDED_BY(mutex_);
  std::unique_ptr<store::Draft> draft_ GUARDED_BY(mutex_);
  std::unique_ptr<store::Snapshot> view_ GUARDED_BY(mutex_);  //!< of the draft
  std::vector<store::Snapshot*> free_ GUARDED_BY(mutex_);     //!< nobody reads with them
  std::size_t threads_expected_ GUARDED_BY(mutex_) = 1;
  bool reading_ GUARDED_BY(mutex_) = false;  //!< rows were read: the state is settled
  bool torn_ GUARDED_BY(mutex_) = false;     //!< a statement that changes rows has failed
  //! Set: it has changed rows of the product's tables.
  std::shared_ptr<const ProductWrites> product_writes_ GUARDED_BY(mutex_);
};

class StoreTransactionManager final : public duckdb::TransactionManager {
 public:
  StoreTransactionManager(duckdb::AttachedDatabase& database, store::Store& store)
      : duckdb::TransactionManager(database), store_(store) {}

  duckdb::Transaction& StartTransaction(duckdb::ClientContext& context) override;
  duckdb::ErrorData CommitTransaction(duckdb::ClientContext& context,
                                      duckdb::Transaction& transaction) override;
  void RollbackTransaction(duckdb::Transaction& transaction) override;
  void Checkpoint(duckdb::ClientContext&, bool) override {}

 private:
  void forget(duckdb::Transaction& transaction) EXCLUDES(mutex_);

  store::Store& store_;
  Mutex mutex_;
  std::map<duckdb::Transaction*, std::unique_ptr<StoreTransaction>> live_ GUARDED_BY(mutex_);
};

}  // namespace reel::sql

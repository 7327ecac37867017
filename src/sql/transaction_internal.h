#pragma once
//! A DuckDB transaction on our catalog: one snapshot of the store, and one batch of changes.

#include <functional>
#include <memory>

#include <duckdb/transaction/transaction.hpp>
#include <duckdb/transaction/transaction_manager.hpp>

#include "base/thread_annotations.h"
#include "sql/changes.h"
#include "store/store.h"

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

  //! Reads with the snapshot, one caller at a time: it belongs to one thread at a time.
  template <class Read>
  auto read(const Read& read) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return read(snapshot());
  }

  //! What this transaction changed; only its own write statements alter it, after they have read.
  const Changes& changes() const { return changes_; }

  //! See Changes::apply().
  void apply(const SchemaPtr& schema, std::vector<RowEdit> edits) EXCLUDES(mutex_);

  //! Schemas change at once, not with the transaction: REQUIRES autocommit and no changes so far.
  //! The statement goes on with a new snapshot, which knows what changed.
  void change_schema(const std::function<Status(store::Store&)>& change) EXCLUDES(mutex_);

  Status commit();

 private:
  store::Snapshot& snapshot() REQUIRES(mutex_);

  store::Store& store_;
  Mutex mutex_;
  std::unique_ptr<store::Snapshot> snapshot_ GUARDED_BY(mutex_);
  Changes changes_;
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

#pragma once
//! A DuckDB transaction on our catalog: one snapshot of the store, and one batch of changes.

#include <functional>
#include <memory>

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

  //! Reads the rows as the transaction sees them, one caller at a time: a snapshot belongs to one
  //! thread at a time.
  template <class Read>
  auto read(const Read& read) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return read(snapshot());
  }

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
  store::Snapshot& snapshot() REQUIRES(mutex_);

  store::Store& store_;
  Mutex mutex_;
  // The later ones read from the earlier ones.
  std::unique_ptr<store::Snapshot> snapshot_ GUARDED_BY(mutex_);
  std::unique_ptr<store::Draft> draft_ GUARDED_BY(mutex_);
  std::unique_ptr<store::Snapshot> view_ GUARDED_BY(mutex_);  //!< of the draft
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

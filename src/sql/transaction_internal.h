#pragma once
//! A DuckDB transaction on our catalog: one snapshot of the store, and one batch of changes.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <vector>

#include <duckdb/transaction/transaction.hpp>
#include <duckdb/transaction/transaction_manager.hpp>

#include "base/thread_annotations.h"
#include "sql/alterations.h"
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

  //! The tables as the transaction sees them, until it alters one.
  const store::Catalog& catalog() EXCLUDES(mutex_);
  //! Of these; another number after each alteration, and never one that the store has had.
  std::uint64_t catalog_version() EXCLUDES(mutex_);
  //! A number for what the transaction has made of a table, as long as it is not committed; 0: it
  //! has not altered the table.
  std::uint64_t alteration_of(store::TableId table) EXCLUDES(mutex_);

  //! Before rows are read or changed. Code::not_found when the table was dropped meanwhile,
  //! code::conflict when it was changed after the statement was planned, unsupported when the
  //! transaction itself has altered it.
  void check_version(const store::TableSchema& schema) EXCLUDES(mutex_);

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

  //! ALTER TABLE: adds to what the commit does to tables. Rows cannot be changed as well.
  using Alter = std::function<Status(Alterations&, const store::Catalog& base)>;
  void alter(const std::string& statement, const Alter& change) EXCLUDES(mutex_);

  //! Tables are created and dropped at once, not with the transaction: REQUIRES autocommit and no
  //! changes so far. The statement goes on with a new snapshot, which knows what changed.
  void change_schema(const std::function<Status(store::Store&)>& change) EXCLUDES(mutex_);
  //! Whom the history of tables names.
  std::string by_whom();

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

  //! Whether it is one statement without BEGIN.
  bool is_alone();
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
  Alterations alterations_ GUARDED_BY(mutex_);
  std::shared_ptr<const store::Catalog> altered_ GUARDED_BY(mutex_);  //!< the tables with them
  std::uint64_t alteration_ GUARDED_BY(mutex_) = 0;  //!< the number of the last one
  std::string alter_text_ GUARDED_BY(mutex_);
  std::string alters_by_ GUARDED_BY(mutex_);
  bool alters_alone_ GUARDED_BY(mutex_) = false;  //!< without BEGIN
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

  //! Another one at each call.
  std::uint64_t number_alteration() { return ++alterations_; }

 private:
  void forget(duckdb::Transaction& transaction) EXCLUDES(mutex_);

  store::Store& store_;
  std::atomic<std::uint64_t> alterations_ = 0;
  Mutex mutex_;
  std::map<duckdb::Transaction*, std::unique_ptr<StoreTransaction>> live_ GUARDED_BY(mutex_);
};

}  // namespace reel::sql

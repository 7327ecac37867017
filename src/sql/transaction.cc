#include <duckdb/catalog/catalog.hpp>
#include <duckdb/main/attached_database.hpp>
#include <duckdb/main/client_context.hpp>

#include "sql/client_state_internal.h"
#include "sql/errors_internal.h"
#include "sql/transaction_internal.h"

namespace reel::sql {
namespace {

//! Versions of catalogs with alterations that are not committed.
constexpr std::uint64_t kAlteredVersions = std::uint64_t{1} << 62;

}  // namespace

StoreTransaction& StoreTransaction::get(duckdb::ClientContext& context, duckdb::Catalog& catalog) {
  return duckdb::Transaction::Get(context, catalog).Cast<StoreTransaction>();
}

store::Snapshot& StoreTransaction::snapshot() {
  if (view_ != nullptr) return *view_;
  if (snapshots_.empty()) {
    snapshots_.push_back(value_or_raise(store_.snapshot()));
    set_free();
  }
  return *snapshots_.front();
}

void StoreTransaction::set_free() {
  free_.clear();
  if (view_ != nullptr) {
    free_.push_back(view_.get());
    return;
  }
  for (const auto& snapshot : snapshots_) free_.push_back(snapshot.get());
}

store::Snapshot& StoreTransaction::take_free() {
  const MutexLock lock(mutex_);
  snapshot();
  while (free_.empty()) freed_.wait(mutex_);
  store::Snapshot& taken = *free_.back();
  free_.pop_back();
  return taken;
}

StoreTransaction::Reader::Reader(StoreTransaction& from)
    : transaction(from), snapshot(from.take_free()) {}

StoreTransaction::Reader::~Reader() {
  {
    const MutexLock lock(transaction.mutex_);
    transaction.free_.push_back(&snapshot);
  }
  transaction.freed_.notify_all();
}

void StoreTransaction::expect_threads(std::size_t threads) {
  const MutexLock lock(mutex_);
  threads_expected_ = std::max(threads_expected_, threads);
}

std::size_t StoreTransaction::start_reading(std::size_t threads, bool all) {
  const MutexLock lock(mutex_);
  const std::uint64_t version = snapshot().catalog().version;
  if (all) threads = std::max(threads, threads_expected_);
  const bool settled = std::exchange(reading_, true) || view_ != nullptr;
  if (!settled && threads > 1 && all_free()) {
    auto taken = store_.snapshots(threads);
    // Else tables were changed after the statement was planned, or no readers are left.
    if (taken && taken->front()->catalog().version == version) {
      snapshots_ = *std::move(taken);
      set_free();
    }
  }
  return view_ != nullptr ? 1 : snapshots_.size();
}

bool StoreTransaction::has_changes() {
  const MutexLock lock(mutex_);
  return draft_ != nullptr;
}

const store::Catalog& StoreTransaction::catalog() {
  const MutexLock lock(mutex_);
  return altered_ != nullptr ? *altered_ : snapshot().catalog();
}

std::uint64_t StoreTransaction::catalog_version() {
  const MutexLock lock(mutex_);
  return altered_ != nullptr ? kAlteredVersions + alteration_ : snapshot().catalog().version;
}

std::uint64_t StoreTransaction::alteration_of(store::TableId table) {
  const MutexLock lock(mutex_);
  return alterations_.has(table) ? alteration_ : 0;
}

void StoreTransaction::check_version(const store::TableSchema& schema) {
  if (alteration_of(schema.id) != 0) {
    raise(Error(Code::unsupported, fmt::format("table {} was altered in this transaction: COMMIT "
                                               "before its rows are read or changed",
                                               schema.name)));
  }
  const auto current = value_or_raise(catalog().table(schema.name));
  if (current->id == schema.id && current->version == schema.version) return;
  raise(Error(Code::conflict, fmt::format("table {} has changed, run it again", schema.name)));
}

void StoreTransaction::apply(const store::TableSchema& schema,
                             const std::vector<store::RowEdit>& edits,
                             const std::shared_ptr<const ProductWrites>& product_writes) {
  if (edits.empty()) return;
  const MutexLock lock(mutex_);
  if (!alterations_.empty()) {
    raise(Error(Code::unsupported,
                "the transaction has altered tables: COMMIT before rows are changed"));
  }
  snapshot();
  while (!all_free()) freed_.wait(mutex_);
  if (draft_ == nullptr) {
    draft_ = std::make_unique<store::Draft>(snapshot());
    view_ = value_or_raise(draft_->snapshot());
    set_free();
  }
  if (draft_->row_count() + edits.size() > kChangedRowsMax) {
    raise(Error(Code::too_large,
                fmt::format("a transaction changes at most {} rows", kChangedRowsMax)));
  }
  // Half of a statement may be in the draft when it fails, and DuckDB does not end the transaction
  // after every error.
  torn_ = true;
  if (schema.product) {
    product_writes_ = product_writes;
    ok_or_raise(product_writes_->apply(*draft_, schema, edits));
  } else {
    ok_or_raise(draft_->commit(value_or_raise(to_batch(*view_, schema, edits))));
  }
  torn_ = false;
}

void StoreTransaction::alter(const std::string& statement, const Alter& change) {
  const MutexLock lock(mutex_);
  if (draft_ != nullptr) {
    raise(Error(Code::unsupported,
                "the transaction has changed rows: COMMIT before tables are altered"));
  }
  ok_or_raise(change(alterations_, snapshot().catalog()));
  altered_ = alterations_.over(snapshot().catalog());
  alters_alone_ = is_alone();
  alters_by_ = by_whom();
  alteration_ = manager.Cast<StoreTransactionManager>().number_alteration();
  alter_text_ += (alter_text_.empty() ? "" : " ") + statement;
}

bool StoreTransaction::is_alone() {
  const auto client = context.lock();
  return client != nullptr && client->transaction.IsAutoCommit();
}

std::string StoreTransaction::by_whom() {
  const auto client = context.lock();
  return client != nullptr ? ClientState::by(*client) : std::string();
}

void StoreTransaction::change_schema(const std::function<Status(store::Store&)>& change) {
  if (!is_alone() || has_changes()) {
    raise(Error(Code::unsupported,
                "tables and schemas are created, dropped and brought back outside of transactions: "
                "COMMIT first"));
  }
  const MutexLock lock(mutex_);
  free_.clear();
  snapshots_.clear();
  reading_ = false;
  ok_or_raise(change(store_));
}

Status StoreTransaction::commit() {
  store::Batch batch;
  std::vector<store::Migration> migrations;
  store::Reason reason;
  std::shared_ptr<const ProductWrites> product_writes;
  {
    const MutexLock lock(mutex_);
    if (torn_) return invalid("a statement of the transaction failed: it is rolled back");
    if (draft_ != nullptr) batch = draft_->take();
    migrations = alterations_.take(alters_alone_);
    reason = {.by = alters_by_, .comment = alter_text_};
    product_writes = std::move(product_writes_);
    free_.clear();
    view_.reset();
    draft_.reset();
    snapshots_.clear();  // hold back clean-up
  }
  if (!migrations.empty()) {
    REEL_TRY(store_.migrate_all(migrations, reason));
    return {};
  }
  if (batch.mutations.empty() && batch.preconditions.empty()) return {};
  REEL_TRY(store_.commit(std::move(batch)));
  if (product_writes != nullptr) product_writes->committed();
  return {};
}

duckdb::Transaction& StoreTransactionManager::StartTransaction(duckdb::ClientContext& context) {
  auto transaction = std::make_unique<StoreTransaction>(*this, context, store_);
  duckdb::Transaction& started = *transaction;
  const MutexLock lock(mutex_);
  live_.emplace(&started, std::move(transaction));
  return started;
}

duckdb::ErrorData StoreTransactionManager::CommitTransaction(duckdb::ClientContext&,
                                                             duckdb::Transaction& transaction) {
  const Status done = transaction.Cast<StoreTransaction>().commit();
  forget(transaction);
  return done ? duckdb::ErrorData() : to_error_data(done.error());
}

void StoreTransactionManager::RollbackTransaction(duckdb::Transaction& transaction) {
  forget(transaction);
}

void StoreTransactionManager::forget(duckdb::Transaction& transaction) {
  const MutexLock lock(mutex_);
  live_.erase(&transaction);
}

}  // namespace reel::sql

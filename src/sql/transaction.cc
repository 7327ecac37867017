#include <duckdb/catalog/catalog.hpp>
#include <duckdb/main/attached_database.hpp>
#include <duckdb/main/client_context.hpp>

#include "sql/errors_internal.h"
#include "sql/transaction_internal.h"

namespace reel::sql {

StoreTransaction& StoreTransaction::get(duckdb::ClientContext& context, duckdb::Catalog& catalog) {
  return duckdb::Transaction::Get(context, catalog).Cast<StoreTransaction>();
}

store::Snapshot& StoreTransaction::snapshot() {
  if (snapshot_ == nullptr) snapshot_ = value_or_raise(store_.snapshot());
  return *snapshot_;
}

const store::Catalog& StoreTransaction::catalog() {
  const MutexLock lock(mutex_);
  return snapshot().catalog();
}

void StoreTransaction::check_version(const store::TableSchema& schema) {
  const auto current = value_or_raise(catalog().table(schema.name));
  if (current->id == schema.id && current->version == schema.version) return;
  raise(Error(Code::conflict, fmt::format("table {} has changed, run it again", schema.name)));
}

void StoreTransaction::apply(const SchemaPtr& schema, std::vector<RowEdit> edits) {
  const MutexLock lock(mutex_);
  ok_or_raise(changes_.apply(snapshot(), schema, std::move(edits)));
}

void StoreTransaction::change_schema(const std::function<Status(store::Store&)>& change) {
  const auto client = context.lock();
  if (client == nullptr || !client->transaction.IsAutoCommit() || !changes_.empty()) {
    raise(Error(Code::unsupported,
                "tables are created and changed outside of transactions: COMMIT first"));
  }
  const MutexLock lock(mutex_);
  snapshot_.reset();
  ok_or_raise(change(store_));
}

Status StoreTransaction::commit() {
  {
    const MutexLock lock(mutex_);
    snapshot_.reset();  // holds back clean-up
  }
  if (changes_.empty()) return {};
  return store_.commit(changes_.to_batch());
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

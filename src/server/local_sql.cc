#include "server/local_sql.h"

#include "api/product_writes.h"
#include "base/uuid.h"
#include "server/data_directory.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/tables.h"

namespace reel::server {

LocalSql::LocalSql(std::unique_ptr<store::Store> store, tams::Storage storage, const Config& config)
    : store_(std::move(store)),
      storage_(std::move(storage)),
      context_{.store = *store_,
               .storage = storage_,
               .clock = system_clock(),
               .random = system_random(),
               .changes = changes_,
               .limits = config.limits.tams},
      engine_(make_sql(config, *store_)) {}

Result<std::unique_ptr<LocalSql>> LocalSql::open(const Config& config) {
  REEL_ASSIGN(auto store,
              store::open_sqlite_store({.path = data_path(config, kStoreFile),
                                        .convert_rows_max = config.limits.convert_rows_max}));
  tams::Storage storage;
  // A directory without tables of the product has no media either.
  if (store->catalog()->tables.contains(tams::table::kFlows)) {
    REEL_ASSIGN(storage, open_storage(config));
  }
  return std::unique_ptr<LocalSql>(new LocalSql(std::move(store), std::move(storage), config));
}

std::unique_ptr<sql::Session> LocalSql::connect(sql::ConnectOptions options) {
  const tams::Caller caller{.principal = "reelhouse sql", .base_url = {}};
  options.by = caller.principal;
  options.product_writes = api::product_writes(context_, caller);
  return engine_->connect(std::move(options));
}

}  // namespace reel::server

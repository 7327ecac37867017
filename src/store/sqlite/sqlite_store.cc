#include "store/sqlite/sqlite_store.h"

#include <filesystem>

#include "obs/span.h"
#include "store/sqlite/backup_internal.h"
#include "store/sqlite/catalog_internal.h"
#include "store/sqlite/committer_internal.h"
#include "store/sqlite/lock_file_internal.h"
#include "store/sqlite/log_rewrite_internal.h"

namespace reel::store {
namespace {

using namespace sqlite;

class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteOptions& options, std::unique_ptr<LockFile> lock,
              std::unique_ptr<Connection> writer, std::shared_ptr<SharedLayouts> layouts)
      : options_(options),
        limits_{.mutations_max = options.batch_mutations_max,
                .cell_bytes_max = options.cell_bytes_max},
        lock_(std::move(lock)),
        layouts_(std::move(layouts)),
        readers_(
            std::make_shared<ReaderPool>(Connection::Options{.path = options.path,
                                                             .vfs = options.vfs,
                                                             .write = false,
                                                             .cache_kib = options.reader_cache_kib,
                                                             .busy_ms = options.busy_ms},
                                         options.readers_max)),
        committer_(options, std::move(writer), layouts_, metrics()) {
    metrics().gauge_callback("reelhouse_store_readers", "Snapshots that are being read.", {},
                             [this] { return static_cast<double>(readers_->taken()); });
    metrics().gauge_callback("reelhouse_store_readers_max", "How many there may be.", {},
                             [this] { return static_cast<double>(options_.readers_max); });
  }

  ~SqliteStore() override { stop(); }

  Result<std::unique_ptr<Snapshot>> snapshot() override { return start_snapshot(); }

  Status commit(Batch batch) override {
    obs::Span span("store commit");
    span.set("reelhouse.store.mutations", static_cast<std::int64_t>(batch.mutations.size()));
    Status done = plan_and_commit(batch);
    if (!done) span.fail(code_name(done.error().code()));
    return done;
  }

  std::shared_ptr<const Catalog> catalog() const override { return layouts_->get()->catalog; }

  Result<std::shared_ptr<const TableSchema>> ensure_table(const TableDefinition& definition,
                                                          std::string_view by) override {
    REEL_TRY(committer_.run([&](Connection& writer) { return ensure(writer, definition, by); }));
    return catalog()->table(definition.name);
  }

  Result<std::vector<LedgerEntry>> recount(std::string_view table) override {
    REEL_ASSIGN(const auto view, start_snapshot());
    return view->recount(table);
  }

  Status backup(const std::string& directory) override {
    REEL_ASSIGN(const auto view, start_snapshot());
    const std::string name = std::filesystem::path(options_.path).filename().string();
    return backup_to(view->connection(), directory, name);
  }

  StoreHealth health() const override { return committer_.health(); }

  void stop() override { committer_.stop(); }

 private:
  obs::Registry& metrics() {
    return options_.metrics != nullptr ? *options_.metrics : unseen_metrics_;
  }

  Status plan_and_commit(const Batch& batch) {
    REEL_ASSIGN(BatchPlan plan, plan_batch(layouts_->get(), batch, limits_));
    return committer_.commit(batch, std::move(plan));
  }

  Result<std::unique_ptr<SqliteSnapshot>> start_snapshot() {
    return SqliteSnapshot::start(readers_, layouts_->get());
  }

  //! On the committer's thread.
  Status ensure(Connection& writer, const TableDefinition& definition, std::string_view by) {
    REEL_TRY(writer.run("BEGIN IMMEDIATE"));
    const ChangeNote note{.at = options_.clock->now(), .by = by, .comment = "ensure_table"};
    REEL_ASSIGN(const bool changed, ensure_table_in(writer, definition, note));
    if (!changed) return writer.run("ROLLBACK");
    REEL_ASSIGN(auto layouts, load_layouts(writer));
    REEL_TRY(writer.run("COMMIT"));
    layouts_->set(std::move(layouts));
    return {};
  }

  Result<bool> ensure_table_in(Connection& writer, const TableDefinition& definition,
                               const ChangeNote& note) {
    return sqlite::ensure_table(writer, *layouts_->get(), definition, note);
  }

  const SqliteOptions options_;
  obs::Registry unseen_metrics_;
  const BatchLimits limits_;
  const std::unique_ptr<LockFile> lock_;  // outlives every connection of ours
  const std::shared_ptr<SharedLayouts> layouts_;
  const std::shared_ptr<ReaderPool> readers_;  // shared with snapshots, which may outlive us
  Committer committer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(SqliteOptions options) {
  if (options.path.empty()) return invalid("the store needs a path");
  REEL_TRY(make_directory(std::filesystem::path(options.path).parent_path().string()));
  REEL_ASSIGN(auto lock, LockFile::take(options.path + ".lock"));
  REEL_TRY(rewrite_log(options.path, options.vfs));
  REEL_ASSIGN(auto writer, Connection::open(writer_options(options)));
  if (const Status ready = prepare_file(*writer, options.page_bytes); !ready) {
    return fail(ready.error().code(), "{}: {}", options.path, ready.error().message());
  }
  auto layouts = std::make_shared<SharedLayouts>();
  REEL_ASSIGN(auto loaded, load_layouts(*writer));
  layouts->set(std::move(loaded));
  return std::make_unique<SqliteStore>(options, std::move(lock), std::move(writer),
                                       std::move(layouts));
}

}  // namespace reel::store

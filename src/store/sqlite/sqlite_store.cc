#include "store/sqlite/sqlite_store.h"

#include <filesystem>

#include "obs/span.h"
#include "store/sqlite/backup_internal.h"
#include "store/sqlite/catalog_internal.h"
#include "store/sqlite/committer_internal.h"
#include "store/sqlite/lock_file_internal.h"
#include "store/sqlite/log_rewrite_internal.h"
#include "store/sqlite/purge_internal.h"
#include "store/sqlite/schema_change_internal.h"

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
        committer_(options, std::move(writer), layouts_, readers_, metrics()) {
    metrics().gauge_callback("reelhouse_store_readers", "Snapshots that are being read.", {},
                             [this] { return static_cast<double>(readers_->taken()); });
    metrics().gauge_callback("reelhouse_store_readers_max", "How many there may be.", {},
                             [this] { return static_cast<double>(options_.readers_max); });
  }

  ~SqliteStore() override { stop(); }

  Result<std::unique_ptr<Snapshot>> snapshot() override { return start_snapshot(); }

  Result<std::vector<std::unique_ptr<Snapshot>>> snapshots(std::size_t count) override {
    std::vector<std::unique_ptr<SqliteSnapshot>> views;
    for (std::size_t i = 0; i < count; ++i) {
      REEL_ASSIGN(auto view, SqliteSnapshot::reserve(readers_));
      views.push_back(std::move(view));
    }
    const auto begin_all = [&]() -> Status {
      for (const auto& view : views) REEL_TRY(view->begin(layouts_->get()));
      return {};
    };
    // Nothing is committed while the committer's thread does this, nor when it refuses to.
    const Status done = committer_.run([&](Connection&) { return begin_all(); });
    const bool refused = !done && (done.error().code() == Code::read_only ||
                                   done.error().code() == Code::shutting_down);
    if (refused) REEL_TRY(begin_all());
    if (!done && !refused) return Failure(done.error().clone());
    return std::vector<std::unique_ptr<Snapshot>>(std::move_iterator(views.begin()),
                                                  std::move_iterator(views.end()));
  }

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
    REEL_TRY(change([&](Connection& writer) -> Result<bool> {
      const ChangeNote note{.at = options_.clock->now(), .by = by, .comment = "ensure_table"};
      return sqlite::ensure_table(writer, *layouts_->get(), definition, note);
    }));
    return catalog()->table(definition.name);
  }

  Result<std::shared_ptr<const TableSchema>> create_table(const TableDefinition& definition,
                                                          const Reason& reason) override {
    REEL_TRY(change([&](Connection& writer) -> Result<bool> {
      ChangeNote note = note_of(reason);
      note.operations = R"([{"op":"create_table"}])";
      REEL_TRY(layouts_->get()->catalog->check_new_table(definition.name));
      REEL_TRY(sqlite::create_table(writer, definition, note));
      return true;
    }));
    return catalog()->table(definition.name);
  }

  Result<std::vector<std::shared_ptr<const TableSchema>>> migrate_all(
      const std::vector<Migration>& migrations, const Reason& reason) override {
    std::vector<std::string> names;
    REEL_TRY(change([&](Connection& writer) -> Result<bool> {
      REEL_ASSIGN(names, migrate_tables(writer, *layouts_->get(), migrations,
                                        {note_of(reason), options_.convert_rows_max}));
      return true;
    }));
    const auto after = catalog();
    std::vector<std::shared_ptr<const TableSchema>> schemas;
    for (const std::string& name : names) {
      REEL_ASSIGN(auto schema, after->table(name));
      schemas.push_back(std::move(schema));
    }
    return schemas;
  }

  std::int64_t convert_rows_max() const override { return options_.convert_rows_max; }

  Status drop_table(std::string_view name, const Reason& reason) override {
    return change([&](Connection& writer) -> Result<bool> {
      REEL_TRY(sqlite::drop_table(writer, *layouts_->get(), name, note_of(reason)));
      return true;
    });
  }

  Result<std::shared_ptr<const TableSchema>> undrop_table(TableId id, std::string_view name,
                                                          const Reason& reason) override {
    std::string found;
    REEL_TRY(change([&](Connection& writer) -> Result<bool> {
      REEL_ASSIGN(found, sqlite::undrop_table(writer, *layouts_->get(), id, name, note_of(reason)));
      return true;
    }));
    return catalog()->table(found);
  }

  Status create_namespace(std::string_view name) override {
    return change([&](Connection& writer) -> Result<bool> {
      REEL_TRY(check_namespace_name(name));
      if (catalog()->namespaces.contains(name)) return conflict("the schema '{}' exists", name);
      REEL_TRY(note_namespace(writer, name));
      return true;
    });
  }

  Status drop_namespace(std::string_view name, bool with_tables, const Reason& reason) override {
    return change([&](Connection& writer) -> Result<bool> {
      REEL_TRY(
          sqlite::drop_namespace(writer, *layouts_->get(), name, with_tables, note_of(reason)));
      return true;
    });
  }

  Result<std::vector<DroppedTable>> dropped_tables() override {
    REEL_ASSIGN(const auto view, start_snapshot());
    return read_dropped_tables(view->connection());
  }

  Result<std::vector<SchemaVersion>> history(TableId table) override {
    REEL_ASSIGN(const auto view, start_snapshot());
    return read_history(view->connection(), table);
  }

  Result<PurgeStep> purge(Instant dropped_before, std::size_t rows_max,
                          const PurgePlace& from) override {
    PurgeStep step;
    REEL_TRY(change([&](Connection& writer) -> Result<bool> {
      REEL_ASSIGN(step, purge_step(writer, *layouts_->get(), {dropped_before, rows_max, from}));
      return !step.done;
    }));
    return step;
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
    REEL_ASSIGN(auto view, SqliteSnapshot::reserve(readers_));
    REEL_TRY(view->begin(layouts_->get()));
    return view;
  }

  ChangeNote note_of(const Reason& reason) const {
    return {.at = options_.clock->now(), .by = reason.by, .comment = reason.comment};
  }

  //! Runs a change of the catalog on the committer's thread, in a transaction; it says whether it
  //! changed anything.
  Status change(const std::function<Result<bool>(Connection&)>& work) {
    return committer_.run([&](Connection& writer) -> Status {
      REEL_TRY(writer.run("BEGIN IMMEDIATE"));
      REEL_ASSIGN(const bool changed, work(writer));
      if (!changed) return writer.run("ROLLBACK");
      REEL_ASSIGN(auto layouts, load_layouts(writer));
      REEL_TRY(writer.run("COMMIT"));
      layouts_->set(std::move(layouts));
      return {};
    });
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

#include <duckdb/main/attached_database.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/config.hpp>
#include <duckdb/main/valid_checker.hpp>
#include <duckdb/parallel/task_scheduler.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/storage/storage_extension.hpp>

#include "sql/catalog_internal.h"
#include "sql/engine_internal.h"
#include "sql/errors_internal.h"
#include "sql/functions_internal.h"
#include "sql/memory_guard_internal.h"
#include "sql/session_internal.h"
#include "sql/transaction_internal.h"

namespace reel::sql {
namespace {

//! How the store's database is called, and its type.
constexpr char kDatabase[] = "reel";

//! Functions that act on the whole instance.
constexpr const char* kRemovedFunctions[] = {
    "checkpoint",       "disable_logging",     "disable_peg_parser", "disable_profiling",
    "duckdb_logs",      "enable_logging",      "enable_peg_parser",  "enable_profiling",
    "force_checkpoint", "truncate_duckdb_logs"};

struct ExtensionInfo final : duckdb::StorageExtensionInfo {
  explicit ExtensionInfo(store::Store& of) : store(of) {}
  store::Store& store;
};

// NOLINTNEXTLINE(readability-function-size): DuckDB's parameters.
duckdb::unique_ptr<duckdb::Catalog> attach(duckdb::optional_ptr<duckdb::StorageExtensionInfo> info,
                                           duckdb::ClientContext&,
                                           duckdb::AttachedDatabase& database, const std::string&,
                                           duckdb::AttachInfo&, duckdb::AttachOptions&) {
  return duckdb::make_uniq<StoreCatalog>(database, static_cast<ExtensionInfo&>(*info).store);
}

duckdb::unique_ptr<duckdb::TransactionManager> make_transaction_manager(
    duckdb::optional_ptr<duckdb::StorageExtensionInfo> info, duckdb::AttachedDatabase& database,
    duckdb::Catalog&) {
  return duckdb::make_uniq<StoreTransactionManager>(database,
                                                    static_cast<ExtensionInfo&>(*info).store);
}

void configure(duckdb::DBConfig& config, store::Store& store, const EngineOptions& options) {
  auto extension = duckdb::make_shared_ptr<duckdb::StorageExtension>();
  extension->attach = attach;
  extension->create_transaction_manager = make_transaction_manager;
  extension->storage_info = duckdb::make_shared_ptr<ExtensionInfo>(store);
  duckdb::StorageExtension::Register(config, kDatabase, std::move(extension));
  config.options.database_type = kDatabase;
  config.options.maximum_memory = options.memory_bytes_max;
  // All of them are ours: see Instance.
  config.options.maximum_threads = options.threads;
  config.SetOptionByName("external_threads", duckdb::Value::UBIGINT(options.threads));
  config.options.use_temporary_directory = false;
  for (const char* setting : {"autoinstall_known_extensions", "autoload_known_extensions",
                              "allow_community_extensions"}) {
    config.SetOptionByName(setting, duckdb::Value::BOOLEAN(false));
  }
}

//! Sessions may not change how the instance is set up, nor see what others execute.
void lock_down(duckdb::DuckDB& database, const EngineOptions& options) {
  for (const std::string& directory : options.directories) {
    duckdb::DBConfig::GetConfig(*database.instance).AddAllowedDirectory(directory);
  }
  duckdb::Connection connection(database);
  duckdb::ClientContext& context = *connection.context;
  context.RunFunctionInTransaction([&] {
    for (const char* function : kRemovedFunctions) {
      duckdb::DropInfo info;
      info.type = duckdb::CatalogType::TABLE_FUNCTION_ENTRY;
      info.name = function;
      info.allow_drop_internal = true;
      duckdb::Catalog::GetSystemCatalog(context).DropEntry(context, info);
    }
  });
  for (const char* statement : {"SET GLOBAL TimeZone = 'UTC'", "SET enable_external_access = false",
                                "SET lock_configuration = true"}) {
    const auto done = connection.Query(statement);
    if (done->HasError()) done->ThrowError();
  }
}

}  // namespace

Instance::Instance(duckdb::DBConfig& config, std::uint32_t threads)
    : database_(kDatabase, &config) {
  auto& scheduler = duckdb::TaskScheduler::GetScheduler(*database_.instance);
  for (std::uint32_t i = 1; i < threads; ++i) {  // the caller of a statement is one, too
    threads_.emplace_back([this, &scheduler] {
      const SqlThread here;
      scheduler.ExecuteForever(&working_);
    });
  }
}

Instance::~Instance() {
  working_ = false;
  duckdb::TaskScheduler::GetScheduler(*database_.instance).Signal(threads_.size());
  for (std::thread& thread : threads_) thread.join();
}

Error Engine::State::memory_error() const {
  return {Code::too_large, fmt::format("statements used more memory than {} MB, with values and "
                                       "states of aggregates: this one was ended",
                                       (kMemoryFactor * options.memory_bytes_max) >> 20)};
}

Result<std::shared_ptr<Instance>> Engine::State::instance() {
  const MutexLock lock(mutex_);
  if (current_ != nullptr && !duckdb::ValidChecker::IsInvalidated(*current_->database().instance)) {
    return current_;
  }
  try {
    duckdb::DBConfig config;
    configure(config, store, options);
    auto opened = std::make_shared<Instance>(config, options.threads);
    register_functions(*opened->database().instance);
    lock_down(opened->database(), options);
    current_ = std::move(opened);
    return current_;
  } catch (const std::exception& exception) {
    return Failure(to_error(duckdb::ErrorData(exception)).while_doing("opening DuckDB"));
  }
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

std::unique_ptr<Engine> Engine::make(store::Store& store, EngineOptions options) {
  return std::unique_ptr<Engine>(new Engine(std::make_unique<State>(store, std::move(options))));
}

std::unique_ptr<Session> Engine::connect(ConnectOptions options) {
  return std::make_unique<Session>(std::make_unique<Session::State>(*state_, std::move(options)));
}

std::size_t Engine::running() const { return state_->running; }

}  // namespace reel::sql

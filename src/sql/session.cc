#include <duckdb/main/client_config.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/pending_query_result.hpp>
#include <duckdb/main/query_result.hpp>
#include <duckdb/main/valid_checker.hpp>

#include "sql/client_state_internal.h"
#include "sql/errors_internal.h"
#include "sql/session_internal.h"
#include "sql/statement_internal.h"
#include "sql/types_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

ResultKind kind_of(const duckdb::QueryResult& result) {
  switch (result.properties.return_type) {
    case duckdb::StatementReturnType::CHANGED_ROWS: return ResultKind::changed;
    case duckdb::StatementReturnType::NOTHING: return ResultKind::nothing;
    default: return ResultKind::rows;
  }
}

std::vector<ResultColumn> columns_of(const duckdb::QueryResult& result) {
  std::vector<ResultColumn> columns;
  for (std::size_t i = 0; i < result.types.size(); ++i) {
    columns.push_back({.name = result.names[i],
                       .type = result.types[i].ToString(),
                       .shown = to_shown(result.types[i])});
  }
  return columns;
}

Status write_rows(const duckdb::DataChunk& chunk, const std::vector<ResultColumn>& columns,
                  store::Row& row, ResultSink& sink) {
  for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
    for (std::size_t column = 0; column < columns.size(); ++column) {
      REEL_ASSIGN(row[column], to_cell(columns[column].shown, chunk.GetValue(column, i)));
    }
    REEL_TRY(sink.row(row));
  }
  return {};
}

}  // namespace

Status Session::State::connect() {
  if (instance != nullptr && !duckdb::ValidChecker::IsInvalidated(*instance->instance)) return {};
  REEL_ASSIGN(auto wanted, engine.instance());
  auto made = std::make_shared<duckdb::Connection>(*wanted);
  made->context->registered_state->GetOrCreate<ClientState>(ClientState::kName)->options = options;
  duckdb::ClientConfig& config = duckdb::ClientConfig::GetConfig(*made->context);
  config.enable_progress_bar = options.progress;
  config.print_progress_bar = false;
  const MutexLock lock(mutex);
  const bool held_transaction = connection != nullptr && !connection->IsAutoCommit();
  connection = std::move(made);
  instance = std::move(wanted);
  // What follows must not be committed without what came before.
  if (held_transaction) {
    return conflict("the transaction was rolled back after a defect of DuckDB: begin it again");
  }
  return {};
}

Error Session::State::explain(const duckdb::ErrorData& error) {
  if (error.Type() == duckdb::ExceptionType::INTERRUPT) {
    if (timed_out) return {Code::timeout, "the statement took longer than it may"};
    return {Code::cancelled, "the statement was cancelled"};
  }
  const MutexLock lock(mutex);
  const auto client = connection->context->registered_state->Get<ClientState>(ClientState::kName);
  if (error.Type() == duckdb::ExceptionType::TRANSACTION && client != nullptr &&
      client->commit_error) {
    return to_error(*client->commit_error);
  }
  return to_error(error);
}

Status Session::State::run(duckdb::unique_ptr<duckdb::SQLStatement> statement, ResultSink& sink,
                           const std::vector<store::Value>& parameters) {
  REEL_TRY(access_of(*statement));
  // Pragmas that answer a question have become queries by now; the others change settings.
  if (statement->type == duckdb::StatementType::PRAGMA_STATEMENT) {
    return forbidden("PRAGMA statements that change settings are not allowed");
  }
  duckdb::vector<duckdb::Value> values;
  for (const store::Value& parameter : parameters) values.push_back(to_parameter(parameter));
  std::shared_ptr<duckdb::Connection> used;
  {
    const MutexLock lock(mutex);
    used = connection;
  }
  const auto pending = used->PendingQuery(std::move(statement), values,
                                          duckdb::QueryResultOutputType::ALLOW_STREAMING);
  if (pending->HasError()) return Failure(explain(pending->GetErrorObject()));
  const auto result = pending->Execute();
  if (result->HasError()) return Failure(explain(result->GetErrorObject()));
  const std::vector<ResultColumn> columns = columns_of(*result);
  REEL_TRY(sink.begin(kind_of(*result), columns));
  store::Row row(columns.size());
  while (true) {
    const auto chunk = result->Fetch();
    if (result->HasError()) return Failure(explain(result->GetErrorObject()));
    if (chunk == nullptr || chunk->size() == 0) break;
    REEL_TRY(write_rows(*chunk, columns, row, sink));
  }
  return sink.end();
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

Status Session::execute(std::string_view sql, ResultSink& sink, const ExecuteOptions& options) {
  REEL_TRY(state_->connect());
  State& state = *state_;
  state.cancelled = false;
  state.timed_out = false;
  std::shared_ptr<duckdb::Connection> connection;
  {
    const MutexLock lock(state.mutex);
    connection = state.connection;
  }
  std::optional<Watchdog::Watch> watch;
  if (options.time_max) {
    watch.emplace(state.engine.watchdog, std::chrono::steady_clock::now() + *options.time_max,
                  [&state, connection] {
                    state.timed_out = true;
                    connection->Interrupt();
                  });
  }
  try {
    auto statements = connection->ExtractStatements(std::string(sql));
    if (!options.parameters.empty() && statements.size() != 1) {
      return invalid("parameters are for a single statement, not for {}", statements.size());
    }
    for (auto& statement : statements) {
      if (state.cancelled) return cancelled("the statement was cancelled");
      REEL_TRY(state.run(std::move(statement), sink, options.parameters));
    }
    return {};
  } catch (const std::exception& exception) {
    return Failure(state.explain(duckdb::ErrorData(exception)));
  }
}

void Session::cancel() {
  state_->cancelled = true;
  const MutexLock lock(state_->mutex);
  if (state_->connection != nullptr) state_->connection->Interrupt();
}

bool Session::in_transaction() const {
  const MutexLock lock(state_->mutex);
  return state_->connection != nullptr && !state_->connection->IsAutoCommit();
}

std::optional<double> Session::progress() const {
  if (!state_->options.progress) return std::nullopt;
  const MutexLock lock(state_->mutex);
  if (state_->connection == nullptr) return std::nullopt;
  const double percentage = state_->connection->context->GetQueryProgress().GetPercentage();
  if (percentage < 0) return std::nullopt;
  return std::min(percentage / 100, 1.0);
}

}  // namespace reel::sql

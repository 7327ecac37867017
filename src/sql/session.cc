#include <duckdb/execution/executor.hpp>
#include <duckdb/main/client_config.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/pending_query_result.hpp>
#include <duckdb/main/query_result.hpp>
#include <duckdb/main/stream_query_result.hpp>
#include <duckdb/main/valid_checker.hpp>

#include "sql/client_state_internal.h"
#include "sql/dialect_internal.h"
#include "sql/errors_internal.h"
#include "sql/session_internal.h"
#include "sql/statement_internal.h"
#include "sql/types_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

//! Of rows that a statement is ahead of who takes them; they are handed out once there are so many.
constexpr duckdb::idx_t kBufferBytes = duckdb::idx_t{128} << 10;

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

Error cancelled_error() { return {Code::cancelled, "the statement was cancelled"}; }

}  // namespace

std::shared_ptr<duckdb::Connection> Session::State::connected() {
  const MutexLock lock(mutex);
  return connection;
}

Status Session::State::connect() {
  if (instance != nullptr && !duckdb::ValidChecker::IsInvalidated(*instance->database().instance))
    return {};
  REEL_ASSIGN(auto wanted, engine.instance());
  auto made = std::make_shared<duckdb::Connection>(wanted->database());
  made->context->registered_state->GetOrCreate<ClientState>(ClientState::kName)->options = options;
  duckdb::ClientConfig& config = duckdb::ClientConfig::GetConfig(*made->context);
  config.streaming_buffer_size = kBufferBytes;
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
    if (too_large) return engine.memory_error();
    if (timed_out) return {Code::timeout, "the statement took longer than it may"};
    if (cancelled) return cancelled_error();
    return {Code::internal, "DuckDB ended the statement and did not tell why"};
  }
  const MutexLock lock(mutex);
  const auto client = connection->context->registered_state->Get<ClientState>(ClientState::kName);
  if (error.Type() == duckdb::ExceptionType::TRANSACTION && client != nullptr &&
      client->commit_error) {
    return to_error(*client->commit_error);
  }
  return with_nearest_schema(to_error(error), *engine.store.catalog());
}

Result<duckdb::unique_ptr<duckdb::QueryResult>> Session::State::run(
    duckdb::unique_ptr<duckdb::SQLStatement> statement,
    const std::vector<store::Value>& parameters) {
  REEL_ASSIGN(const Access access, access_of(*statement));
  // Pragmas that answer a question have become queries by now; the others change settings.
  if (statement->type == duckdb::StatementType::PRAGMA_STATEMENT) {
    return forbidden("PRAGMA statements that change settings are not allowed");
  }
  duckdb::vector<duckdb::Value> values;
  for (const store::Value& parameter : parameters) values.push_back(to_parameter(parameter));
  // A streamed result is committed when its last row was taken: too late to hear of a conflict.
  const bool reads =
      access == Access::read && statement->type != duckdb::StatementType::EXECUTE_STATEMENT;
  const auto form = reads ? duckdb::QueryResultOutputType::ALLOW_STREAMING
                          : duckdb::QueryResultOutputType::FORCE_MATERIALIZED;
  connected()->context->registered_state->Get<ClientState>(ClientState::kName)->access = access;
  const auto pending = connected()->PendingQuery(std::move(statement), values, form);
  if (pending->HasError()) return Failure(explain(pending->GetErrorObject()));
  auto result = pending->Execute();
  if (result->HasError()) return Failure(explain(result->GetErrorObject()));
  return result;
}

void Session::State::cancel() {
  cancelled = true;
  const MutexLock lock(mutex);
  if (watch != nullptr) watch->interrupt_now();
}

Execution::Execution(Session::State& session, const ExecuteOptions& options)
    : session_(session),
      memory_(kMemoryFactor * session.engine.options.memory_bytes_max),
      watch_(session.engine.watchdog,
             options.time_max ? std::chrono::steady_clock::now() + *options.time_max
                              : Watchdog::Time::max(),
             [&session, connection = session.connected()](Watchdog::Reason reason) {
               if (reason == Watchdog::Reason::memory) {
                 session.too_large = true;
               } else if (!session.cancelled) {
                 session.timed_out = true;
               }
               connection->Interrupt();
             }) {
  ++session.engine.running;
  session.cancelled = false;
  session.timed_out = false;
  session.too_large = false;
  {
    const MutexLock lock(session.mutex);
    session.watch = &watch_;
  }
  if (options.stop.stop_possible()) {
    on_stop_.emplace(options.stop, [&session] { session.cancel(); });
  }
}

Execution::~Execution() {
  on_stop_.reset();
  --session_.engine.running;
  const MutexLock lock(session_.mutex);
  session_.watch = nullptr;
}

std::optional<duckdb::ErrorData> Cursor::State::await_chunk() {
  if (result->type != duckdb::QueryResultType::STREAM_RESULT) return std::nullopt;
  auto& stream = result->Cast<duckdb::StreamQueryResult>();
  std::optional<duckdb::ErrorData> error;
  try {
    while (true) {
      const auto found = stream.ExecuteTask();
      if (result->HasError()) return result->GetErrorObject();
      if (duckdb::StreamQueryResult::IsChunkReady(found)) break;
      if (found == duckdb::StreamExecutionResult::BLOCKED) stream.WaitForTask();
    }
  } catch (const std::exception& exception) {
    error = duckdb::ErrorData(exception);
  }
  // The error of one thread interrupts the others; the stream tells the interrupt only.
  duckdb::Executor& executor = stream.context->GetExecutor();
  return executor.HasError() ? executor.GetError() : error;
}

Result<bool> Cursor::State::next_chunk() {
  if (ended) return false;
  const SqlThread here;
  std::optional<duckdb::ErrorData> error = await_chunk();
  try {
    // Also after an error: it ends the statement.
    if (!result->HasError()) chunk = result->Fetch();
  } catch (const std::exception& exception) {
    if (!error) error = duckdb::ErrorData(exception);
  }
  if (!error && result->HasError()) error = result->GetErrorObject();
  row = 0;
  ended = error || chunk == nullptr || chunk->size() == 0;
  if (error) return Failure(session.explain(*error));
  return !ended;
}

Cursor::Cursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Cursor::~Cursor() = default;

ResultKind Cursor::kind() const { return kind_of(*state_->result); }
const std::vector<ResultColumn>& Cursor::columns() const { return state_->columns; }

Result<bool> Cursor::next(store::Row& cells) {
  State& state = *state_;
  if (state.chunk == nullptr || state.row == state.chunk->size()) {
    REEL_ASSIGN(const bool more, state.next_chunk());
    if (!more) return false;
  }
  cells.resize(state.columns.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    REEL_ASSIGN(cells[i], to_cell(state.columns[i].shown, state.chunk->GetValue(i, state.row)));
  }
  ++state.row;
  return true;
}

bool Cursor::ready() { return state_->ready(); }

bool Cursor::State::ready() {
  if (ended || (chunk != nullptr && row < chunk->size())) return true;
  if (result->type != duckdb::QueryResultType::STREAM_RESULT) return true;
  const SqlThread here;
  try {
    auto& stream = result->Cast<duckdb::StreamQueryResult>();
    const auto found = stream.ExecuteTask();
    return found != duckdb::StreamExecutionResult::CHUNK_NOT_READY &&
           found != duckdb::StreamExecutionResult::BLOCKED &&
           found != duckdb::StreamExecutionResult::NO_TASKS_AVAILABLE;
  } catch (const std::exception&) {
    return true;  // next() tells
  }
}

//! Executes all statements; `take` gets the cursor of each, and whether it is the last.
template <class Take>
Status Session::State::execute(std::string_view sql, const std::vector<store::Value>& parameters,
                               const Take& take) {
  const SqlThread here;
  try {
    auto statements = with_defaults_joined(connected()->ExtractStatements(std::string(sql)));
    if (!parameters.empty() && statements.size() != 1) {
      return invalid("parameters are for a single statement, not for {}", statements.size());
    }
    for (auto& statement : statements) {
      if (cancelled) return Failure(cancelled_error());
      const bool last = &statement == &statements.back();
      REEL_ASSIGN(auto result, run(std::move(statement), parameters));
      std::vector<ResultColumn> columns = columns_of(*result);
      REEL_TRY(take(std::make_unique<Cursor::State>(Cursor::State{.session = *this,
                                                                  .execution = nullptr,
                                                                  .result = std::move(result),
                                                                  .columns = std::move(columns)}),
                    last));
    }
    return {};
  } catch (const std::exception& exception) {
    const duckdb::ErrorData data(exception);
    return Failure(with_our_words(explain(data), data, sql));
  }
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

Status Session::execute(std::string_view sql, ResultSink& sink, const ExecuteOptions& options) {
  REEL_TRY(state_->connect());
  const Execution execution(*state_, options);
  return state_->execute(sql, options.parameters,
                         [&](std::unique_ptr<Cursor::State> result, bool) -> Status {
                           Cursor cursor(std::move(result));
                           REEL_TRY(sink.begin(cursor.kind(), cursor.columns()));
                           store::Row row;
                           while (true) {
                             REEL_ASSIGN(const bool more, cursor.next(row));
                             if (!more) return sink.end();
                             REEL_TRY(sink.row(row));
                           }
                         });
}

Result<std::unique_ptr<Cursor>> Session::open(std::string_view sql, const ExecuteOptions& options) {
  REEL_TRY(state_->connect());
  auto execution = std::make_unique<Execution>(*state_, options);
  std::unique_ptr<Cursor::State> opened;
  REEL_TRY(state_->execute(sql, options.parameters,
                           [&](std::unique_ptr<Cursor::State> result, bool last) -> Status {
                             if (last) {
                               opened = std::move(result);
                               return {};
                             }
                             while (true) {
                               REEL_ASSIGN(const bool more, result->next_chunk());
                               if (!more) return {};
                             }
                           }));
  if (opened == nullptr) return invalid("there is no statement");
  opened->execution = std::move(execution);
  return std::make_unique<Cursor>(std::move(opened));
}

void Session::cancel() { state_->cancel(); }

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

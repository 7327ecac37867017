#include "cli/sql_client.h"

#include <fstream>
#include <limits>
#include <stop_token>

#include "arrow/stream_writer.h"
#include "base/thread_annotations.h"
#include "cli/json_fields.h"
#include "cli/tams_client.h"
#include "cli/temp_directory.h"
#include "http/client/client.h"
#include "server/local_sql.h"
#include "sql/arrow_stream.h"
#include "sql/script.h"
#include "store/document.h"

namespace reel::cli {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

//! Results as the printer wants them.
class PrinterSink final : public sql::ResultSink {
 public:
  explicit PrinterSink(SqlPrinter& printer) : printer_(printer) {}

  Status begin(sql::ResultKind kind, const std::vector<sql::ResultColumn>& columns) override {
    columns_ = columns;
    std::vector<SqlPrinter::Column> shown;
    for (const auto& column : columns) shown.push_back({column.name, column.type});
    printer_.begin(kind, std::move(shown));
    return {};
  }
  Status row(const store::Row& cells) override {
    json::Array shown;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      shown.push_back(store::value_to_json(columns_[i].shown, cells[i]));
    }
    printer_.row(std::move(shown));
    return {};
  }
  Status end() override {
    printer_.end();
    return {};
  }

 private:
  SqlPrinter& printer_;
  std::vector<sql::ResultColumn> columns_;
};

class NoSink final : public sql::ResultSink {
 public:
  Status begin(sql::ResultKind, const std::vector<sql::ResultColumn>&) override { return {}; }
  Status row(const store::Row&) override { return {}; }
  Status end() override { return {}; }
};

class DirectoryClient final : public SqlClient {
 public:
  explicit DirectoryClient(std::unique_ptr<server::LocalSql> sql)
      : sql_(std::move(sql)), session_(sql_->connect({.progress = true})) {}

  Status execute(const std::string& text, SqlPrinter& printer) override {
    PrinterSink sink(printer);
    return execute_each(statements_of(text), sink);
  }
  Status fetch(const std::string& text, const Take& take) override {
    sql::Script script = statements_of(text);
    if (script.statements.empty()) return invalid("there is no statement");
    const std::string last = std::move(script.statements.back());
    script.statements.pop_back();
    NoSink ignored;
    REEL_TRY(execute_each(script, ignored));
    auto cursor = session_->open(last);
    if (!cursor) {
      return failure_of(script, script.statements.size(), std::move(cursor).error());
    }
    const auto stream = sql::ArrowStream::of(**cursor);
    bool more = true;
    return take([&more, &stream](std::string& out) -> Result<bool> {
      if (more) {
        REEL_ASSIGN(more, stream->next(out, std::numeric_limits<std::size_t>::max()));
      }
      return more;
    });
  }
  void cancel() override { session_->cancel(); }
  std::optional<double> progress() const override { return session_->progress(); }
  bool keeps_transactions() const override { return true; }
  bool in_transaction() const override { return session_->in_transaction(); }

 private:
  //! The last one needs no semicolon.
  static sql::Script statements_of(const std::string& text) {
    sql::Script script = sql::split_script(text);
    if (script.rest.empty()) return script;
    script.statements.push_back(std::move(script.rest));
    script.lines.push_back(script.rest_line);
    return script;
  }

  //! A mistake in one statement does not keep those before it from being executed.
  Status execute_each(const sql::Script& script, sql::ResultSink& sink) {
    for (std::size_t i = 0; i < script.statements.size(); ++i) {
      Status done = session_->execute(script.statements[i], sink);
      if (!done) return failure_of(script, i, std::move(done).error());
    }
    return {};
  }

  static Failure failure_of(const sql::Script& script, std::size_t statement, Error error) {
    if (script.lines.size() == 1) return Failure(std::move(error));
    const std::string where = fmt::format("line {}", script.lines[statement]);
    return Failure(std::move(error).while_doing(where));
  }

  const std::unique_ptr<server::LocalSql> sql_;
  const std::unique_ptr<sql::Session> session_;
};

//! The result of the last statement, as POST /sql answers it.
Status print_answer(const json::Value& answer, SqlPrinter& printer) {
  const json::Value* columns = answer.find("columns");
  const json::Value* rows = answer.find("rows");
  if (columns == nullptr || columns->as_array() == nullptr || rows == nullptr ||
      rows->as_array() == nullptr) {
    return io("the server's answer has no columns and rows");
  }
  std::vector<SqlPrinter::Column> shown;
  for (const json::Value& column : *columns->as_array()) {
    shown.push_back({string_field(column, "name"), string_field(column, "type")});
  }
  const std::size_t width = shown.size();
  printer.begin(sql::ResultKind::rows, std::move(shown));
  for (const json::Value& row : *rows->as_array()) {
    if (row.as_array() == nullptr || row.as_array()->size() != width) {
      return io("a row of the server's answer has other columns");
    }
    printer.row(*row.as_array());
  }
  printer.end();
  return {};
}

class ServerClient final : public SqlClient {
 public:
  ServerClient(std::string url, std::unique_ptr<http::Client> client)
      : url_(std::move(url)), client_(std::move(client)) {}

  Status execute(const std::string& text, SqlPrinter& printer) override {
    REEL_ASSIGN(const http::ClientResponse response, ask(text, "application/json", {}));
    REEL_ASSIGN(const json::Value answer, json::parse(response.body));
    // It had begun to answer when it failed.
    if (const json::Value* failed = answer.find("error")) {
      return invalid("{}", string_field(*failed, "message"));
    }
    return print_answer(answer, printer);
  }
  Status fetch(const std::string& text, const Take& take) override {
    REEL_ASSIGN(const TempDirectory folder, TempDirectory::make());
    const std::string path = folder.file("result");
    REEL_ASSIGN(const http::ClientResponse response,
                ask(text, std::string(arrow::kStreamType), path));
    std::ifstream file(path, std::ios::binary);
    return take([&file](std::string& out) -> Result<bool> {
      out.resize(kPieceBytes);
      file.read(out.data(), static_cast<std::streamsize>(out.size()));
      out.resize(static_cast<std::size_t>(file.gcount()));
      return static_cast<bool>(file);
    });
  }
  void cancel() override {
    const MutexLock lock(mutex_);
    stop_.request_stop();
  }
  std::optional<double> progress() const override { return std::nullopt; }
  bool keeps_transactions() const override { return false; }
  bool in_transaction() const override { return false; }

 private:
  //! The answer goes to the file, if one is named. An answer that is an error is an error.
  Result<http::ClientResponse> ask(const std::string& text, const std::string& form,
                                   const std::string& file) {
    const std::string body = json::to_text(json::Object{{"sql", text}});
    http::ClientRequest request{.method = "POST",
                                .url = url_ + "/sql",
                                .headers = {{"Content-Type", "application/json"}, {"Accept", form}},
                                .body = body,
                                .answer_file = file,
                                .stall_timeout = std::chrono::hours(24),
                                .stop = new_stop_token()};
    if (const std::string token = token_of_environment(); !token.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + token);
    }
    auto response = client_->send(request);
    if (!response && response.error().code() == Code::cancelled) {
      return cancelled("cancelled; what changes rows may have been carried out by the server");
    }
    if (!response || response->ok()) return response;
    const auto answer = json::parse(response->body);
    if (!answer) return io("{} answered with status {}", request.url, response->status);
    return invalid("{}", string_field(*answer, "message"));
  }

  std::stop_token new_stop_token() {
    const MutexLock lock(mutex_);
    stop_ = std::stop_source();
    return stop_.get_token();
  }

  const std::string url_;
  const std::unique_ptr<http::Client> client_;
  Mutex mutex_;  //!< cancel() comes from other threads
  std::stop_source stop_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<SqlClient>> open_data_directory(const server::Config& config) {
  REEL_ASSIGN(auto local, server::LocalSql::open(config));
  return std::make_unique<DirectoryClient>(std::move(local));
}

Result<std::unique_ptr<SqlClient>> connect_to_server(std::string url) {
  REEL_ASSIGN(auto client, http::Client::make());
  return std::make_unique<ServerClient>(std::move(url), std::move(client));
}

}  // namespace reel::cli

#include <unistd.h>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/json_fields.h"
#include "cli/sql_export.h"
#include "cli/sql_printer.h"
#include "cli/tams_client.h"
#include "http/client/client.h"
#include "server/data_directory.h"
#include "server/local_sql.h"
#include "sql/present.h"
#include "store/document.h"

namespace reel::cli {
namespace {

struct Words {
  std::shared_ptr<ConfigurationFlags> flags = std::make_shared<ConfigurationFlags>();
  std::vector<std::string> statements;
  std::string file;
  std::string format = "table";
  std::string output;  //!< of a format that is a file's; empty: standard output
  std::string server;  //!< empty: the data directory
};

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

//! The text of -c, else of -f, else of standard input.
Result<std::string> read_statements(const Words& words) {
  std::string text;
  for (const std::string& statement : words.statements) text += statement + ";\n";
  if (!words.statements.empty()) return text;
  if (!words.file.empty() && words.file != "-") return server::read_file(words.file);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

//! The error of a statement keeps its lines: one points to the place in the statement.
int fail_statement(const Error& error) {
  std::fflush(stdout);
  fmt::print(stderr, "reelhouse sql: {}\n", error.message());
  return kExitFailure;
}

//! A request is never tried again: nobody knows whether it was carried out.
Result<json::Value> ask_server(const std::string& url, const std::string& text) {
  REEL_ASSIGN(const auto client, http::Client::make());
  const std::string body = json::to_text(json::Object{{"sql", text}});
  http::ClientRequest request{.method = "POST",
                              .url = url + "/sql",
                              .headers = {{"Content-Type", "application/json"}},
                              .body = body,
                              .stall_timeout = std::chrono::hours(24)};
  if (const std::string token = token_of_environment(); !token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + token);
  }
  REEL_ASSIGN(const http::ClientResponse response, client->send(request));
  auto answer = json::parse(response.body);
  const json::Value* failed = answer ? answer->find("error") : nullptr;
  if (failed != nullptr) return invalid("{}", string_field(*failed, "message"));
  if (response.ok() && answer) return answer;
  if (!answer) return io("{} answered with status {}", request.url, response.status);
  return invalid("{}", string_field(*answer, "message"));
}

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

int run_on_server(const Words& words, const std::string& text, SqlPrinter& printer) {
  const auto answer = ask_server(words.server, text);
  if (!answer) return fail_statement(answer.error());
  const Status printed = print_answer(*answer, printer);
  return printed ? kExitOk : fail_statement(printed.error());
}

int run_sql(const Words& words) {
  const bool file = is_file_format(words.format);
  if (!words.output.empty() && !file) {
    return fail("sql", invalid("--output is for the formats arrow and parquet").value(),
                kExitUsage);
  }
  const auto printer = SqlPrinter::make(file ? "table" : words.format);
  if (!printer) return fail("sql", printer.error(), kExitUsage);
  const auto text = read_statements(words);
  if (!text) return fail("sql", text.error(), kExitUsage);
  const SqlExport wanted{.text = *text, .format = words.format, .output = words.output};
  if (file && !words.server.empty()) {
    const Status done = export_from_server(words.server, wanted);
    return done ? kExitOk : fail_statement(done.error());
  }
  if (!words.server.empty()) return run_on_server(words, *text, **printer);
  const auto config = load_configuration(*words.flags);
  if (!config) return fail("sql", config.error(), kExitUsage);
  const auto local = server::LocalSql::open(*config);
  if (!local) return fail("sql", local.error(), kExitUsage);
  const auto session = (*local)->connect();
  PrinterSink sink(**printer);
  const Status done = file ? export_from_session(*session, wanted) : session->execute(*text, sink);
  return done ? kExitOk : fail_statement(done.error());
}

}  // namespace

void add_sql_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("sql", "Query and change tables in SQL");
  command->footer(
      "\nExamples:\n"
      "  reelhouse sql -c \"SELECT count(*) FROM flows\"\n"
      "  reelhouse sql --to http://127.0.0.1:8000 -c \"SHOW TABLES\"\n"
      "  reelhouse sql --format csv -f report.sql\n"
      "  reelhouse sql --format parquet -o flows.parquet -c \"FROM flows\"");
  const auto words = std::make_shared<Words>();
  command->add_option("-c,--command", words->statements, "SQL; may be repeated")->type_name("SQL");
  command->add_option("-f,--file", words->file, "A file of SQL; - is standard input")
      ->type_name("FILE");
  command->add_option("--format", words->format, "table, csv, json, markdown, arrow or parquet")
      ->capture_default_str();
  command
      ->add_option("-o,--output", words->output,
                   "Where arrow and parquet go; default: standard output, if it is no terminal")
      ->type_name("FILE");
  command
      ->add_option("--to", words->server, "Ask this server instead of opening the data directory")
      ->type_name("URL");
  add_configuration_flags(*command, words->flags);
  command->callback([&run, words] { run = [words] { return run_sql(*words); }; });
}

}  // namespace reel::cli

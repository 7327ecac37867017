#include <unistd.h>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/sql_printer.h"
#include "server/data_directory.h"
#include "sql/present.h"
#include "store/sqlite/sqlite_store.h"

namespace reel::cli {
namespace {

struct Words {
  std::shared_ptr<ConfigurationFlags> flags = std::make_shared<ConfigurationFlags>();
  std::vector<std::string> statements;
  std::string file;
  std::string format = "table";
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
      shown.push_back(sql::to_json(columns_[i].shown, cells[i]));
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

int run_sql(const Words& words) {
  const auto config = load_configuration(*words.flags);
  if (!config) return fail("sql", config.error(), kExitUsage);
  const auto printer = SqlPrinter::make(words.format);
  if (!printer) return fail("sql", printer.error(), kExitUsage);
  const auto text = read_statements(words);
  if (!text) return fail("sql", text.error(), kExitUsage);
  const auto store =
      store::open_sqlite_store({.path = server::data_path(*config, server::kStoreFile)});
  if (!store) return fail("sql", store.error(), kExitUsage);
  const auto engine = server::open_sql(*config, **store);
  if (!engine) return fail("sql", engine.error(), kExitFailure);
  const auto session = (*engine)->connect();
  PrinterSink sink(**printer);
  const Status done = session->execute(*text, sink);
  return done ? kExitOk : fail_statement(done.error());
}

}  // namespace

void add_sql_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("sql", "Query and change tables in SQL");
  command->footer(
      "\nExamples:\n"
      "  reelhouse sql -c \"SELECT count(*) FROM flows\"\n"
      "  reelhouse sql --format csv -f report.sql");
  const auto words = std::make_shared<Words>();
  command->add_option("-c,--command", words->statements, "SQL; may be repeated")->type_name("SQL");
  command->add_option("-f,--file", words->file, "A file of SQL; - is standard input")
      ->type_name("FILE");
  command->add_option("--format", words->format, "table, csv, json or markdown")
      ->capture_default_str();
  add_configuration_flags(*command, words->flags);
  command->callback([&run, words] { run = [words] { return run_sql(*words); }; });
}

}  // namespace reel::cli

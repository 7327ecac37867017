#include <unistd.h>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/sql_client.h"
#include "cli/sql_export.h"
#include "cli/sql_printer.h"
#include "cli/sql_shell.h"
#include "server/data_directory.h"

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

//! The text of -c, else of -f, else of standard input.
Result<std::string> read_statements(const Words& words) {
  std::string text;
  for (const std::string& statement : words.statements) text += statement + ";\n";
  if (!words.statements.empty()) return text;
  if (!words.file.empty() && words.file != "-") return server::read_file(words.file);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

bool is_interactive(const Words& words) {
  return words.statements.empty() && words.file.empty() && ::isatty(STDIN_FILENO) == 1 &&
         ::isatty(STDOUT_FILENO) == 1;
}

//! Who executes the statements, and what people call it.
struct Place {
  std::unique_ptr<SqlClient> client;
  std::string name;
};

Result<Place> connect(const Words& words) {
  if (!words.server.empty()) {
    REEL_ASSIGN(auto client, connect_to_server(words.server));
    return Place{std::move(client), words.server};
  }
  REEL_ASSIGN(const server::Config config, load_configuration(*words.flags));
  REEL_ASSIGN(auto client, open_data_directory(config));
  return Place{std::move(client), config.data_dir};
}

int run_shell(const Words& words) {
  const TerminalSignals signals;  // before the threads of the database
  const auto place = connect(words);
  if (!place) return fail("sql", place.error(), kExitUsage);
  return run_sql_shell(*place->client, signals, words.format, place->name);
}

int run_sql(const Words& words) {
  const bool file = is_file_format(words.format);
  if (!words.output.empty() && !file) {
    return fail("sql", invalid("--output is for the formats arrow and parquet").value(),
                kExitUsage);
  }
  const auto printer = SqlPrinter::make(file ? "table" : words.format);
  if (!printer) return fail("sql", printer.error(), kExitUsage);
  if (!file && is_interactive(words)) return run_shell(words);
  const auto text = read_statements(words);
  if (!text) return fail("sql", text.error(), kExitUsage);
  const auto place = connect(words);
  if (!place) return fail("sql", place.error(), kExitUsage);
  const Status done =
      file ? export_result(*place->client, *text, {.format = words.format, .output = words.output})
           : place->client->execute(*text, **printer);
  if (done) return kExitOk;
  std::fflush(stdout);
  // Not fail(): the error of a statement keeps its lines, one of which points to the place in it.
  fmt::print(stderr, "reelhouse sql: {}\n", done.error().message());
  return kExitFailure;
}

}  // namespace

void add_sql_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("sql", "Query and change tables in SQL");
  command->footer(
      "\nOn a terminal, without -c and -f, it is a shell; .help lists its commands.\n"
      "\nExamples:\n"
      "  reelhouse sql\n"
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

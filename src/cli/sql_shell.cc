#include "cli/sql_shell.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/nearest_name.h"
#include "cli/commands.h"
#include "cli/shell_history.h"
#include "cli/statement_watch.h"
#include "server/data_directory.h"
#include "sql/present.h"
#include "sql/script.h"
#include "sql/statement.h"

namespace reel::cli {
namespace {

//! Of a result that a person looks at.
constexpr TableLimits kShown{.rows_max = 40, .cell_width_max = 80};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

std::string sql_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

bool same_start(std::string_view word, std::string_view typed) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return word.size() >= typed.size() &&
         std::equal(typed.begin(), typed.end(), word.begin(),
                    [&](char a, char b) { return upper(a) == upper(b); });
}

//! DuckDB also suggests what is only similar.
bool completes(std::string_view word, std::string_view typed) {
  return same_start(word, typed) || (word.starts_with('"') && same_start(word.substr(1), typed));
}

//! As long as it lives, what is printed to standard output goes into the file, if there is one.
class Redirection {
 public:
  explicit Redirection(const FileDescriptor& file) {
    if (!file) return;
    std::fflush(stdout);
    terminal_ = FileDescriptor(::dup(STDOUT_FILENO));
    ::dup2(file.get(), STDOUT_FILENO);
  }
  ~Redirection() {
    if (!terminal_) return;
    std::fflush(stdout);
    ::dup2(terminal_.get(), STDOUT_FILENO);
  }
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;

 private:
  FileDescriptor terminal_;
};

//! Takes the line of the progress away before something else is printed on the terminal.
class WatchedPrinter final : public SqlPrinter {
 public:
  WatchedPrinter(SqlPrinter& printer, StatementWatch& watch, bool prints_at_end)
      : printer_(printer), watch_(watch), prints_at_end_(prints_at_end) {}

  void begin(sql::ResultKind kind, std::vector<Column> columns) override {
    if (!prints_at_end_) watch_.hide();
    printer_.begin(kind, std::move(columns));
  }
  void row(json::Array cells) override { printer_.row(std::move(cells)); }
  void end() override {
    watch_.hide();
    printer_.end();
  }

 private:
  SqlPrinter& printer_;
  StatementWatch& watch_;
  const bool prints_at_end_;
};

class Rows final : public SqlPrinter {
 public:
  void begin(sql::ResultKind, std::vector<Column>) override { rows.clear(); }
  void row(json::Array cells) override { rows.push_back(std::move(cells)); }
  void end() override {}

  std::vector<json::Array> rows;
};

void print_error(const Error& error) {
  std::fflush(stdout);
  fmt::print(stderr, "error: {}\n", error.message());
}

}  // namespace

struct SqlShell::Command {
  std::string_view name;
  std::string_view argument;  //!< empty: it takes none; in brackets: it may be left out
  std::string_view help;
  Status (SqlShell::*run)(const std::string& argument);
};

const std::vector<SqlShell::Command>& SqlShell::commands() {
  static const std::vector<Command> all = {
      {".format", "F", "how results are printed: table, csv, json or markdown",
       &SqlShell::set_format},
      {".help", "", "this list", &SqlShell::help},
      {".output", "FILE|stdout", "where results go", &SqlShell::set_output},
      {".quit", "", "end, as Ctrl-D does", &SqlShell::quit},
      {".read", "FILE", "execute the statements of a file", &SqlShell::read},
      {".schema", "[TABLE]", "the statements that create tables like these", &SqlShell::schema},
      {".tables", "", "the tables that there are", &SqlShell::tables},
      {".timer", "on|off", "whether to say how long a statement took", &SqlShell::set_timer},
  };
  return all;
}

SqlShell::SqlShell(SqlClient& client, const TerminalSignals& signals, std::string format,
                   std::function<void(const std::string&)> remember)
    : client_(client),
      signals_(signals),
      remember_(std::move(remember)),
      format_(std::move(format)) {}

std::string SqlShell::prompt() const {
  const bool open = client_.in_transaction();
  if (pending_.empty()) return open ? "reel*> " : "reel> ";
  return open ? "    -> " : "   -> ";
}

void SqlShell::take(const std::string& line) {
  if (!pending_.empty() || !line.starts_with('.')) return take_sql(line);
  remember_(trimmed(line));
  if (const Status done = run_command(line); !done) print_error(done.error());
}

void SqlShell::take_sql(const std::string& line) {
  const bool goes_on = !pending_.empty() && line.find(';') == std::string::npos;
  pending_ += line + "\n";
  if (goes_on) return;
  sql::Script script = sql::split_script(pending_);
  const std::string typed = trimmed(pending_.substr(0, pending_.size() - script.rest.size()));
  pending_ = std::move(script.rest);
  if (script.statements.empty()) return;
  remember_(typed);
  for (const std::string& statement : script.statements) {
    if (const Status done = run(statement); !done) {
      pending_.clear();
      return print_error(done.error());
    }
  }
}

Status SqlShell::run(const std::string& statement) {
  if (!client_.keeps_transactions() && sql::begins_transaction(statement)) {
    return unsupported(
        "with --to every statement is a session of its own, which ends what BEGIN begins; a file "
        "(.read FILE) and -c \"BEGIN; …; COMMIT\" are executed as a whole");
  }
  return execute(statement);
}

Status SqlShell::execute(const std::string& text) {
  const bool redirected = static_cast<bool>(output_);
  REEL_ASSIGN(const auto printer, SqlPrinter::make(format_, redirected ? TableLimits{} : kShown));
  StatementWatch watch(client_, signals_);
  WatchedPrinter shown(*printer, watch, redirected || format_ == "table");
  Status done;
  {
    const Redirection redirection(output_);
    done = client_.execute(text, shown);
    if (std::fflush(stdout) != 0 && done) {
      done = io("the result cannot be written: {}", std::strerror(errno));
    }
  }
  watch.hide();
  if (timer_) fmt::print("time: {:.3f} s\n", watch.elapsed().count());
  return done;
}

Result<std::vector<json::Array>> SqlShell::ask(const std::string& query) {
  StatementWatch watch(client_, signals_);
  watch.hide();
  Rows collected;
  REEL_TRY(client_.execute(query, collected));
  return std::move(collected.rows);
}

Completions SqlShell::complete(std::string_view before) {
  Completions found{.start = before.size()};
  if (pending_.empty() && before.starts_with('.')) {
    for (const Command& command : commands()) {
      if (command.name.starts_with(before)) found.words.emplace_back(command.name);
    }
    return Completions{.start = 0, .words = std::move(found.words)};
  }
  const std::string statement = sql::split_script(pending_ + std::string(before)).rest;
  const auto rows = ask("SELECT suggestion, suggestion_start FROM sql_auto_complete(" +
                        sql_text(statement) + ")");
  if (!rows) return found;
  for (const json::Array& row : *rows) {
    std::int64_t start = 0;
    const std::string* word = row[0].as_string();
    if (word == nullptr || !row[1].get_int64(start)) continue;
    const std::size_t typed = statement.size() - std::min(statement.size(), std::size_t(start));
    if (typed > before.size() || !completes(*word, before.substr(before.size() - typed))) continue;
    found.start = before.size() - typed;
    if (std::find(found.words.begin(), found.words.end(), *word) == found.words.end()) {
      found.words.push_back(*word);
    }
  }
  return found;
}

Status SqlShell::run_command(std::string_view line) {
  const std::string text = trimmed(line);
  const std::string name = text.substr(0, text.find_first_of(" \t"));
  const std::string argument = trimmed(std::string_view(text).substr(name.size()));
  std::vector<std::string_view> names;
  for (const Command& command : commands()) {
    names.push_back(command.name);
    if (command.name != name) continue;
    const bool optional = command.argument.empty() || command.argument.starts_with('[');
    if (argument.empty() && !optional) return invalid("usage: {} {}", name, command.argument);
    if (!argument.empty() && command.argument.empty()) return invalid("usage: {}", name);
    return (this->*command.run)(argument);
  }
  return invalid("there is no command '{}'{}; .help lists them", name.substr(0, kNameShownMax),
                 nearest_hint(name, names));
}

Status SqlShell::help(const std::string&) {
  for (const Command& command : commands()) {
    fmt::print("{:20} {}\n", fmt::format("{} {}", command.name, command.argument), command.help);
  }
  fmt::print(
      "A statement ends with a semicolon and may have several lines. Tab completes, Ctrl-C "
      "cancels,\n"
      "Ctrl-R searches what was typed before.\n");
  return {};
}

Status SqlShell::tables(const std::string&) {
  return execute(
      "SELECT if(schema_name = 'main', '', schema_name || '.') || table_name AS name "
      "FROM duckdb_tables() WHERE NOT internal ORDER BY name");
}

Status SqlShell::schema(const std::string& argument) {
  const std::string condition =
      argument.empty()
          ? ""
          : fmt::format(
                " AND lower({}) IN (lower(table_name), lower(schema_name || '.' || table_name))",
                sql_text(argument));
  REEL_ASSIGN(const auto rows, ask("SELECT sql FROM duckdb_tables() WHERE NOT internal" +
                                   condition + " ORDER BY schema_name, table_name"));
  if (rows.empty() && !argument.empty()) return not_found("there is no table '{}'", argument);
  const Redirection redirection(output_);
  for (const json::Array& row : rows) fmt::print("{}\n", sql::cell_text(row[0]));
  return {};
}

Status SqlShell::set_timer(const std::string& argument) {
  if (argument != "on" && argument != "off") return invalid("usage: .timer on|off");
  timer_ = argument == "on";
  return {};
}

Status SqlShell::set_format(const std::string& argument) {
  REEL_TRY(SqlPrinter::make(argument));
  format_ = argument;
  return {};
}

Status SqlShell::set_output(const std::string& argument) {
  output_.close();
  if (argument == "stdout") return {};
  output_ =
      FileDescriptor(::open(argument.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!output_) return io("cannot write {}: {}", argument, std::strerror(errno));
  return {};
}

Status SqlShell::read(const std::string& argument) {
  REEL_ASSIGN(const std::string text, server::read_file(argument));
  return execute(text);
}

Status SqlShell::quit(const std::string&) {
  ended_ = true;
  return {};
}

int run_sql_shell(SqlClient& client, const TerminalSignals& signals, std::string format,
                  std::string_view place) {
  const std::string path = shell_history_path();
  std::optional<ShellHistory> history;
  if (!path.empty()) history.emplace(path);
  const auto warn = [&](const Error& error) {
    fmt::print(stderr, "the history is not kept: {}\n", error.message());
    history.reset();
  };
  std::optional<LineEditor> editor;
  SqlShell shell(client, signals, std::move(format), [&](const std::string& entry) {
    editor->remember(entry);
    if (!history) return;
    if (const Status added = history->add(entry); !added) warn(added.error());
  });
  editor.emplace(signals, [&](std::string_view before) { return shell.complete(before); });
  fmt::print(
      "Reelhouse {}, SQL on {}\nA statement ends with a semicolon; .help lists the commands.\n",
      kVersion, place);
  if (history) {
    const auto entries = history->load();
    if (!entries) warn(entries.error());
    for (const std::string& entry : entries.value_or(std::vector<std::string>())) {
      editor->remember(entry);
    }
  }
  while (!shell.ended()) {
    std::fflush(stdout);
    const Input input = editor->read(shell.prompt());
    if (input.kind == Input::Kind::end) break;
    if (input.kind == Input::Kind::line) {
      shell.take(input.line);
    } else {
      fmt::print("^C\n");
      shell.forget();
    }
  }
  if (!shell.ended()) fmt::print("\n");
  if (client.in_transaction()) fmt::print(stderr, "the transaction was not committed\n");
  return kExitOk;
}

}  // namespace reel::cli

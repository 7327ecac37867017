#pragma once
//! SQL typed line by line, and the commands that begin with a dot.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/line_editor.h"
#include "cli/sql_client.h"
#include "cli/sql_printer.h"
#include "cli/terminal_signals.h"

namespace reel::cli {

class SqlShell {
 public:
  //! `remember` is told what is executed, as it was typed, before it is.
  SqlShell(SqlClient& client, const TerminalSignals& signals, std::string format,
           std::function<void(const std::string&)> remember);

  //! Executes what the line completes: statements at their semicolons, or a command. Results go to
  //! standard output, errors to standard error. After a failure the rest of the line is dropped.
  void take(const std::string& line);

  //! Forgets a statement that has been begun.
  void forget() { pending_.clear(); }

  //! ".quit" was said.
  bool ended() const { return ended_; }

  std::string prompt() const;

  //! What can follow the line up to the cursor. An error is no completion.
  Completions complete(std::string_view before);

 private:
  struct Command;
  static const std::vector<Command>& commands();

  Status run_command(std::string_view line);
  Status help(const std::string& argument);
  Status tables(const std::string& argument);
  Status schema(const std::string& argument);
  Status set_timer(const std::string& argument);
  Status set_format(const std::string& argument);
  Status set_output(const std::string& argument);
  Status read(const std::string& argument);
  Status quit(const std::string& argument);

  void take_sql(const std::string& line);
  Status run(const std::string& statement);
  Status execute(const std::string& text);
  //! The rows of a query of the shell's own.
  Result<std::vector<json::Array>> ask(const std::string& query);

  SqlClient& client_;
  const TerminalSignals& signals_;
  const std::function<void(const std::string&)> remember_;
  std::string format_;
  bool timer_ = false;
  bool ended_ = false;
  std::string pending_;    //!< of a statement that goes on
  FileDescriptor output_;  //!< where results go, when not to standard output
};

//! Reads and executes until the end; returns the exit code. `place` is what the greeting names.
int run_sql_shell(SqlClient& client, const TerminalSignals& signals, std::string format,
                  std::string_view place);

}  // namespace reel::cli

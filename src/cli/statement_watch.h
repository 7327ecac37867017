#pragma once
//! What the terminal does while a statement is being executed.

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "base/thread_annotations.h"
#include "cli/sql_client.h"
#include "cli/terminal_signals.h"

namespace reel::cli {

//! "[######------------------]  25%, 0:12"; the time alone when the fraction is not known.
std::string statement_progress_text(std::optional<double> fraction, double elapsed_seconds);

//! As long as it lives, Ctrl-C cancels what the client executes, and when that takes long a line of
//! standard error, if it is a terminal, says how far it is.
class StatementWatch {
 public:
  StatementWatch(SqlClient& client, const TerminalSignals& signals);
  ~StatementWatch();
  StatementWatch(const StatementWatch&) = delete;
  StatementWatch& operator=(const StatementWatch&) = delete;

  //! Takes the line away, for good: something else is printed now.
  void hide();

  std::chrono::duration<double> elapsed() const;

 private:
  void run();
  void draw();

  SqlClient& client_;
  const TerminalSignals& signals_;
  const std::chrono::steady_clock::time_point start_;
  const FileDescriptor ended_;  //!< of an eventfd, readable in the end
  Mutex mutex_;
  bool hidden_ GUARDED_BY(mutex_);
  bool drawn_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace reel::cli

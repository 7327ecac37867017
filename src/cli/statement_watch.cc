#include "cli/statement_watch.h"

#include <cmath>
#include <csignal>
#include <cstdio>

#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/progress.h"

namespace reel::cli {
namespace {

//! A statement that takes less shows no line.
constexpr std::chrono::seconds kShownAfter{1};
constexpr std::chrono::milliseconds kDrawnEvery{100};

}  // namespace

std::string statement_progress_text(std::optional<double> fraction, double elapsed_seconds) {
  std::string clock = clock_text(elapsed_seconds);
  if (!fraction) return clock;
  return fmt::format("{}{:3.0f}%, {}", bar_text(*fraction), std::floor(*fraction * 100), clock);
}

StatementWatch::StatementWatch(SqlClient& client, const TerminalSignals& signals)
    : client_(client),
      signals_(signals),
      start_(std::chrono::steady_clock::now()),
      ended_(::eventfd(0, EFD_CLOEXEC)),
      hidden_(::isatty(STDERR_FILENO) != 1) {
  REEL_CHECK(ended_);
  thread_ = std::thread([this] { run(); });
}

StatementWatch::~StatementWatch() {
  ::eventfd_write(ended_.get(), 1);
  thread_.join();
  hide();
}

void StatementWatch::hide() {
  const MutexLock lock(mutex_);
  if (drawn_) {
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
  }
  drawn_ = false;
  hidden_ = true;
}

std::chrono::duration<double> StatementWatch::elapsed() const {
  return std::chrono::steady_clock::now() - start_;
}

void StatementWatch::draw() {
  if (elapsed() < kShownAfter) return;
  const auto fraction = client_.progress();
  const MutexLock lock(mutex_);
  if (hidden_) return;
  fmt::print(stderr, "\r{}\033[K", statement_progress_text(fraction, elapsed().count()));
  std::fflush(stderr);
  drawn_ = true;
}

void StatementWatch::run() {
  while (true) {
    switch (signals_.wait(ended_.get(), kDrawnEvery)) {
      case TerminalEvent::readable: return;
      case TerminalEvent::interrupt: client_.cancel(); break;
      case TerminalEvent::suspend: std::raise(SIGSTOP); break;
      case TerminalEvent::resize: break;
      case TerminalEvent::time_over: draw();
    }
  }
}

}  // namespace reel::cli

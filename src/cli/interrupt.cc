#include "cli/interrupt.h"

#include <csignal>
#include <ctime>

#include <unistd.h>

namespace reel::cli {
namespace {

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::jthread([this](const std::stop_token& done) { watch(done); });
}

void Interrupt::watch(const std::stop_token& done) {
  const sigset_t signals = watched_signals();
  while (!done.stop_requested()) {
    const timespec tick{.tv_sec = 0, .tv_nsec = 100'000'000};
    if (sigtimedwait(&signals, nullptr, &tick) < 0) continue;
    if (!stop_.stop_requested()) {
      stop_.request_stop();
    } else if (!abandon_.stop_requested()) {
      abandon_.request_stop();
    } else {
      ::_exit(1);
    }
  }
}

}  // namespace reel::cli

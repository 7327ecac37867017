#include "cli/terminal_signals.h"

#include <csignal>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace reel::cli {

TerminalSignals::TerminalSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTSTP, SIGWINCH}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_ = FileDescriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  REEL_CHECK(signals_);
}

TerminalEvent TerminalSignals::wait(int descriptor,
                                    std::optional<std::chrono::milliseconds> time_max) const {
  const int timeout_ms = time_max ? static_cast<int>(time_max->count()) : -1;
  while (true) {
    pollfd waited[] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                       {.fd = descriptor, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waited, std::size(waited), timeout_ms);
    if (ready == 0) return TerminalEvent::time_over;
    if (ready < 0) continue;  // a signal that nobody waits for
    signalfd_siginfo signal{};
    if (::read(signals_.get(), &signal, sizeof(signal)) != sizeof(signal)) {
      return TerminalEvent::readable;
    }
    switch (signal.ssi_signo) {
      case SIGTSTP: return TerminalEvent::suspend;
      case SIGWINCH: return TerminalEvent::resize;
      default: return TerminalEvent::interrupt;
    }
  }
}

}  // namespace reel::cli

#pragma once
//! Ctrl-C and SIGTERM as stop tokens.

#include <stop_token>
#include <thread>

namespace reel::cli {

//! The first signal asks for a clean end, the second gives up what is under way, the third ends
//! the process at once. REQUIRES: made in the main thread before any other thread exists, because
//! it blocks the signals for all of them; one per process.
class Interrupt {
 public:
  Interrupt();

  std::stop_token stop() const { return stop_.get_token(); }
  std::stop_token abandon() const { return abandon_.get_token(); }

 private:
  void watch(const std::stop_token& done);

  std::stop_source stop_;
  std::stop_source abandon_;
  std::jthread thread_;
};

}  // namespace reel::cli

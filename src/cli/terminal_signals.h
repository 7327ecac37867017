#pragma once
//! Signals of the terminal as events that a thread waits for.

#include <chrono>
#include <optional>

#include "cli/process.h"

namespace reel::cli {

enum class TerminalEvent : std::uint8_t {
  readable,   //!< there is something to read
  interrupt,  //!< Ctrl-C
  suspend,    //!< Ctrl-Z
  resize,     //!< the window has another size
  time_over,
};

//! REQUIRES: made before any other thread, because it blocks the signals for all of them, for good.
class TerminalSignals {
 public:
  TerminalSignals();

  //! The next event; of a descriptor, that it can be read. Without `time_max` it waits for as long
  //! as it takes. One thread at a time.
  TerminalEvent wait(int descriptor, std::optional<std::chrono::milliseconds> time_max = {}) const;

 private:
  FileDescriptor signals_;
};

}  // namespace reel::cli

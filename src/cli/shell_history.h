#pragma once
//! What was typed into the SQL shell, kept from one session to the next.

#include <string>
#include <vector>

#include "base/result.h"

namespace reel::cli {

//! "$XDG_STATE_HOME/reelhouse/sql_history", or below ~/.local/state. Empty when the environment
//! names no home.
std::string shell_history_path();

//! A file of mode 0600 in a folder of mode 0700, one JSON text a line: entries may have several
//! lines. Several shells may add to it at once.
class ShellHistory {
 public:
  static constexpr std::size_t kEntriesMax = 10'000;

  explicit ShellHistory(std::string path) : path_(std::move(path)) {}

  //! The entries, oldest first; none when there is no file. A file that has grown to more than
  //! twice kEntriesMax is cut to the last of them. What is no JSON text is left out.
  Result<std::vector<std::string>> load() const;
  Status add(const std::string& entry) const;

 private:
  const std::string path_;
};

}  // namespace reel::cli

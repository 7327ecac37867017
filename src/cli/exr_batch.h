#pragma once
//! What the commands over many OpenEXR files have in common.

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/commands.h"
#include "cli/exr_files.h"
#include "cli/progress.h"
#include "cli/run_in_order.h"
#include "exr/inspect.h"

namespace reel::cli {

struct BatchWords {
  FileWords files = {};
  bool json = false;
  bool quiet = false;  //!< no progress
  std::size_t threads = std::max(std::thread::hardware_concurrency(), 1U);
};

//! Declares PATH and the options that all of them have. `json`: what --json prints.
void add_batch_options(CLI::App& command, BatchWords& words, const std::string& json);

//! One run of such a command: its files, what it prints, and how it ends.
class Batch {
 public:
  //! Says on standard error what could not be listed.
  Batch(const BatchWords& words, std::string verb);

  const std::vector<std::string>& files() const { return files_; }
  void note_error() { error_ = true; }
  //! To standard output.
  void print(std::string_view text);

  //! No further file, when the work cannot go on.
  void stop() { stopped_ = true; }

  //! Calls `work(i, inspection)` for each of the files on several threads, and `emit(i, result)`
  //! on this one, in order, as long as what was printed could be written. `prints`: emit() does,
  //! which does not go together with a bar on the same terminal.
  template <typename Work, typename Emit>
  void inspect(const std::vector<std::string>& files, bool prints, const Work& work,
               const Emit& emit) {
    Progress progress(
        {.verb = verb_, .total_files = files.size(), .quiet = words_.quiet || !has_bar(prints)});
    run_in_order(
        files.size(), words_.threads,
        [&](std::size_t i) {
          exr::Inspection inspection = exr::inspect_file(files[i]);
          const std::uint64_t header_bytes = inspection.header.bytes;
          return std::pair(header_bytes, work(i, std::move(inspection)));
        },
        [&](std::size_t i, auto&& made) {
          progress.add(0, made.first);
          emit(i, std::move(made.second));  // NOLINT(bugprone-move-forwarding-reference): by value
          return written_ && !stopped_;
        });
  }

  //! After everything was printed. Says if it could not be.
  int exit_code();

 private:
  static bool has_bar(bool prints);

  const BatchWords& words_;
  const std::string verb_;
  std::vector<std::string> files_;
  bool error_ = false;
  bool written_ = true;
  bool stopped_ = false;
};

//! The first thing that makes the file a broken one; empty: nothing does.
std::string problem_of(const exr::Inspection& inspection);

}  // namespace reel::cli

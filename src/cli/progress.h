#pragma once
//! How far a long job is: a bar on a terminal, a line now and then elsewhere.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/thread_annotations.h"

namespace reel::cli {

//! What a progress line says.
struct ProgressState {
  std::int64_t media_nanoseconds = 0;    //!< done, of all kinds of media together
  std::int64_t skipped_nanoseconds = 0;  //!< of these, what was there before
  std::optional<std::int64_t> total_nanoseconds;
  std::optional<std::uint64_t> total_files;  //!< of a job on files, not media
  std::uint64_t bytes = 0;
  std::uint64_t items = 0;  //!< segments, or files
  double elapsed_seconds = 0;
};

//! One line without a bar: "45%, 270.0 of 600.0 s, 132 segments, 88.1 MiB/s, ETA 0:12", or
//! "45%, 450 of 1000 files, 1200/s, ETA 0:12".
std::string progress_text(const ProgressState& state);

//! Writes to standard error. Thread-safe.
class Progress {
 public:
  struct Options {
    std::string verb = {};
    std::optional<std::int64_t> total_nanoseconds = {};
    std::optional<std::uint64_t> total_files = {};
    bool quiet = false;
  };
  explicit Progress(Options options);
  //! Ends the bar's line.
  ~Progress();

  void add(std::int64_t media_nanoseconds, std::uint64_t bytes);
  //! Already there before: counts as done, but not for the rate.
  void skip(std::int64_t media_nanoseconds);
  //! A message of its own line.
  void note(std::string_view text);

  ProgressState state() const;

 private:
  void run(const std::stop_token& stop);
  void draw() REQUIRES(mutex_);
  void erase() REQUIRES(mutex_);
  ProgressState snapshot() const REQUIRES(mutex_);

  const Options options_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point start_;
  mutable Mutex mutex_;
  std::condition_variable_any wake_;
  ProgressState done_ GUARDED_BY(mutex_);
  bool drawn_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

//! "[############------------] " of a fraction of 0.5.
std::string bar_text(double fraction);

//! "1:02:03" or "4:05".
std::string clock_text(double seconds);

//! "88.1 MiB".
std::string bytes_text(double bytes);

}  // namespace reel::cli

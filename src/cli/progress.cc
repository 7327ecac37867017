#include "cli/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/core.h>
#include <unistd.h>

namespace reel::cli {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

double fraction_done(const ProgressState& state) {
  if (state.total_files) {
    const std::uint64_t total = std::max<std::uint64_t>(*state.total_files, 1);
    return std::min(static_cast<double>(state.items) / static_cast<double>(total), 1.0);
  }
  if (!state.total_nanoseconds || *state.total_nanoseconds <= 0) return 0;
  const double fraction =
      static_cast<double>(state.media_nanoseconds) / static_cast<double>(*state.total_nanoseconds);
  return std::clamp(fraction, 0.0, 1.0);
}

std::string files_text(const ProgressState& state) {
  const double rate =
      state.elapsed_seconds > 0 ? static_cast<double>(state.items) / state.elapsed_seconds : 0;
  std::string text =
      fmt::format("{:.0f}%, {} of {} files, {:.0f}/s", std::floor(fraction_done(state) * 100),
                  state.items, *state.total_files, rate);
  if (state.items > 0 && state.elapsed_seconds > 0.5) {
    const std::uint64_t left = *state.total_files - std::min(*state.total_files, state.items);
    text += ", ETA " + clock_text(static_cast<double>(left) / rate);
  }
  return text;
}

}  // namespace

std::string bar_text(double fraction) {
  constexpr int kWidth = 24;
  const auto filled = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * kWidth);
  return "[" + std::string(filled, '#') + std::string(kWidth - filled, '-') + "] ";
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(std::max(seconds, 0.0)));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string bytes_text(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string progress_text(const ProgressState& state) {
  if (state.total_files) return files_text(state);
  const double seconds = static_cast<double>(state.media_nanoseconds) / kNanosecondsPerSecond;
  const double rate =
      state.elapsed_seconds > 0 ? static_cast<double>(state.bytes) / state.elapsed_seconds : 0;
  std::string text;
  if (state.total_nanoseconds) {
    const double total = static_cast<double>(*state.total_nanoseconds) / kNanosecondsPerSecond;
    text = fmt::format("{:.0f}%, {:.1f} of {:.1f} s", std::floor(fraction_done(state) * 100),
                       std::min(seconds, total), total);
  } else {
    text = fmt::format("{:.1f} s", seconds);
  }
  text += fmt::format(", {} segments, {}/s", state.items, bytes_text(rate));
  const std::int64_t transferred = state.media_nanoseconds - state.skipped_nanoseconds;
  if (state.total_nanoseconds && transferred > 0 && state.elapsed_seconds > 0.5) {
    const std::int64_t left = *state.total_nanoseconds - state.media_nanoseconds;
    text += ", ETA " + clock_text(state.elapsed_seconds * static_cast<double>(left) /
                                  static_cast<double>(transferred));
  }
  return text;
}

Progress::Progress(Options options)
    : options_(std::move(options)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()) {
  done_.total_nanoseconds = options_.total_nanoseconds;
  done_.total_files = options_.total_files;
  if (!options_.quiet) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Progress::~Progress() {
  thread_ = {};  // stops and joins
  const MutexLock lock(mutex_);
  if (drawn_) std::fputc('\n', stderr);
}

void Progress::add(std::int64_t media_nanoseconds, std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  done_.media_nanoseconds += media_nanoseconds;
  done_.bytes += bytes;
  ++done_.items;
}

void Progress::skip(std::int64_t media_nanoseconds) {
  const MutexLock lock(mutex_);
  done_.media_nanoseconds += media_nanoseconds;
  done_.skipped_nanoseconds += media_nanoseconds;
}

void Progress::note(std::string_view text) {
  const MutexLock lock(mutex_);
  erase();
  fmt::print(stderr, "{}: {}\n", options_.verb, text);
}

ProgressState Progress::state() const {
  const MutexLock lock(mutex_);
  return snapshot();
}

ProgressState Progress::snapshot() const {
  ProgressState state = done_;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  state.elapsed_seconds = elapsed.count();
  return state;
}

void Progress::erase() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

void Progress::draw() {
  const ProgressState state = snapshot();
  if (!terminal_) {
    fmt::print(stderr, "{}: {}\n", options_.verb, progress_text(state));
    return;
  }
  erase();
  const std::string drawing =
      state.total_nanoseconds || state.total_files ? bar_text(fraction_done(state)) : "";
  fmt::print(stderr, "{} {}{}", options_.verb, drawing, progress_text(state));
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::run(const std::stop_token& stop) {
  const auto interval =
      terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5'000);
  const MutexLock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(mutex_, stop, interval, [] { return false; });
    if (!stop.stop_requested()) draw();
  }
}

}  // namespace reel::cli

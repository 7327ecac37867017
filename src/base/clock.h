#pragma once
//! Wall time, injected so that tests can set it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reel {

//! A moment: microseconds since 1970-01-01T00:00:00Z (UTC, POSIX, leap seconds not counted).
struct Instant {
  std::int64_t micros = 0;

  //! RFC 3339 in UTC with microseconds: "2026-11-21T02:10:00.123456Z".
  std::string to_string() const;
  void append_to(std::string& out) const;

  //! Reads RFC 3339 with any offset and up to nine fraction digits (cut to microseconds). A leap
  //! second counts as the second after it. Code::invalid otherwise, also when the offset leads
  //! out of the years 0000 to 9999.
  static Result<Instant> parse(std::string_view text);

  friend auto operator<=>(const Instant&, const Instant&) = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

//! The machine's clock.
const Clock& system_clock();

//! A clock that stands still until it is told otherwise. Safe to use from several threads.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start = {1'700'000'000'000'000}) : micros_(start.micros) {}
  Instant now() const override { return {micros_.load()}; }
  void advance(std::chrono::microseconds by) { micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace reel

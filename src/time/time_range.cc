#include "time/time_range.h"

#include <algorithm>

#include "time/timestamp_internal.h"

namespace reel::time {
namespace {

using Bound = TimeRange::Bound;

//! Farther than any timestamp: where an open end stands in comparisons.
constexpr Int128 kInfinity = Int128{1} << 100;

//! The first nanosecond inside a start bound.
Int128 lower_of(const std::optional<Bound>& start) {
  return start ? start->at.nanoseconds() + (start->inclusive ? 0 : 1) : -kInfinity;
}

//! One past the last nanosecond inside an end bound.
Int128 upper_of(const std::optional<Bound>& end) {
  return end ? end->at.nanoseconds() + (end->inclusive ? 1 : 0) : kInfinity;
}

//! A range is the nanoseconds [lower, upper); these two make never() the neutral element of
//! extents and the absorbing one of intersections.
Int128 lower(const TimeRange& range) {
  return range.is_never() ? kInfinity : lower_of(range.start());
}
Int128 upper(const TimeRange& range) {
  return range.is_never() ? -kInfinity : upper_of(range.end());
}

bool starts_timestamp(std::string_view text) {
  return !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
}

//! Reads a timestamp if there is one.
Reading read_optional(std::string_view& text, std::optional<Timestamp>& out) {
  if (!starts_timestamp(text)) return Reading::ok;
  return read_timestamp(text, out.emplace());
}

//! What the schema's pattern describes, before it means anything.
struct Parts {
  bool start_exclusive = false;
  bool end_exclusive = false;
  bool has_underscore = false;
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
};

Reading read_parts(std::string_view text, Parts& parts) {
  parts.start_exclusive = take(text, '(');
  if (!parts.start_exclusive) take(text, '[');
  if (const auto reading = read_optional(text, parts.start); reading != Reading::ok) return reading;
  parts.has_underscore = take(text, '_');
  if (parts.has_underscore) {
    if (const auto reading = read_optional(text, parts.end); reading != Reading::ok) return reading;
  }
  parts.end_exclusive = take(text, ')');
  if (!parts.end_exclusive) take(text, ']');
  return text.empty() ? Reading::ok : Reading::malformed;
}

std::optional<Bound> bound(std::optional<Timestamp> at, bool exclusive) {
  if (!at) return std::nullopt;
  return Bound{*at, !exclusive};
}

}  // namespace

TimeRange TimeRange::eternity() { return TimeRange(); }

TimeRange TimeRange::never() {
  TimeRange range;
  range.never_ = true;
  return range;
}

TimeRange TimeRange::instant(Timestamp at) { return make(Bound{at, true}, Bound{at, true}); }

TimeRange TimeRange::half_open(Timestamp start, Timestamp end) {
  return make(Bound{start, true}, Bound{end, false});
}

Result<TimeRange> TimeRange::from_nanoseconds(std::optional<Int128> first,
                                              std::optional<Int128> past_last) {
  std::optional<Bound> start;
  std::optional<Bound> end;
  if (first) {
    REEL_ASSIGN(const Timestamp at, Timestamp::checked(*first));
    start = Bound{at, true};
  }
  if (past_last) {
    // One past the last timestamp is none itself.
    const bool beyond = *past_last == Timestamp::max().nanoseconds() + 1;
    REEL_ASSIGN(const Timestamp at, Timestamp::checked(*past_last - (beyond ? 1 : 0)));
    end = Bound{at, beyond};
  }
  return make(start, end);
}

TimeRange TimeRange::make(std::optional<Bound> start, std::optional<Bound> end) {
  const Int128 first = std::max(lower_of(start), Timestamp::min().nanoseconds());
  const Int128 past_last = std::min(upper_of(end), Timestamp::max().nanoseconds() + 1);
  if (first >= past_last) return never();
  TimeRange range;
  range.start_ = start;
  range.end_ = end;
  return range;
}

Result<TimeRange> TimeRange::parse(std::string_view text) {
  Parts parts;
  switch (read_parts(text, parts)) {
    case Reading::malformed:
      return invalid("'{}' is not a time range such as [0:0_10:0)", text.substr(0, 64));
    case Reading::out_of_range:
      return invalid("'{}' goes beyond 2^48 seconds from zero", text.substr(0, 64));
    case Reading::ok: break;
  }
  if (parts.has_underscore) {
    return make(bound(parts.start, parts.start_exclusive), bound(parts.end, parts.end_exclusive));
  }
  if (!parts.start) return never();
  if (parts.start_exclusive || parts.end_exclusive) {
    return invalid("'{}' is one moment, which cannot be exclusive", text.substr(0, 64));
  }
  return instant(*parts.start);
}

void TimeRange::append_to(std::string& out) const {
  if (never_) {
    out += "()";
    return;
  }
  if (start_) {
    out += start_->inclusive ? '[' : '(';
    start_->at.append_to(out);
    if (end_ && start_->at == end_->at) {
      out += ']';
      return;
    }
  }
  out += '_';
  if (end_) {
    end_->at.append_to(out);
    out += end_->inclusive ? ']' : ')';
  }
}

std::string TimeRange::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

bool TimeRange::contains(Timestamp at) const {
  return lower(*this) <= at.nanoseconds() && at.nanoseconds() < upper(*this);
}

bool TimeRange::covers(const TimeRange& other) const {
  return lower(*this) <= lower(other) && upper(other) <= upper(*this);
}

bool TimeRange::overlaps(const TimeRange& other) const {
  return std::max(lower(*this), lower(other)) < std::min(upper(*this), upper(other));
}

bool TimeRange::precedes(const TimeRange& other) const {
  return !never_ && !other.never_ && upper(*this) <= lower(other);
}

bool TimeRange::touches(const TimeRange& other) const {
  return never_ || other.never_ ||
         std::max(lower(*this), lower(other)) <= std::min(upper(*this), upper(other));
}

TimeRange TimeRange::intersect(const TimeRange& other) const {
  if (never_ || other.never_) return never();
  return make(lower(*this) >= lower(other) ? start_ : other.start_,
              upper(*this) <= upper(other) ? end_ : other.end_);
}

TimeRange TimeRange::extent_with(const TimeRange& other) const {
  if (never_) return other;
  if (other.never_) return *this;
  return make(lower(*this) <= lower(other) ? start_ : other.start_,
              upper(*this) >= upper(other) ? end_ : other.end_);
}

Result<TimeRange> TimeRange::unite(const TimeRange& other) const {
  if (!touches(other)) {
    return invalid("there is a hole between {} and {}", to_string(), other.to_string());
  }
  return extent_with(other);
}

Result<TimeRange> TimeRange::shift(Timestamp offset) const {
  if (never_) return never();
  std::optional<Bound> start = start_;
  std::optional<Bound> end = end_;
  for (auto* bound : {&start, &end}) {
    if (!*bound) continue;
    REEL_ASSIGN((*bound)->at, add((*bound)->at, offset));
  }
  return make(start, end);
}

std::optional<Timestamp> TimeRange::first() const {
  REEL_CHECK(!never_);
  if (!start_) return std::nullopt;
  return Timestamp::from_nanoseconds(lower(*this));
}

std::optional<Int128> TimeRange::past_last_nanoseconds() const {
  REEL_CHECK(!never_);
  if (!end_) return std::nullopt;
  return upper(*this);
}

bool operator==(const TimeRange& a, const TimeRange& b) {
  return lower(a) == lower(b) && upper(a) == upper(b);
}

}  // namespace reel::time

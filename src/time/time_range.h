#pragma once
//! TAMS time ranges: two bounds, each open-ended or inclusive or exclusive.

#include <optional>
#include <string>
#include <string_view>

#include "time/timestamp.h"

namespace reel::time {

//! A set of timestamps without holes. A timestamp is a whole number of nanoseconds, so every
//! question is answered about sets of integers: "(0:0_0:1)" holds nothing and is never(), and
//! "[0:0_0:9]" equals "[0:0_0:10)", although each prints as it was written. An open end lies
//! beyond every timestamp: "[min_max]" does not equal eternity().
//! INVARIANT: whatever holds no timestamp is never(); bounds at one moment are both inclusive.
//! Rules: TAMS AppNote 0008, schemas/timerange.json.
class TimeRange {
 public:
  struct Bound {
    Timestamp at;
    bool inclusive = true;
    friend bool operator==(const Bound&, const Bound&) = default;
  };

  //! The whole timeline, "_".
  static TimeRange eternity();
  //! No time at all, "()".
  static TimeRange never();
  //! One moment, "[t]".
  static TimeRange instant(Timestamp at);
  //! "[start_end)", the usual range of a segment; never() when end <= start.
  static TimeRange half_open(Timestamp start, Timestamp end);
  //! The inverse of first() and past_last_nanoseconds(): [first, past_last), nullopt = open;
  //! never() when that holds nothing. Code::invalid for nanoseconds outside the PTP range.
  static Result<TimeRange> from_nanoseconds(std::optional<Int128> first,
                                            std::optional<Int128> past_last);
  //! Any pair of bounds, nullopt = open; normalised.
  static TimeRange make(std::optional<Bound> start, std::optional<Bound> end);

  //! Reads the text form. Code::invalid for what the schema's pattern refuses, for timestamps
  //! outside the PTP range, and for instants with an exclusive marker ("(0:0)", "[0:0)"), which
  //! the specification forbids. A marker beside an omitted timestamp is ignored, a missing marker
  //! is inclusive, no timestamp and no "_" mean never ("", "()", "[]"), and so does an end before
  //! its start or an exclusive end at its start ("[5:0_1:0)", "[0:0_0:0)").
  static Result<TimeRange> parse(std::string_view text);

  //! The normal text form: "_", "()", "[t]", "[a_b)", "(a_", "_b]". Parses to an equal range.
  std::string to_string() const;
  void append_to(std::string& out) const;

  bool is_never() const { return never_; }
  bool is_eternity() const { return !never_ && !start_ && !end_; }
  bool is_bounded() const { return !never_ && start_ && end_; }
  //! nullopt = open. Meaningless when is_never().
  const std::optional<Bound>& start() const { return start_; }
  const std::optional<Bound>& end() const { return end_; }

  bool contains(Timestamp at) const;
  //! Every moment of `other` is in this range; never() is covered by everything.
  bool covers(const TimeRange& other) const;
  //! The two share a moment: "[1:0_2:0)" and "[2:0]" do not.
  bool overlaps(const TimeRange& other) const;
  //! This range ends before the other begins. False if either is never().
  bool precedes(const TimeRange& other) const;
  //! The union has no hole: they overlap or meet ("[0:0_1:0)" and "[1:0_2:0)"), or one is never().
  bool touches(const TimeRange& other) const;

  //! Where two bounds mean the same nanosecond, this range's spelling is kept, here and below.
  TimeRange intersect(const TimeRange& other) const;
  //! The smallest range that covers both (a hole between them is included).
  TimeRange extent_with(const TimeRange& other) const;
  //! The exact union; Code::invalid when there would be a hole.
  Result<TimeRange> unite(const TimeRange& other) const;
  //! Moved by `offset`; Code::invalid when a bound leaves the PTP range.
  Result<TimeRange> shift(Timestamp offset) const;

  //! The first nanosecond inside, nullopt when open. REQUIRES: !is_never().
  std::optional<Timestamp> first() const;
  //! One past the last nanosecond inside, nullopt when open; may be Timestamp::max() + 1 ns.
  //! [first, past_last) holds the same moments as this range; the store keeps segments so.
  //! REQUIRES: !is_never().
  std::optional<Int128> past_last_nanoseconds() const;

  friend bool operator==(const TimeRange& a, const TimeRange& b);

 private:
  TimeRange() = default;

  std::optional<Bound> start_;
  std::optional<Bound> end_;
  bool never_ = false;
};

}  // namespace reel::time

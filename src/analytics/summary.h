#pragma once
//! What is told of many segments, so that the summaries of two pieces give that of both.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "store/store.h"
#include "time/timestamp.h"

namespace reel::analytics {

using time::Int128;

inline constexpr Int128 kNanosecondsPerSecond = 1'000'000'000;

//! Where one class of durations ends and the next begins, in nanoseconds.
inline constexpr std::array<Int128, 9> kDurationBounds = {
    kNanosecondsPerSecond / 10, kNanosecondsPerSecond / 2,  kNanosecondsPerSecond,
    2 * kNanosecondsPerSecond,  5 * kNanosecondsPerSecond,  10 * kNanosecondsPerSecond,
    30 * kNanosecondsPerSecond, 60 * kNanosecondsPerSecond, 600 * kNanosecondsPerSecond};

//! A run of segments of one timeline, or several timelines taken together. Times are nanoseconds.
struct Summary {
  std::int64_t segments = 0;  //!< 0: everything else is 0 as well
  Int128 duration = 0;        //!< of all together
  Int128 shortest = 0;
  Int128 longest = 0;
  Int128 first = 0;  //!< start of the earliest
  Int128 last = 0;   //!< first moment after the latest
  std::int64_t gaps = 0;
  Int128 gap_time = 0;
  Int128 longest_gap = 0;
  Int128 media_bytes = 0;  //!< of the segments' objects, an object counted with every use
  std::array<std::int64_t, kDurationBounds.size() + 1> durations{};  //!< segments of each class

  static Summary of(Int128 start, Int128 end, std::int64_t media_bytes);

  //! Adds what follows on the same timeline; the time between the two is a gap.
  //! REQUIRES: `next` begins at or behind the end of this.
  void append(const Summary& next);
  //! Adds another timeline: nothing between the two is a gap.
  void join(const Summary& other);

  friend bool operator==(const Summary&, const Summary&) = default;

 private:
  void add(const Summary& other);
};

//! The columns that keep a summary.
std::vector<store::TableDefinition::ColumnDefinition> summary_columns();
store::Cells summary_cells(const Summary& summary);

//! Reads summaries from the rows of a table that has these columns.
class SummaryColumns {
 public:
  explicit SummaryColumns(const store::TableSchema& schema);
  Summary read(const store::Row& row) const;

 private:
  std::size_t segments_, duration_, shortest_, longest_, first_, last_, gaps_, gap_time_,
      longest_gap_, media_bytes_, durations_;
};

//! A list<int64> cell.
template <std::size_t Size>
store::Value counts_cell(const std::array<std::int64_t, Size>& counts) {
  return store::ValueList(counts.begin(), counts.end());
}
template <std::size_t Size>
void read_counts(const store::Value& cell, std::array<std::int64_t, Size>& counts) {
  const auto& list = cell.get<store::ValueList>();
  for (std::size_t i = 0; i < Size && i < list.size(); ++i) {
    counts[i] = list[i].get<std::int64_t>();
  }
}

//! The class of a value among `bounds`, which begin a new class each.
template <class Number, std::size_t Size>
std::size_t class_of(Number value, const std::array<Number, Size>& bounds) {
  std::size_t i = 0;
  while (i < Size && value >= bounds[i]) ++i;
  return i;
}

}  // namespace reel::analytics

#include "analytics/summary.h"

#include <algorithm>

namespace reel::analytics {
namespace {

using store::Type;
using store::TypeKind;
using store::Value;
using Column = store::TableDefinition::ColumnDefinition;

Column required(std::string name, Type type, std::string doc) {
  return {
      .name = std::move(name), .type = std::move(type), .nullable = false, .doc = std::move(doc)};
}

Int128 decimal_in(const Value& cell) { return cell.get<store::Decimal>().unscaled; }

}  // namespace

Summary Summary::of(Int128 start, Int128 end, std::int64_t media_bytes) {
  Summary summary;
  summary.segments = 1;
  summary.duration = summary.shortest = summary.longest = end - start;
  summary.first = start;
  summary.last = end;
  summary.media_bytes = media_bytes;
  summary.durations[class_of(end - start, kDurationBounds)] = 1;
  return summary;
}

void Summary::append(const Summary& next) {
  if (segments > 0 && next.segments > 0 && next.first > last) {
    const Int128 gap = next.first - last;
    ++gaps;
    gap_time += gap;
    longest_gap = std::max(longest_gap, gap);
  }
  add(next);
}

void Summary::join(const Summary& other) { add(other); }

void Summary::add(const Summary& other) {
  if (other.segments == 0) return;
  if (segments == 0) {
    *this = other;
    return;
  }
  segments += other.segments;
  duration += other.duration;
  shortest = std::min(shortest, other.shortest);
  longest = std::max(longest, other.longest);
  first = std::min(first, other.first);
  last = std::max(last, other.last);
  gaps += other.gaps;
  gap_time += other.gap_time;
  longest_gap = std::max(longest_gap, other.longest_gap);
  media_bytes += other.media_bytes;
  for (std::size_t i = 0; i < durations.size(); ++i) durations[i] += other.durations[i];
}

std::vector<Column> summary_columns() {
  const Type number = Type::of(TypeKind::int64);
  const Type seconds = Type::media_time();
  return {required("segments", number, "how many"),
          required("duration", seconds, "of all segments together, seconds"),
          required("shortest", seconds, "seconds"),
          required("longest", seconds, "seconds"),
          required("first_start", seconds, "of the earliest segment, seconds"),
          required("last_end", seconds, "first moment after the latest segment, seconds"),
          required("gaps", number, "how many"),
          required("gap_time", seconds, "of all gaps together"),
          required("longest_gap", seconds, "seconds"),
          required("media_bytes", Type::decimal(28, 0), "an object counted with every use"),
          required("durations", Type::list(number), "segments of each class of durations")};
}

store::Cells summary_cells(const Summary& summary) {
  const auto decimal = [](Int128 value) { return Value(store::Decimal{value}); };
  return {{"segments", summary.segments},
          {"duration", decimal(summary.duration)},
          {"shortest", decimal(summary.shortest)},
          {"longest", decimal(summary.longest)},
          {"first_start", decimal(summary.first)},
          {"last_end", decimal(summary.last)},
          {"gaps", summary.gaps},
          {"gap_time", decimal(summary.gap_time)},
          {"longest_gap", decimal(summary.longest_gap)},
          {"media_bytes", decimal(summary.media_bytes)},
          {"durations", counts_cell(summary.durations)}};
}

SummaryColumns::SummaryColumns(const store::TableSchema& schema)
    : segments_(schema.position("segments")),
      duration_(schema.position("duration")),
      shortest_(schema.position("shortest")),
      longest_(schema.position("longest")),
      first_(schema.position("first_start")),
      last_(schema.position("last_end")),
      gaps_(schema.position("gaps")),
      gap_time_(schema.position("gap_time")),
      longest_gap_(schema.position("longest_gap")),
      media_bytes_(schema.position("media_bytes")),
      durations_(schema.position("durations")) {}

Summary SummaryColumns::read(const store::Row& row) const {
  Summary summary;
  summary.segments = row[segments_].get<std::int64_t>();
  summary.duration = decimal_in(row[duration_]);
  summary.shortest = decimal_in(row[shortest_]);
  summary.longest = decimal_in(row[longest_]);
  summary.first = decimal_in(row[first_]);
  summary.last = decimal_in(row[last_]);
  summary.gaps = row[gaps_].get<std::int64_t>();
  summary.gap_time = decimal_in(row[gap_time_]);
  summary.longest_gap = decimal_in(row[longest_gap_]);
  summary.media_bytes = decimal_in(row[media_bytes_]);
  read_counts(row[durations_], summary.durations);
  return summary;
}

}  // namespace reel::analytics

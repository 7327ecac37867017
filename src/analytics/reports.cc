#include "analytics/reports.h"

#include <map>

#include "analytics/tables.h"
#include "analytics/view.h"
#include "json/writer.h"
#include "tams/record.h"

namespace reel::analytics {
namespace {

using time::TimeRange;
using time::Timestamp;

constexpr std::size_t kExtremes = 10;
constexpr double kSecondsPerHour = 3600;

//! Exact: an integer, and as many decimals as it takes.
void append_decimal(std::string& out, Int128 value, int decimals) {
  const bool negative = value < 0;
  std::string digits;
  for (Int128 rest = negative ? -value : value;
       rest > 0 || digits.size() <= static_cast<std::size_t>(decimals); rest /= 10) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  if (decimals > 0) {
    digits.insert(digits.size() - static_cast<std::size_t>(decimals), 1, '.');
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  out += (negative ? "-" : "") + digits;
}

void write_seconds(json::Writer& out, std::string_view name, Int128 nanoseconds) {
  std::string text;
  append_decimal(text, nanoseconds, 9);
  out.raw_field(name, text);
}

void write_bytes(json::Writer& out, std::string_view name, Int128 bytes) {
  std::string text;
  append_decimal(text, bytes, 0);
  out.raw_field(name, text);
}

double ratio(std::int64_t value, std::int64_t count) {
  return count == 0 ? 0 : static_cast<double>(value) / static_cast<double>(count);
}

void write_counts(json::Writer& out, std::string_view name,
                  const std::map<std::string, std::int64_t>& counts) {
  out.key(name);
  out.begin_object();
  for (const auto& [value, count] : counts) out.field(value, count);
  out.end_object();
}

//! One object for each class: its bounds, written by `bound`, and how many there are.
template <class Bounds, class Counts, class WriteBound>
void write_classes(json::Writer& out, std::string_view what, const Bounds& bounds,
                   const Counts& counts, const WriteBound& bound) {
  out.begin_array();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    out.begin_object();
    bound("at_least", i == 0 ? 0 : bounds[i - 1]);
    if (i < bounds.size()) bound("below", bounds[i]);
    out.field(what, counts[i]);
    out.end_object();
  }
  out.end_array();
}

bool selects_all(const Filter& filter) {
  return !filter.flow && !filter.source && !filter.timerange;
}

void write_reads(json::Writer& out, std::string_view name,
                 const std::vector<ObjectReads>& objects) {
  out.key(name);
  out.begin_array();
  for (const ObjectReads& object : objects) {
    out.begin_object();
    out.field("object_id", std::string_view(object.id));
    out.field("access_count", object.reads);
    if (object.size_bytes) out.field("size_bytes", *object.size_bytes);
    out.end_object();
  }
  out.end_array();
}

//! The civil time of a moment, if it has one with four digits of year.
void write_date(json::Writer& out, std::string_view name, Int128 nanoseconds) {
  constexpr Int128 kFirst = Int128{-62'135'596'800} * kNanosecondsPerSecond;
  constexpr Int128 kEnd = Int128{253'402'300'800} * kNanosecondsPerSecond;
  const Int128 utc = nanoseconds - Int128{time::kTaiMinusUtcSeconds} * kNanosecondsPerSecond;
  if (utc < kFirst || utc >= kEnd) return;
  // Rounded down, as all parts of a date are.
  const Int128 micros = utc >= 0 ? utc / 1000 : (utc - 999) / 1000;
  const Instant date{static_cast<std::int64_t>(micros)};
  out.field(name, std::string_view(date.to_string()));
}

void write_coverage(json::Writer& out, const Summary& summary) {
  const auto hours = [](Int128 nanoseconds) {
    return static_cast<double>(nanoseconds) / 1e9 / kSecondsPerHour;
  };
  out.key("time_coverage");
  out.begin_object();
  if (summary.segments > 0) {
    const auto end = Timestamp::checked(summary.last);
    const TimeRange extent = TimeRange::make(
        TimeRange::Bound{Timestamp::from_nanoseconds(summary.first), true},
        end ? TimeRange::Bound{*end, false} : TimeRange::Bound{Timestamp::max(), true});
    out.field("timerange", std::string_view(extent.to_string()));
    write_date(out, "start_date", summary.first);
    write_date(out, "end_date", summary.last);
  }
  out.field("total_coverage_hours", hours(summary.duration));
  out.field("span_hours", hours(summary.last - summary.first));
  out.end_object();
}

void write_gaps(json::Writer& out, const Summary& summary) {
  out.key("gaps");
  out.begin_object();
  out.field("count", summary.gaps);
  write_seconds(out, "total_seconds", summary.gap_time);
  write_seconds(out, "longest_seconds", summary.longest_gap);
  out.end_object();
}

//! Rows of a table, and how many of them are how young.
void write_table(json::Writer& out, const store::TableSchema& table,
                 const std::vector<store::LedgerEntry>& ledger, std::int64_t this_hour) {
  std::int64_t rows = 0;
  std::array<std::pair<const char*, std::int64_t>, 4> ages = {
      {{"this_hour", 1}, {"last_24_hours", 24}, {"last_7_days", 168}, {"last_30_days", 720}}};
  std::array<std::int64_t, ages.size()> young{};
  for (const store::LedgerEntry& entry : ledger) {
    rows += entry.rows;
    for (std::size_t i = 0; i < ages.size(); ++i) {
      if (entry.hour > this_hour - ages[i].second) young[i] += entry.rows;
    }
  }
  out.begin_object();
  out.field("name", std::string_view(table.name));
  out.field("rows", rows);
  out.key("growth");
  out.begin_object();
  for (std::size_t i = 0; i < ages.size(); ++i) out.field(ages[i].first, young[i]);
  out.end_object();
  out.end_object();
}

}  // namespace

Result<std::string> flow_usage(const tams::Context& context, const Filter& filter) {
  REEL_ASSIGN(View view, View::open(context));
  REEL_ASSIGN(const auto flows, view.flows(filter));
  REEL_ASSIGN(const Tally tally, view.tally(flows, selects_all(filter)));
  std::map<std::string, std::int64_t> formats;
  std::map<std::string, std::int64_t> codecs;
  std::map<std::string, std::int64_t> resolutions;
  for (const FlowFacts& flow : flows) {
    ++formats[flow.format];
    if (!flow.codec.empty()) ++codecs[flow.codec];
    if (!flow.resolution.empty()) ++resolutions[flow.resolution];
  }
  const auto count = static_cast<std::int64_t>(flows.size());
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("total_flows", count);
  write_counts(out, "format_distribution", formats);
  write_counts(out, "codec_distribution", codecs);
  write_counts(out, "resolution_distribution", resolutions);
  out.field("estimated_storage_bytes", tally.bytes);
  out.field("average_flow_size", ratio(tally.bytes, count));
  out.end_object();
  return text;
}

Result<std::string> storage_usage(const tams::Context& context, const Filter& filter) {
  REEL_ASSIGN(View view, View::open(context));
  REEL_ASSIGN(const auto flows, view.flows(filter));
  const bool all = selects_all(filter);
  REEL_ASSIGN(const Tally tally, view.tally(flows, all));
  REEL_ASSIGN(const Summary segments, view.summary(all ? nullptr : &flows, std::nullopt));
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("total_objects", tally.objects);
  out.field("objects_of_unknown_size", tally.unsized);
  out.field("total_size_bytes", tally.bytes);
  out.field("average_size_bytes", ratio(tally.bytes, tally.objects - tally.unsized));
  out.key("size_distribution");
  write_classes(out, "objects", kSizeBounds, tally.sizes,
                [&](std::string_view which, std::int64_t bytes) {
                  out.field(fmt::format("{}_bytes", which), bytes);
                });
  out.field("total_access_count", tally.reads);
  out.field("average_access_count", ratio(tally.reads, tally.objects));
  if (all) {
    REEL_ASSIGN(const auto most, view.extreme_reads(true, kExtremes));
    REEL_ASSIGN(const auto least, view.extreme_reads(false, kExtremes));
    write_reads(out, "most_accessed", most);
    write_reads(out, "least_accessed", least);
  }
  out.key("reuse");
  out.begin_object();
  write_bytes(out, "segment_bytes", segments.media_bytes);
  out.field("media_bytes", tally.media_bytes);
  write_bytes(out, "saved_bytes", segments.media_bytes - tally.media_bytes);
  out.end_object();
  out.end_object();
  return text;
}

Result<std::string> time_ranges(const tams::Context& context, const Filter& filter) {
  REEL_ASSIGN(View view, View::open(context));
  Filter flows_only = filter;
  flows_only.timerange.reset();
  std::optional<std::vector<FlowFacts>> flows;
  if (!selects_all(filter)) {
    REEL_ASSIGN(flows, view.flows(flows_only));
  }
  REEL_ASSIGN(const Summary summary, view.summary(flows ? &*flows : nullptr, filter.timerange));
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("total_segments", summary.segments);
  write_seconds(out, "total_duration_seconds", summary.duration);
  if (summary.segments > 0) {
    const Int128 average = (summary.duration + summary.segments / 2) / summary.segments;
    write_seconds(out, "average_duration_seconds", average);
    write_seconds(out, "min_duration_seconds", summary.shortest);
    write_seconds(out, "max_duration_seconds", summary.longest);
  }
  out.key("duration_distribution");
  write_classes(out, "segments", kDurationBounds, summary.durations,
                [&](std::string_view which, Int128 duration) {
                  write_seconds(out, fmt::format("{}_seconds", which), duration);
                });
  write_coverage(out, summary);
  write_gaps(out, summary);
  write_bytes(out, "segment_bytes", summary.media_bytes);
  out.end_object();
  return text;
}

Result<std::string> catalog(const tams::Context& context) {
  constexpr std::int64_t kHourUs = 3'600'000'000;
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  const std::int64_t this_hour = context.clock.now().micros / kHourUs;
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("tables");
  out.begin_array();
  for (const auto& [name, schema] : snapshot->catalog().tables) {
    REEL_ASSIGN(const auto ledger, snapshot->ledger(name));
    write_table(out, *schema, ledger, this_hour);
  }
  out.end_array();
  out.end_object();
  return text;
}

Result<std::int64_t> stored_bytes(store::RowStore& store) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  REEL_ASSIGN(const Tally tally, tally_of_all(*snapshot));
  return tally.bytes;
}

namespace shape {
namespace {

using json::optional;
using json::required;
using json::Shape;

constexpr auto kForbid = Shape::Extra::forbid;

Shape count() { return Shape::integer(0); }
Shape counts() { return Shape::dictionary(count()); }

Shape classes(const std::string& unit, const std::string& what) {
  return Shape::array(
      Shape::object({required("at_least_" + unit, Shape::number()),
                     optional("below_" + unit, Shape::number()), required(what, count())},
                    kForbid));
}

Shape objects_read() {
  return Shape::array(
      Shape::object({required("object_id", Shape::string()), required("access_count", count()),
                     optional("size_bytes", count())},
                    kForbid));
}

}  // namespace

Shape flow_usage() {
  return Shape::object({required("total_flows", count()), required("format_distribution", counts()),
                        required("codec_distribution", counts()),
                        required("resolution_distribution", counts()),
                        required("estimated_storage_bytes", count()),
                        required("average_flow_size", Shape::number())},
                       kForbid)
      .named("FlowUsage");
}

Shape storage_usage() {
  const Shape reuse =
      Shape::object({required("segment_bytes", Shape::number()), required("media_bytes", count()),
                     required("saved_bytes", Shape::number())},
                    kForbid);
  return Shape::object(
             {required("total_objects", count()), required("objects_of_unknown_size", count()),
              required("total_size_bytes", count()),
              required("average_size_bytes", Shape::number()),
              required("size_distribution", classes("bytes", "objects")),
              required("total_access_count", count()),
              required("average_access_count", Shape::number()),
              optional("most_accessed", objects_read()), optional("least_accessed", objects_read()),
              required("reuse", reuse)},
             kForbid)
      .named("StorageUsage");
}

Shape time_ranges() {
  const Shape number = Shape::number();
  const Shape coverage =
      Shape::object({optional("timerange", Shape::string()),
                     optional("start_date", Shape::string()), optional("end_date", Shape::string()),
                     required("total_coverage_hours", number), required("span_hours", number)},
                    kForbid);
  const Shape gaps = Shape::object({required("count", count()), required("total_seconds", number),
                                    required("longest_seconds", number)},
                                   kForbid);
  return Shape::object(
             {required("total_segments", count()), required("total_duration_seconds", number),
              optional("average_duration_seconds", number),
              optional("min_duration_seconds", number), optional("max_duration_seconds", number),
              required("duration_distribution", classes("seconds", "segments")),
              required("time_coverage", coverage), required("gaps", gaps),
              required("segment_bytes", number)},
             kForbid)
      .named("TimeRangeAnalysis");
}

Shape catalog() {
  const Shape growth =
      Shape::object({required("this_hour", count()), required("last_24_hours", count()),
                     required("last_7_days", count()), required("last_30_days", count())},
                    kForbid);
  const Shape table = Shape::object(
      {required("name", Shape::string()), required("rows", count()), required("growth", growth)},
      kForbid);
  return Shape::object({required("tables", Shape::array(table))}, kForbid).named("CatalogSummary");
}

}  // namespace shape

}  // namespace reel::analytics

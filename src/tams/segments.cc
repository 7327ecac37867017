#include "tams/segments.h"

#include <algorithm>
#include <map>

#include "tams/flows.h"
#include "tams/instances.h"
#include "tams/objects.h"
#include "tams/segments_internal.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using store::RowView;
using store::Value;
using time::Int128;
using time::TimeRange;
using time::Timestamp;

//! Segments without the wanted tags that one page passes over; bounds the time of a request.
constexpr std::size_t kSkippedMax = 5000;

Timestamp timestamp_of(const Value& cell) {
  return Timestamp::from_nanoseconds(cell.get<store::Decimal>().unscaled);
}

TimeRange range_of(const RowView& row, const SegmentColumns& columns) {
  Segment segment;
  segment.start = timestamp_of(row[columns.start_time]);
  segment.end_nanoseconds = row[columns.end_time].get<store::Decimal>().unscaled;
  segment.end_inclusive = row[columns.end_inclusive].get<bool>();
  return segment.timerange();
}

//! Exclusive upper bound of starts that can overlap the range; nullopt = no bound.
std::optional<store::RangeBound> starts_before_end(const TimeRange& range) {
  const auto past_last = range.past_last_nanoseconds();
  if (!past_last) return std::nullopt;
  return store::RangeBound{.prefix = {Value(store::Decimal{*past_last})}, .inclusive = false};
}

//! The start of the first segment that may overlap the range: that of the segment that is already
//! running at the range's first moment, else that moment.
Result<std::optional<Timestamp>> first_start(store::Snapshot& snapshot, TimelineId timeline,
                                             const TimeRange& range,
                                             const SegmentColumns& columns) {
  const auto first = range.first();
  if (!first) return std::nullopt;
  store::ScanSpec spec;
  spec.table = table::kSegments;
  spec.partition = {timeline};
  spec.upper = store::RangeBound{.prefix = {*first}, .inclusive = true};
  spec.reverse = true;
  spec.limit = 1;
  spec.columns = {"start_time", "end_time"};
  std::optional<Timestamp> start = first;
  REEL_TRY(snapshot.scan(spec, [&](const RowView& row) {
    if (timestamp_of(row[columns.end_time]).nanoseconds() > first->nanoseconds()) {
      start = timestamp_of(row[columns.start_time]);
    }
    return false;
  }));
  return start;
}

//! Writes the rows of one listing. Where the URLs of an object belong it leaves a gap: when all
//! rows are known, their objects are looked up together and the gaps are filled.
class SegmentWriter {
 public:
  SegmentWriter(const SegmentQuery& query, const SegmentColumns& columns)
      : query_(query), columns_(columns) {
    out_.begin_array();
  }

  void write(const RowView& row) {
    SegmentFields segment = fields_of(row, columns_);
    if (const auto* tags = row[columns_.tags].get_if<std::string>()) segment.tags = *tags;
    if (query_.urls.selects_nothing()) return write_segment(out_, segment);
    write_segment(out_, segment, [&](std::string_view object_id) {
      gaps_.push_back(text_.size());
      object_ids_.emplace_back(object_id);
    });
  }

  //! The array. Call once.
  Result<std::string> finish(const Context& context, const Caller& caller,
                             store::Snapshot& snapshot) {
    out_.end_array();
    if (gaps_.empty()) return std::move(text_);
    InstanceCache instances(snapshot);
    REEL_TRY(instances.load(object_ids_));
    constexpr std::size_t kUrlBytes = 400;  // of one object, about
    std::string filled;
    filled.reserve(text_.size() + gaps_.size() * kUrlBytes);
    std::size_t from = 0;
    for (std::size_t i = 0; i < gaps_.size(); ++i) {
      filled.append(text_, from, gaps_[i] - from);
      from = gaps_[i];
      REEL_ASSIGN(const auto* places, instances.find(object_ids_[i]));
      if (places == nullptr) continue;
      filled += ',';
      json::Writer out(filled);
      UrlWriter(context, caller, query_.urls).write(out, object_ids_[i], *places);
    }
    filled.append(text_, from);
    return filled;
  }

 private:
  const SegmentQuery& query_;
  const SegmentColumns& columns_;
  std::string text_;
  json::Writer out_{text_};
  std::vector<std::size_t> gaps_;        //!< places in text_, behind an object's id
  std::vector<std::string> object_ids_;  //!< of each gap
};

//! What SegmentWriter reads; every column that is left out is one that need not be decoded.
std::vector<std::string> columns_to_write(const SegmentQuery& query) {
  std::vector<std::string> columns = {"start_time",     "end_time",     "end_inclusive",
                                      "object_id",      "ts_offset",    "last_duration",
                                      "sample_offset",  "sample_count", "key_frame_count",
                                      "init_object_id", "tags"};
  if (query.include_object_timerange) columns.emplace_back("object_timerange");
  return columns;
}

//! The segments that use an object as media. A flow may be long and an object's uses few: this goes
//! by the uses.
Status scan_by_object(store::Snapshot& snapshot, const UseScan& uses,
                      const store::RowVisitor& visit) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kSegments));
  const std::size_t object_id = schema->position("object_id");
  Status read;
  const auto look = [&](Timestamp start) {
    const auto row = snapshot.get(table::kSegments, {uses.timeline, start});
    if (!row) read = Failure(row.error().clone());
    if (!row || !*row) return row.has_value();
    // The object may be in use as init segment only.
    return (**row)[object_id] != Value(uses.object_id) || visit({*schema, **row});
  };
  REEL_TRY(scan_uses(snapshot, uses, look));
  return read;
}

Status list_by_time(store::Snapshot& snapshot, TimelineId timeline, const SegmentQuery& query,
                    std::optional<Timestamp> after, const store::RowVisitor& visit) {
  if (!query.object_id) {
    return scan_segments(snapshot, timeline,
                         {.range = query.timerange,
                          .reverse = query.page.reverse,
                          .after = after,
                          .columns = columns_to_write(query)},
                         visit);
  }
  const UseScan uses{.object_id = *query.object_id,
                     .timeline = timeline,
                     .reverse = query.page.reverse,
                     .after = after};
  return scan_by_object(snapshot, uses, [&](const RowView& row) {
    return !segment_of(row).timerange().overlaps(query.timerange) || visit(row);
  });
}

}  // namespace

SegmentFields fields_of(const RowView& row, const SegmentColumns& columns) {
  SegmentFields segment{.object_id = row[columns.object_id].get<std::string>(),
                        .timerange = range_of(row, columns)};
  const auto read = [](auto& field, const Value& cell, auto&& convert) {
    if (!cell.is_null()) field = convert(cell);
  };
  const auto text = [](const Value& cell) { return std::string_view(cell.get<std::string>()); };
  const auto integer = [](const Value& cell) { return cell.get<std::int64_t>(); };
  read(segment.ts_offset, row[columns.ts_offset], timestamp_of);
  read(segment.last_duration, row[columns.last_duration], timestamp_of);
  read(segment.object_timerange, row[columns.object_timerange], text);  // null unless asked for
  read(segment.sample_offset, row[columns.sample_offset], integer);
  read(segment.sample_count, row[columns.sample_count], integer);
  read(segment.key_frame_count, row[columns.key_frame_count], integer);
  read(segment.init_object_id, row[columns.init_object_id], text);
  return segment;
}

void write_segment(json::Writer& out, const SegmentFields& segment,
                   const UrlPlaceVisitor& at_urls) {
  const auto object_id = [&](std::string_view id) {
    out.field("object_id", id);
    if (at_urls) at_urls(id);
  };
  const auto timestamp = [&](std::string_view name, const std::optional<Timestamp>& value) {
    if (!value) return;
    out.key(name);
    out.open_plain_string();
    value->append_to(out.out());
    out.close_plain_string();
  };
  const auto optional = [&](std::string_view name, const auto& value) {
    if (value) out.field(name, *value);
  };
  out.begin_object();
  object_id(segment.object_id);
  out.key("timerange");
  out.open_plain_string();
  segment.timerange.append_to(out.out());
  out.close_plain_string();
  timestamp("ts_offset", segment.ts_offset);
  timestamp("last_duration", segment.last_duration);
  optional("object_timerange", segment.object_timerange);
  optional("sample_offset", segment.sample_offset);
  optional("sample_count", segment.sample_count);
  optional("key_frame_count", segment.key_frame_count);
  if (segment.init_object_id) {
    out.key("init_object");
    out.begin_object();
    object_id(*segment.init_object_id);
    out.end_object();
  }
  if (segment.tags) out.raw_field("tags", *segment.tags);
  out.end_object();
}

SegmentColumns::SegmentColumns(const store::TableSchema& schema)
    : start_time(schema.position("start_time")),
      end_time(schema.position("end_time")),
      end_inclusive(schema.position("end_inclusive")),
      object_id(schema.position("object_id")),
      ts_offset(schema.position("ts_offset")),
      last_duration(schema.position("last_duration")),
      sample_offset(schema.position("sample_offset")),
      sample_count(schema.position("sample_count")),
      key_frame_count(schema.position("key_frame_count")),
      object_timerange(schema.position("object_timerange")),
      init_object_id(schema.position("init_object_id")),
      tags(schema.position("tags")) {}

TimeRange Segment::timerange() const {
  if (!end_inclusive) {
    return TimeRange::half_open(start, Timestamp::from_nanoseconds(end_nanoseconds));
  }
  return TimeRange::make(TimeRange::Bound{start, true},
                         TimeRange::Bound{Timestamp::from_nanoseconds(end_nanoseconds - 1), true});
}

Segment segment_of(const RowView& row) { return segment_of(row, SegmentColumns(row.schema)); }

Segment segment_of(const RowView& row, const SegmentColumns& columns) {
  const auto text = [&](std::size_t position) {
    const auto* value = row[position].get_if<std::string>();
    return value == nullptr ? std::string() : *value;
  };
  Segment segment;
  segment.start = timestamp_of(row[columns.start_time]);
  segment.end_nanoseconds = row[columns.end_time].get<store::Decimal>().unscaled;
  segment.end_inclusive = row[columns.end_inclusive].get<bool>();
  segment.object_id = text(columns.object_id);
  if (!row[columns.ts_offset].is_null()) segment.ts_offset = timestamp_of(row[columns.ts_offset]);
  segment.object_timerange = text(columns.object_timerange);
  segment.init_object_id = text(columns.init_object_id);
  segment.tags = text(columns.tags);
  return segment;
}

Status scan_segments(store::Snapshot& snapshot, TimelineId timeline, const SegmentScan& scan,
                     const store::RowVisitor& visit) {
  if (scan.range.is_never()) return {};
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kSegments));
  const SegmentColumns columns(*schema);
  store::ScanSpec spec;
  spec.table = table::kSegments;
  spec.partition = {timeline};
  spec.reverse = scan.reverse;
  spec.columns = scan.columns;
  REEL_ASSIGN(const auto start, first_start(snapshot, timeline, scan.range, columns));
  if (start) spec.lower = store::RangeBound{.prefix = {*start}, .inclusive = true};
  spec.upper = starts_before_end(scan.range);
  if (scan.after) {
    const store::RangeBound beyond{.prefix = {*scan.after}, .inclusive = false};
    if (scan.reverse && (!spec.upper || *scan.after < timestamp_of(spec.upper->prefix[0]))) {
      spec.upper = beyond;
    }
    if (!scan.reverse && (!start || *scan.after >= *start)) spec.lower = beyond;
  }
  return snapshot.scan(spec, visit);
}

Status scan_covered(store::Snapshot& snapshot, const CoveredScan& scan,
                    const store::RowVisitor& visit) {
  const auto look = [&](const RowView& row) {
    return !scan.covering.covers(segment_of(row).timerange()) || visit(row);
  };
  if (scan.object_id) {
    return scan_by_object(snapshot, {.object_id = *scan.object_id, .timeline = scan.timeline},
                          look);
  }
  return scan_segments(snapshot, scan.timeline, {.range = scan.within}, look);
}

void note_deleted(ChangeNotes notes, const FlowPlace& place, const std::vector<Segment>& deleted) {
  for (std::size_t i = 0; i < deleted.size();) {
    TimeRange run = deleted[i].timerange();
    Int128 end = deleted[i].end_nanoseconds;
    for (++i; i < deleted.size() && deleted[i].start.nanoseconds() == end; ++i) {
      run = run.extent_with(deleted[i].timerange());
      end = deleted[i].end_nanoseconds;
    }
    notes.segments_deleted(place, run);
  }
}

void AddedSegments::add(const SegmentFields& segment) {
  constexpr std::size_t kChangeBytes = std::size_t{16} << 10;
  if (texts_.empty() || texts_.back().size() > kChangeBytes) {
    texts_.emplace_back("[");
  } else {
    texts_.back() += ',';
  }
  json::Writer out(texts_.back());
  write_segment(out, segment);
}

void AddedSegments::note(ChangeNotes notes, const FlowPlace& place) {
  for (std::string& segments : texts_) {
    segments += ']';
    notes.segments_added(place, segments);
  }
}

Result<bool> has_segment_within(store::Snapshot& snapshot, TimelineId timeline,
                                const TimeRange& range) {
  bool found = false;
  REEL_TRY(scan_segments(snapshot, timeline, {.range = range}, [&](const RowView&) {
    found = true;
    return false;
  }));
  return found;
}

Result<TimeRange> flow_extent(store::Snapshot& snapshot, TimelineId timeline,
                              const TimeRange& within) {
  TimeRange extent = TimeRange::never();
  for (const bool reverse : {false, true}) {
    REEL_TRY(scan_segments(snapshot, timeline, {.range = within, .reverse = reverse},
                           [&](const RowView& row) {
                             extent = extent.extent_with(segment_of(row).timerange());
                             return false;
                           }));
  }
  return extent;
}

Result<Page> list_segments(const Context& context, const Caller& caller, FlowId flow,
                           const SegmentQuery& query) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto schema, snapshot->catalog().table(table::kSegments));
  const store::Type time_type = store::Type::media_time();
  std::optional<Timestamp> after;
  if (!query.page.key.empty()) {
    REEL_ASSIGN(const auto cells, read_page_key(query.page.key, {time_type}));
    if (cells[0].is_null()) return at("?page", not_found("there is no such page in this listing"));
    after = timestamp_of(cells[0]);
  }
  Page page{.items = {}, .limit = query.page.limit, .reverse = query.page.reverse, .next_key = {}};
  const SegmentColumns columns(*schema);
  SegmentWriter writer(query, columns);
  TimeRange first = TimeRange::never();
  TimeRange last = TimeRange::never();
  std::size_t skipped = 0;
  Timestamp seen;
  const auto visit = [&](const RowView& row) {
    const auto* tags = row[columns.tags].get_if<std::string>();
    const bool wanted = query.tags.matches(tags == nullptr ? std::string_view() : *tags);
    if ((wanted && page.count == query.page.limit) || skipped == kSkippedMax) {
      page.next_key = make_page_key({{time_type, seen}});
      return false;
    }
    seen = timestamp_of(row[columns.start_time]);
    if (!wanted) {
      ++skipped;
      return true;
    }
    last = range_of(row, columns);
    if (page.count == 0) first = last;
    ++page.count;
    writer.write(row);
    return true;
  };
  REEL_ASSIGN(const auto timeline, timeline_of(*snapshot, flow));
  if (timeline) REEL_TRY(list_by_time(*snapshot, *timeline, query, after, visit));
  page.timerange = first.extent_with(last);  // segments come in order and do not overlap
  REEL_ASSIGN(page.items, writer.finish(context, caller, *snapshot));
  return page;
}

}  // namespace reel::tams

#pragma once
//! Scans of the segments table by those who know its columns.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "json/writer.h"
#include "store/store.h"
#include "tams/changes.h"
#include "tams/segments.h"
#include "time/time_range.h"

namespace reel::tams {

//! Positions of the table's columns, looked up once per scan.
struct SegmentColumns {
  explicit SegmentColumns(const store::TableSchema& schema);

  std::size_t start_time;
  std::size_t end_time;
  std::size_t end_inclusive;
  std::size_t object_id;
  std::size_t ts_offset;
  std::size_t last_duration;
  std::size_t sample_offset;
  std::size_t sample_count;
  std::size_t key_frame_count;
  std::size_t object_timerange;
  std::size_t init_object_id;
  std::size_t tags;
};

//! As segment_of(row), for many rows.
Segment segment_of(const store::RowView& row, const SegmentColumns& columns);

//! Which segments to delete.
struct CoveredScan {
  TimelineId timeline;
  time::TimeRange covering;  //!< those that it covers completely
  //! Where to begin to look; nothing before it is visited.
  time::TimeRange within = time::TimeRange::eternity();
  std::optional<std::string> object_id = {};  //!< those that use it as media
};
//! In time order; return false to stop.
Status scan_covered(store::Snapshot& snapshot, const CoveredScan& scan,
                    const store::RowVisitor& visit);

//! Adds what tells of deleted segments: one change for each run of them without a hole, so that a
//! range starts and ends in deleted segments.
void note_deleted(ChangeNotes notes, const FlowPlace& place, const std::vector<Segment>& deleted);

//! A segment as a document shows it. Refers to what it was made from.
struct SegmentFields {
  std::string_view object_id;
  time::TimeRange timerange;
  std::optional<time::Timestamp> ts_offset = {};
  std::optional<time::Timestamp> last_duration = {};
  std::optional<std::string_view> object_timerange = {};
  std::optional<std::int64_t> sample_offset = {};
  std::optional<std::int64_t> sample_count = {};
  std::optional<std::int64_t> key_frame_count = {};
  std::optional<std::string_view> init_object_id = {};
  std::optional<std::string_view> tags = {};  //!< JSON object
};

//! The same of a row, which must outlive it; without tags, which events do not show.
SegmentFields fields_of(const store::RowView& row, const SegmentColumns& columns);

//! Called behind each object id that is written: the place of its get_urls.
using UrlPlaceVisitor = std::function<void(std::string_view object_id)>;

//! Segments that a write adds, for those who follow changes. Many make several changes, each of a
//! bounded size: every follower can take them, and an engine that reads a whole row to compare its
//! key (SQLite, of an index) does not read much.
class AddedSegments {
 public:
  void add(const SegmentFields& segment);
  //! Adds the changes to the write; once.
  void note(ChangeNotes notes, const FlowPlace& place);

 private:
  std::vector<std::string> texts_;  //!< JSON arrays, which lack their ']'
};

//! Writes one segment (TAMS 8.2, schemas/flow-segment.json).
void write_segment(json::Writer& out, const SegmentFields& segment,
                   const UrlPlaceVisitor& at_urls = {});

}  // namespace reel::tams

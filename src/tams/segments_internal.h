#pragma once
//! Scans of the segments table by those who know its columns.

#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "store/store.h"
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
};

//! As segment_of(row), for many rows.
Segment segment_of(const store::RowView& row, const SegmentColumns& columns);

//! As visit_segments(), which has all columns.
struct SegmentScan {
  time::TimeRange range = time::TimeRange::eternity();
  bool reverse = false;
  std::optional<time::Timestamp> after = {};
  std::vector<std::string> columns = {};  //!< projection; empty = all
};
Status scan_segments(store::Snapshot& snapshot, FlowId flow, const SegmentScan& scan,
                     const store::RowVisitor& visit);

}  // namespace reel::tams

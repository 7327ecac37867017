#pragma once
//! Column positions of the segments table, looked up once per scan.

#include "store/store.h"

namespace reel::tams {

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

}  // namespace reel::tams

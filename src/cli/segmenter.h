#pragma once
//! Cuts one stream of coded frames into segments, with exact times.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/mp4.h"
#include "cli/ratio.h"

namespace reel::cli {

//! Every object's own timeline is the input's, moved by this much, so that nothing in it is
//! negative: neither the decode times of B-frames nor audio priming nor what an edit list hides.
//! (MPEG-TS cannot say negative times and MP4's decode time is unsigned.)
inline constexpr std::int64_t kObjectTimelineShiftSeconds = 60;

//! A coded frame with its bytes.
struct Frame {
  Sample sample;
  std::string bytes;
};

//! Frames that go into one object. Times in ticks of the track, on the objects' timeline.
struct SegmentFrames {
  std::vector<Frame> frames;  //!< in decode order
  std::int64_t first_pts = 0;
  std::int64_t last_pts = 0;
  //! Where presentation ends: the next segment's first_pts, unless there is a gap between them.
  std::int64_t end_pts = 0;
  int key_frames = 0;
  std::size_t bytes = 0;
};

struct SegmenterOptions {
  bool is_video = false;
  std::int64_t timescale = 0;
  Ratio target;  //!< wanted length of a segment in seconds
  //! Where the grid of audio cuts starts.
  std::int64_t origin_pts = 0;
  //! Known distance between frames; 0 when it varies. A hole of at least one distance between
  //! two segments is a gap and stays one.
  std::int64_t frame_ticks = 0;
  //! Ends a segment when its last group of pictures is complete instead of when the next one is.
  //! For live input, where waiting costs latency; needs frame_ticks.
  bool eager = false;
  //! Segments longer than this are refused: a stream without key frames must not fill the memory.
  std::size_t segment_bytes_max = std::size_t{512} << 20;
};

//! Video is cut at the key frame nearest to the target length after the last cut, judged by the
//! distance between the last two key frames. Audio is cut at the frame boundary nearest to whole
//! multiples of the target, so that rounding does not add up.
class Segmenter {
 public:
  explicit Segmenter(SegmenterOptions options) : options_(options) {}

  //! Takes a fragment: for video, one group of pictures beginning with a key frame. Complete
  //! segments are appended to `out`.
  Status push(std::vector<Frame> fragment, std::vector<SegmentFrames>& out);

  //! The input ended: the rest becomes the last segment.
  void finish(std::vector<SegmentFrames>& out);

 private:
  void push_group(std::vector<Frame> group, std::vector<SegmentFrames>& out);
  bool should_cut(std::int64_t next_pts) const;
  void emit(std::optional<std::int64_t> next_pts, std::vector<SegmentFrames>& out);

  const SegmenterOptions options_;
  std::vector<Frame> pending_;
  std::int64_t first_pts_ = 0;        // of pending_
  std::int64_t group_ticks_ = 0;      // length of the last group of pictures
  std::int64_t group_start_pts_ = 0;  // first_pts of the last group
  bool started_ = false;
  std::size_t pending_bytes_ = 0;
};

//! Puts the times of constant-rate video back on the grid from which a coarse container (1/1000 s
//! in Matroska and FLV) rounded them.
class GridSnapper {
 public:
  //! A frame lasts `frame_ticks`; the container's rounding is at most `tolerance_ticks`.
  GridSnapper(std::int64_t frame_ticks, std::int64_t tolerance_ticks)
      : frame_ticks_(frame_ticks), tolerance_ticks_(tolerance_ticks) {}

  //! Adjusts the fragment in place. A time that is off the grid by more than the tolerance starts
  //! a new grid.
  void snap(std::vector<Frame>& fragment);

 private:
  std::int64_t snapped(std::int64_t ticks);

  const std::int64_t frame_ticks_;
  const std::int64_t tolerance_ticks_;
  std::optional<std::int64_t> anchor_;
};

//! The distance between frames in presentation order if it is the same for all, else 0.
std::int64_t constant_frame_ticks(const std::vector<Frame>& fragment);

}  // namespace reel::cli

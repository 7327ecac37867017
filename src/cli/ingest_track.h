#pragma once
//! One track on its way from ffmpeg's output to segments that can be uploaded.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/flow_document.h"
#include "cli/mp4.h"
#include "cli/segmenter.h"
#include "cli/track_plan.h"
#include "json/value.h"
#include "time/time_range.h"

namespace reel::cli {

//! Where an input lies on the flows' timeline.
struct Timeline {
  //! Where the input's presentation starts on ffmpeg's timeline, in nanoseconds.
  std::int64_t origin = 0;
  //! What flow time that is.
  time::Timestamp start;
  //! What lies before the start is kept in the object for the decoder, outside the time range.
  bool clip = true;

  //! Flow time minus object time, before any wrap of MPEG-TS.
  time::Int128 shift_nanoseconds() const;
};

//! A segment ready for upload.
struct MediaSegment {
  std::string bytes;  //!< a fragment; MPEG-TS is made of it when it is uploaded
  time::TimeRange range = time::TimeRange::never();
  std::int64_t duration_nanoseconds = 0;
  json::Value registration;  //!< body of POST segments without object ids
};

class IngestTrack {
 public:
  IngestTrack(TrackPlan plan, const PlanOptions& options);

  //! Takes what ffmpeg wrote. Fragments are held back until a timeline is set.
  Status append(std::string_view bytes);
  //! ffmpeg is through.
  Status finish();

  //! The first fragment is there: init and info are known, a timeline can be set.
  bool started() const { return first_fragment_.has_value(); }
  //! First and end presentation time of the first fragment on ffmpeg's timeline, in nanoseconds.
  //! REQUIRES: started().
  std::int64_t first_nanoseconds() const { return first_fragment_->first; }
  std::int64_t first_end_nanoseconds() const { return first_fragment_->second; }
  Status set_timeline(const Timeline& timeline);

  //! Segments that became complete since the last call, in order.
  std::vector<MediaSegment> take_segments() { return std::exchange(ready_, {}); }

  const TrackPlan& plan() const { return plan_; }
  const TrackInfo& info() const { return info_; }
  //! The initialisation segment for media in this track's fragments.
  const std::string& init() const { return init_; }
  //! What is known about the flow so far; not complete.
  FlowState state() const;

 private:
  Status on_box(BoxSplitter::Box box);
  Status on_moov(const std::string& moov);
  Status on_mdat(const std::string& mdat);
  Status push(std::vector<Frame> fragment);
  Status cut(std::vector<Frame> fragment);
  void measure(const SegmentFrames& segment);
  void add_segment(const SegmentFrames& segment);
  //! Object time of a tick count: MPEG-TS counts in 1/90000 s.
  time::Int128 object_nanoseconds(std::int64_t ticks) const;

  const TrackPlan plan_;
  const PlanOptions options_;
  BoxSplitter splitter_;
  std::string ftyp_;
  std::string init_;
  TrackInfo info_;
  std::vector<Sample> moof_samples_;
  std::uint64_t moof_size_ = 0;
  std::optional<GridSnapper> snapper_;
  std::optional<Segmenter> segmenter_;
  std::optional<std::pair<std::int64_t, std::int64_t>> first_fragment_;
  std::optional<Timeline> timeline_;
  std::vector<std::vector<Frame>> held_;  // fragments before the timeline is known
  std::vector<MediaSegment> ready_;
  FrameIntervals intervals_;
  std::optional<std::int64_t> last_pts_;
  BitRates bit_rates_;
  std::uint32_t fragments_ = 0;
};

//! Object time of MPEG-TS: a 33-bit count of 1/90000 s.
struct MpegTsTime {
  std::int64_t ticks = 0;          //!< not wrapped
  std::int64_t wrapped_ticks = 0;  //!< what was subtracted to make it fit
};
MpegTsTime mpegts_time(std::int64_t ticks, std::int64_t timescale);

}  // namespace reel::cli

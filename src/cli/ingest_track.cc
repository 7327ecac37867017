#include "cli/ingest_track.h"

#include <algorithm>

namespace reel::cli {
namespace {

constexpr time::Int128 kSecond = 1'000'000'000;
constexpr std::int64_t kMpegTsTimescale = 90'000;
constexpr std::int64_t kMpegTsWrap = std::int64_t{1} << 33;

time::Timestamp stamp(time::Int128 nanoseconds) {
  return time::Timestamp::from_nanoseconds(nanoseconds);
}

//! Ticks that one frame lasts; 0 when the rate varies or does not fit the timescale.
std::int64_t nominal_frame_ticks(const TrackPlan& plan, std::int64_t timescale) {
  const Ratio& rate = plan.stream.frame_rate;
  if (rate.is_zero() || timescale * rate.denominator % rate.numerator != 0) return 0;
  return timescale * rate.denominator / rate.numerator;
}

}  // namespace

MpegTsTime mpegts_time(std::int64_t ticks, std::int64_t timescale) {
  const std::int64_t whole = rescale_ticks(ticks, timescale, kMpegTsTimescale);
  return {whole, whole / kMpegTsWrap * kMpegTsWrap};
}

time::Int128 Timeline::shift_nanoseconds() const {
  return start.nanoseconds() - origin - kObjectTimelineShiftSeconds * kSecond;
}

IngestTrack::IngestTrack(TrackPlan plan, const PlanOptions& options)
    : plan_(std::move(plan)), options_(options) {}

Status IngestTrack::append(std::string_view bytes) {
  splitter_.append(bytes);
  while (true) {
    REEL_ASSIGN(auto box, splitter_.next());
    if (!box) return {};
    REEL_TRY(on_box(*std::move(box)));
  }
}

Status IngestTrack::on_box(BoxSplitter::Box box) {
  if (box.type == "moov") return on_moov(box.bytes);
  if (box.type == "mdat") return on_mdat(box.bytes);
  if (box.type == "moof") {
    REEL_ASSIGN(moof_samples_, parse_moof(box.bytes, info_));
    moof_size_ = box.bytes.size();
  } else if (box.type == "ftyp") {
    ftyp_ = std::move(box.bytes);
  }
  return {};
}

Status IngestTrack::on_moov(const std::string& moov) {
  REEL_ASSIGN(info_, parse_init(ftyp_ + moov));
  REEL_ASSIGN(init_, plain_init(ftyp_ + moov));
  const std::int64_t frame_ticks = nominal_frame_ticks(plan_, info_.timescale);
  if (plan_.snap && frame_ticks > 0) {
    const Ratio& base = plan_.stream.time_base;
    const std::int64_t input_tick = info_.timescale * base.numerator / base.denominator;
    snapper_.emplace(frame_ticks, input_tick + 1);
  }
  return {};
}

//! The bytes of the last moof's samples follow the header of this mdat.
Status IngestTrack::on_mdat(const std::string& mdat) {
  std::vector<Frame> fragment;
  for (const Sample& sample : std::exchange(moof_samples_, {})) {
    if (sample.offset < moof_size_ || sample.offset - moof_size_ > mdat.size() ||
        mdat.size() - (sample.offset - moof_size_) < sample.size) {
      return corrupt("an MP4 fragment points outside its data");
    }
    Frame frame{sample, mdat.substr(sample.offset - moof_size_, sample.size)};
    if (sample.dts < 0) {
      return unsupported("the input has frames more than {} s before its start",
                         kObjectTimelineShiftSeconds);
    }
    fragment.push_back(std::move(frame));
  }
  return fragment.empty() ? Status() : push(std::move(fragment));
}

Status IngestTrack::push(std::vector<Frame> fragment) {
  if (snapper_) snapper_->snap(fragment);
  if (!started()) {
    std::int64_t first = fragment[0].sample.pts;
    std::int64_t end = first;
    for (const Frame& frame : fragment) {
      first = std::min(first, frame.sample.pts);
      end = std::max(end, frame.sample.end());
    }
    const auto on_ffmpeg_timeline = [this](std::int64_t ticks) {
      return static_cast<std::int64_t>(object_nanoseconds(ticks) -
                                       kObjectTimelineShiftSeconds * kSecond);
    };
    first_fragment_.emplace(on_ffmpeg_timeline(first), on_ffmpeg_timeline(end));
  }
  if (!timeline_) {
    held_.push_back(std::move(fragment));
    return {};
  }
  return cut(std::move(fragment));
}

Status IngestTrack::set_timeline(const Timeline& timeline) {
  timeline_ = timeline;
  for (std::vector<Frame>& fragment : std::exchange(held_, {})) REEL_TRY(cut(std::move(fragment)));
  return {};
}

Status IngestTrack::cut(std::vector<Frame> fragment) {
  if (!segmenter_) {
    SegmenterOptions options;
    options.is_video = plan_.stream.is_video;
    options.timescale = info_.timescale;
    options.target = options_.segment;
    options.origin_pts = static_cast<std::int64_t>(divide_rounded(
        (kObjectTimelineShiftSeconds * kSecond + timeline_->origin) * info_.timescale, kSecond));
    options.frame_ticks = nominal_frame_ticks(plan_, info_.timescale);
    options.eager = options_.live && options.is_video;
    segmenter_.emplace(options);
  }
  std::vector<SegmentFrames> segments;
  REEL_TRY(segmenter_->push(std::move(fragment), segments));
  for (const SegmentFrames& segment : segments) add_segment(segment);
  return {};
}

Status IngestTrack::finish() {
  if (!splitter_.empty()) return corrupt("ffmpeg's output ends within an MP4 box");
  if (!segmenter_) return {};
  std::vector<SegmentFrames> segments;
  segmenter_->finish(segments);
  for (const SegmentFrames& segment : segments) add_segment(segment);
  return {};
}

time::Int128 IngestTrack::object_nanoseconds(std::int64_t ticks) const {
  if (options_.container == Container::fmp4) return ticks_to_nanoseconds(ticks, info_.timescale);
  return ticks_to_nanoseconds(mpegts_time(ticks, info_.timescale).ticks, kMpegTsTimescale);
}

void IngestTrack::measure(const SegmentFrames& segment) {
  std::vector<std::int64_t> times;
  for (const Frame& frame : segment.frames) times.push_back(frame.sample.pts);
  std::sort(times.begin(), times.end());
  for (const std::int64_t pts : times) {
    if (last_pts_) intervals_.add(pts - *last_pts_);
    last_pts_ = pts;
  }
}

void IngestTrack::add_segment(const SegmentFrames& segment) {
  measure(segment);
  std::vector<Sample> samples;
  for (const Frame& frame : segment.frames) samples.push_back(frame.sample);
  // A sample lasts until the next one is decoded, whatever ffmpeg knew when it wrote.
  for (std::size_t i = 0; i + 1 < samples.size(); ++i) {
    samples[i].duration = samples[i + 1].dts - samples[i].dts;
  }
  MediaSegment out;
  out.bytes = fragment_head(++fragments_, info_.track_id, samples);
  for (const Frame& frame : segment.frames) out.bytes += frame.bytes;

  const time::Int128 first = object_nanoseconds(segment.first_pts);
  const time::Int128 last = object_nanoseconds(segment.last_pts);
  const time::Int128 end = object_nanoseconds(segment.end_pts);
  const time::Int128 shift = timeline_->shift_nanoseconds();
  time::Int128 start = first + shift;
  if (timeline_->clip) start = std::max(start, timeline_->start.nanoseconds());
  if (end + shift <= start) return;  // all of it lies before the start

  // MPEG-TS forgets how often its clock went round; the offset remembers.
  time::Int128 wrapped = 0;
  if (options_.container == Container::mpegts) {
    const MpegTsTime ts = mpegts_time(segment.first_pts, info_.timescale);
    wrapped = ticks_to_nanoseconds(ts.wrapped_ticks, kMpegTsTimescale);
  }
  out.range = time::TimeRange::half_open(stamp(start), stamp(end + shift));
  out.duration_nanoseconds = static_cast<std::int64_t>(end + shift - start);
  json::Value& body = out.registration;
  body.set("timerange", out.range.to_string());
  body.set("ts_offset", stamp(shift + wrapped).to_string());
  body.set("last_duration", stamp(end - std::max(last, start - shift)).to_string());
  if (start != first + shift) {
    body.set("object_timerange",
             time::TimeRange::half_open(stamp(first - wrapped), stamp(end - wrapped)).to_string());
  }
  if (plan_.stream.is_video) body.set("key_frame_count", segment.key_frames);
  bit_rates_.add(out.duration_nanoseconds, out.bytes.size());
  ready_.push_back(std::move(out));
}

FlowState IngestTrack::state() const {
  FlowState state;
  state.average_bit_rate = bit_rates_.average();
  state.maximum_bit_rate = bit_rates_.maximum(options_.segment);
  state.frame_rate =
      intervals_.empty() ? plan_.stream.frame_rate : intervals_.rate(info_.timescale);
  return state;
}

}  // namespace reel::cli

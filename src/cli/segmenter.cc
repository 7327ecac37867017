#include "cli/segmenter.h"

#include <algorithm>

namespace reel::cli {
namespace {

std::int64_t first_pts_of(const std::vector<Frame>& frames) {
  return std::min_element(
             frames.begin(), frames.end(),
             [](const Frame& a, const Frame& b) { return a.sample.pts < b.sample.pts; })
      ->sample.pts;
}

//! a / b rounded to the nearest integer. REQUIRES: b > 0.
std::int64_t nearest(time::Int128 a, time::Int128 b) {
  return static_cast<std::int64_t>(divide_rounded(a, b));
}

}  // namespace

Status Segmenter::push(std::vector<Frame> fragment, std::vector<SegmentFrames>& out) {
  if (fragment.empty()) return {};
  if (options_.is_video) {
    push_group(std::move(fragment), out);
  } else {
    for (Frame& frame : fragment) {
      std::vector<Frame> one;
      one.push_back(std::move(frame));
      push_group(std::move(one), out);
    }
  }
  if (pending_bytes_ > options_.segment_bytes_max) {
    return too_large("a segment grew beyond {} MiB without a key frame to cut at",
                     options_.segment_bytes_max >> 20);
  }
  return {};
}

void Segmenter::push_group(std::vector<Frame> group, std::vector<SegmentFrames>& out) {
  const std::int64_t pts = first_pts_of(group);
  if (started_) group_ticks_ = pts - group_start_pts_;
  started_ = true;
  group_start_pts_ = pts;
  if (!pending_.empty() && should_cut(pts)) emit(pts, out);
  if (pending_.empty()) first_pts_ = pts;
  for (Frame& frame : group) {
    pending_bytes_ += frame.bytes.size();
    pending_.push_back(std::move(frame));
  }
  if (!options_.eager || options_.frame_ticks == 0) return;
  const auto last =
      std::max_element(pending_.begin(), pending_.end(),
                       [](const Frame& a, const Frame& b) { return a.sample.pts < b.sample.pts; });
  const std::int64_t next_pts = last->sample.pts + options_.frame_ticks;
  group_ticks_ = next_pts - group_start_pts_;
  if (should_cut(next_pts)) emit(next_pts, out);
}

bool Segmenter::should_cut(std::int64_t next_pts) const {
  const time::Int128 target = time::Int128{options_.target.numerator} * options_.timescale;
  const time::Int128 unit = options_.target.denominator;
  if (options_.is_video) {
    // Cutting here is nearer to the target than waiting for one more group of the same length.
    const time::Int128 length = next_pts - first_pts_;
    return (2 * length + group_ticks_) * unit >= 2 * target;
  }
  // The boundary of the grid that is nearest to the start lies behind us.
  const std::int64_t origin = options_.origin_pts;
  const std::int64_t start = std::max(first_pts_, origin);  // priming is no part of the length
  const std::int64_t passed = nearest((start - origin) * unit, target);
  const std::int64_t boundary = origin + nearest((passed + 1) * target, unit);
  return 2 * (boundary - next_pts) <= group_ticks_;
}

void Segmenter::emit(std::optional<std::int64_t> next_pts, std::vector<SegmentFrames>& out) {
  SegmentFrames segment;
  segment.first_pts = first_pts_;
  segment.last_pts = first_pts_;
  std::int64_t last_duration = 0;
  for (const Frame& frame : pending_) {
    segment.key_frames += frame.sample.sync ? 1 : 0;
    segment.bytes += frame.bytes.size();
    if (frame.sample.pts >= segment.last_pts) {
      segment.last_pts = frame.sample.pts;
      last_duration = frame.sample.duration;
    }
  }
  if (options_.frame_ticks > 0) last_duration = options_.frame_ticks;
  const std::int64_t nominal_end = segment.last_pts + std::max(last_duration, std::int64_t{1});
  segment.end_pts = next_pts.value_or(nominal_end);
  const bool hole =
      next_pts && options_.frame_ticks > 0 && *next_pts - nominal_end >= options_.frame_ticks;
  if (hole) segment.end_pts = nominal_end;
  segment.frames = std::move(pending_);
  out.push_back(std::move(segment));
  pending_.clear();
  pending_bytes_ = 0;
}

void Segmenter::finish(std::vector<SegmentFrames>& out) {
  if (!pending_.empty()) emit(std::nullopt, out);
}

std::int64_t GridSnapper::snapped(std::int64_t ticks) {
  if (!anchor_) anchor_ = ticks;
  const std::int64_t steps = nearest(ticks - *anchor_, frame_ticks_);
  const std::int64_t on_grid = *anchor_ + steps * frame_ticks_;
  if (std::abs(ticks - on_grid) <= tolerance_ticks_) return on_grid;
  anchor_ = ticks;
  return ticks;
}

void GridSnapper::snap(std::vector<Frame>& fragment) {
  for (Frame& frame : fragment) {
    frame.sample.pts = snapped(frame.sample.pts);
    frame.sample.dts = snapped(frame.sample.dts);
    frame.sample.duration = frame_ticks_;
  }
}

std::int64_t constant_frame_ticks(const std::vector<Frame>& fragment) {
  std::vector<std::int64_t> times;
  for (const Frame& frame : fragment) times.push_back(frame.sample.pts);
  std::sort(times.begin(), times.end());
  for (std::size_t i = 2; i < times.size(); ++i) {
    if (times[i] - times[i - 1] != times[1] - times[0]) return 0;
  }
  return times.size() < 2 ? 0 : times[1] - times[0];
}

}  // namespace reel::cli

#include "cli/segmenter.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

constexpr std::int64_t kFrame = 1001;

//! A group of pictures with frames at first, first + 1, … in units of `ticks`, in decode order with
//! one B-frame between references.
std::vector<Frame> group(std::int64_t first, int count, std::int64_t ticks = kFrame) {
  std::vector<Frame> frames;
  const auto add = [&](std::int64_t shown, bool sync) {
    Sample sample;
    sample.pts = (first + shown) * ticks;
    sample.dts = (first + static_cast<std::int64_t>(frames.size()) - 1) * ticks;
    sample.duration = ticks;
    sample.size = 10;
    sample.sync = sync;
    frames.push_back({sample, std::string(10, 'x')});
  };
  add(0, true);
  for (int shown = 1; shown < count; shown += 2) {
    if (shown + 1 < count) add(shown + 1, false);
    add(shown, false);
  }
  return frames;
}

SegmenterOptions video_options() {
  SegmenterOptions options;
  options.is_video = true;
  options.timescale = 30000;
  options.target = {2, 1};
  options.frame_ticks = kFrame;
  return options;
}

std::vector<SegmentFrames> cut(const SegmenterOptions& options,
                               const std::vector<std::vector<Frame>>& fragments) {
  Segmenter segmenter(options);
  std::vector<SegmentFrames> segments;
  for (const auto& fragment : fragments) EXPECT_TRUE(segmenter.push(fragment, segments));
  segmenter.finish(segments);
  return segments;
}

std::vector<std::vector<Frame>> groups_of(int frames, int count) {
  std::vector<std::vector<Frame>> groups;
  for (int i = 0; i < count; ++i) groups.push_back(group(std::int64_t{i} * frames, frames));
  return groups;
}

TEST(VideoSegments, TouchAndLoseNothing) {
  const auto segments = cut(video_options(), groups_of(15, 17));
  std::size_t frames = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    frames += segments[i].frames.size();
    EXPECT_TRUE(segments[i].frames.front().sample.sync);
    if (i > 0) {
      EXPECT_EQ(segments[i].first_pts, segments[i - 1].end_pts);
    }
  }
  EXPECT_EQ(frames, 15u * 17);
  EXPECT_EQ(segments.back().end_pts, 15 * 17 * kFrame);
}

TEST(VideoSegments, AreCutAtTheNearestKeyFrame) {
  // Groups of 0.5 s: four make 2.002 s.
  EXPECT_EQ(cut(video_options(), groups_of(15, 12))[0].key_frames, 4);
  // Groups of 1.5 s: one is nearer to 2 s (by 0.5 s) than two (by 1 s).
  EXPECT_EQ(cut(video_options(), groups_of(45, 6))[0].key_frames, 1);
  // Groups of 0.8 s: two make 1.6 s, three 2.4 s; at a tie the shorter wins.
  EXPECT_EQ(cut(video_options(), groups_of(24, 6))[0].key_frames, 2);
  // Groups of 5 s stay whole.
  EXPECT_EQ(cut(video_options(), groups_of(150, 3))[0].key_frames, 1);
}

TEST(VideoSegments, GapsStayGaps) {
  auto fragments = groups_of(60, 2);
  fragments[1] = group(90, 60);  // thirty frames are missing
  const auto segments = cut(video_options(), fragments);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0].end_pts, 60 * kFrame);
  EXPECT_EQ(segments[1].first_pts, 90 * kFrame);
}

TEST(VideoSegments, OfVariableRateReachToTheNext) {
  SegmenterOptions options = video_options();
  options.frame_ticks = 0;
  auto fragments = groups_of(60, 2);
  fragments[1] = group(90, 60);
  const auto segments = cut(options, fragments);
  EXPECT_EQ(segments[0].end_pts, 90 * kFrame);
}

TEST(VideoSegments, EagerOnesComeWithTheirLastGroup) {
  SegmenterOptions options = video_options();
  options.eager = true;
  Segmenter segmenter(options);
  std::vector<SegmentFrames> segments;
  EXPECT_TRUE(segmenter.push(group(0, 60), segments));
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].end_pts, 60 * kFrame);
  EXPECT_TRUE(segmenter.push(group(60, 60), segments));
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[1].first_pts, segments[0].end_pts);
}

TEST(VideoSegments, WithoutKeyFramesAreRefused) {
  SegmenterOptions options = video_options();
  options.segment_bytes_max = 10 * 60;
  Segmenter segmenter(options);
  std::vector<SegmentFrames> segments;
  EXPECT_TRUE(segmenter.push(group(0, 60), segments));
  options.segment_bytes_max = 10 * 60 - 1;
  Segmenter strict(options);
  const Status refused = strict.push(group(0, 60), segments);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::too_large);
}

//! The leading B-frames of an open group are shown before its key frame and belong to its segment.
TEST(VideoSegments, BeginWithTheFirstFrameShown) {
  auto fragments = groups_of(60, 2);
  Frame leading = fragments[1][1];
  leading.sample.pts = 59 * kFrame;
  leading.sample.sync = false;
  std::erase_if(fragments[0], [](const Frame& f) { return f.sample.pts == 59 * kFrame; });
  fragments[1].insert(fragments[1].begin() + 1, leading);
  const auto segments = cut(video_options(), fragments);
  EXPECT_EQ(segments[0].end_pts, 59 * kFrame);
  EXPECT_EQ(segments[1].first_pts, 59 * kFrame);
}

TEST(AudioSegments, StayOnTheGrid) {
  SegmenterOptions options;
  options.timescale = 48000;
  options.target = {2, 1};
  options.frame_ticks = 1024;
  std::vector<Frame> frames;
  for (int i = -1; i < 47 * 60; ++i) {  // one frame of priming
    Sample sample{.dts = i * 1024, .pts = i * 1024, .duration = 1024, .size = 1, .sync = true};
    frames.push_back({sample, "x"});
  }
  const auto segments = cut(options, {frames});
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const auto grid = static_cast<std::int64_t>(i) * 96000;
    EXPECT_LE(std::abs(segments[i].first_pts - grid), 512) << i;
    EXPECT_EQ(segments[i].first_pts, segments[i - 1].end_pts);
  }
}

TEST(GridSnapper, UndoesTheRoundingOfMilliseconds) {
  GridSnapper snapper(kFrame, 31);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t exact = i * kFrame;
    const std::int64_t milliseconds = (exact * 1000 + 15000) / 30000;
    std::vector<Frame> one(1);
    one[0].sample.pts = one[0].sample.dts = milliseconds * 30;
    snapper.snap(one);
    ASSERT_EQ(one[0].sample.pts, exact) << i;
  }
}

TEST(GridSnapper, StartsANewGridAfterAJump) {
  GridSnapper snapper(kFrame, 31);
  std::vector<Frame> frames(3);
  frames[0].sample.pts = 0;
  frames[1].sample.pts = 10'500;  // half a frame off
  frames[2].sample.pts = 10'500 + kFrame + 20;
  for (Frame& frame : frames) frame.sample.dts = frame.sample.pts;
  snapper.snap(frames);
  EXPECT_EQ(frames[1].sample.pts, 10'500);
  EXPECT_EQ(frames[2].sample.pts, 10'500 + kFrame);
}

}  // namespace
}  // namespace reel::cli

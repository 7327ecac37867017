#include "cli/ingest_track.h"

#include <gtest/gtest.h>

#include "cli/json_fields.h"
#include "cli/mp4_test_boxes.h"

namespace reel::cli {
namespace {

constexpr std::int64_t kFrame = 1001;
constexpr std::int64_t kShift = kObjectTimelineShiftSeconds * 30000;
constexpr std::int64_t kMillisecond = 1'000'000;

TrackPlan plan() {
  TrackPlan plan;
  plan.stream.is_video = true;
  plan.stream.frame_rate = {30000, 1001};
  plan.stream.time_base = {1, 30000};
  plan.codec = "h264";
  return plan;
}

//! A group of pictures as ffmpeg writes it: `count` frames from `first` on, decoded two frames
//! before they are shown.
std::string group(std::int64_t first, int count) {
  std::vector<Sample> samples;
  std::string data;
  for (int i = 0; i < count; ++i) {
    Sample sample;
    sample.pts = kShift + (first + i) * kFrame;
    sample.dts = sample.pts - 2 * kFrame;
    sample.duration = kFrame;
    sample.size = 4;
    sample.sync = i == 0;
    samples.push_back(sample);
    data += "data";
  }
  return fragment_head(1, 7, samples) + data;
}

//! The segments of sixty-frame groups, the first of which begins at frame `first`.
std::vector<MediaSegment> segments(const PlanOptions& options, const Timeline& timeline,
                                   std::int64_t first, int groups) {
  IngestTrack track(plan(), options);
  EXPECT_TRUE(track.append(boxes::init_segment(true, "")));
  for (int i = 0; i < groups; ++i) EXPECT_TRUE(track.append(group(first + 60 * i, 60)));
  EXPECT_TRUE(track.started());
  EXPECT_TRUE(track.take_segments().empty()) << "the timeline is not known yet";
  EXPECT_TRUE(track.set_timeline(timeline));
  EXPECT_TRUE(track.finish());
  return track.take_segments();
}

Timeline at(std::string_view start, std::int64_t origin = 0) {
  return {origin, *time::Timestamp::parse(start), true};
}

std::string field(const MediaSegment& segment, std::string_view name) {
  return string_field(segment.registration, name);
}

TEST(IngestTrack, SegmentsTouchToTheNanosecond) {
  const auto made = segments({}, at("0:0"), 0, 3);
  ASSERT_EQ(made.size(), 3u);
  EXPECT_EQ(field(made[0], "timerange"), "[0:0_2:2000000)");
  EXPECT_EQ(field(made[1], "timerange"), "[2:2000000_4:4000000)");
  EXPECT_EQ(field(made[2], "timerange"), "[4:4000000_6:6000000)");
  EXPECT_EQ(field(made[0], "ts_offset"), "-60:0");
  EXPECT_EQ(field(made[0], "last_duration"), "0:33366667");
  EXPECT_EQ(field(made[0], "object_timerange"), "") << "the default is right";
  EXPECT_EQ(integer_field(made[0].registration, "key_frame_count"), 1);
}

TEST(IngestTrack, TheStartMovesTheOffsetOnly) {
  const auto made = segments({}, at("1700000037:123456789"), 0, 1);
  EXPECT_EQ(field(made[0], "timerange"), "[1700000037:123456789_1700000039:125456789)");
  EXPECT_EQ(field(made[0], "ts_offset"), "1699999977:123456789");
}

//! What an input's edit list hides is needed for decoding and is not part of the flow.
TEST(IngestTrack, PreRollIsDeclared) {
  const auto made = segments({}, at("10:0"), -30, 1);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(field(made[0], "timerange"), "[10:0_11:1000000)");
  EXPECT_EQ(field(made[0], "ts_offset"), "-50:0");
  EXPECT_EQ(field(made[0], "object_timerange"), "[58:999000000_61:1000000)");
}

TEST(IngestTrack, WhatEndsBeforeTheStartIsLeftOut) {
  const auto made = segments({}, at("0:0"), -60, 2);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(field(made[0], "timerange"), "[0:0_2:2000000)");
}

TEST(IngestTrack, TheFirstFrameShownIsTheOrigin) {
  // Presentation starts at frame 21, 700.7 ms after ffmpeg's zero.
  const auto made = segments({}, at("0:0", 700'700'000), 21, 1);
  EXPECT_EQ(field(made[0], "timerange"), "[0:0_2:2000000)");
  EXPECT_EQ(field(made[0], "ts_offset"), "-60:700700000");
}

TEST(IngestTrack, MpegTsForgetsHowOftenItsClockWentRound) {
  PlanOptions options;
  options.container = Container::mpegts;
  // 2^33 / 90000 s is 95443.7 s; the first frame is at 60 s + 2 900 000 frames, 96823.3 s.
  const auto made = segments(options, at("0:0"), 2'900'000, 1);
  EXPECT_EQ(field(made[0], "timerange"), "[96763:333333333_96765:335333333)");
  const auto offset = time::Timestamp::parse(field(made[0], "ts_offset"));
  const auto object_start = made[0].range.first()->nanoseconds() - offset->nanoseconds();
  EXPECT_EQ(object_start / kMillisecond, 1379'615) << "96823.333 s less one turn of 95443.717 s";
}

TEST(IngestTrack, RefusesDataOutsideOfTheFragment) {
  IngestTrack track(plan(), {});
  ASSERT_TRUE(track.append(boxes::init_segment(true, "")));
  std::string cut = group(0, 60);
  cut.resize(cut.size() - 4);
  // The box says that it is four bytes shorter, too.
  const std::size_t mdat = cut.rfind("mdat");
  cut.replace(mdat - 4, 4, boxes::number(8 + 59 * 4, 4));
  const Status refused = track.append(cut);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::corrupt);
}

TEST(IngestTrack, AnEndWithinABoxIsAnError) {
  IngestTrack track(plan(), {});
  ASSERT_TRUE(track.append(boxes::init_segment(true, "").substr(0, 100)));
  EXPECT_FALSE(track.finish());
}

}  // namespace
}  // namespace reel::cli

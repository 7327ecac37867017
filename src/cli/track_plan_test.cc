#include "cli/track_plan.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

StreamInfo video(const std::string& codec, Ratio rate, Ratio base) {
  StreamInfo stream;
  stream.is_video = true;
  stream.codec = codec;
  stream.frame_rate = rate;
  stream.time_base = base;
  return stream;
}

StreamInfo audio(const std::string& codec, int index) {
  StreamInfo stream;
  stream.index = index;
  stream.codec = codec;
  stream.channels = 2;
  return stream;
}

TrackPlan plan_one(const StreamInfo& stream, const PlanOptions& options = {}) {
  InputInfo info;
  info.streams.push_back(stream);
  return plan_tracks(info, options).at(0);
}

bool has(const std::vector<std::string>& words, const std::vector<std::string>& sequence) {
  return std::search(words.begin(), words.end(), sequence.begin(), sequence.end()) != words.end();
}

TEST(TrackPlan, CopiesWhatTheContainerCanHold) {
  PlanOptions ts;
  ts.container = Container::mpegts;
  EXPECT_TRUE(plan_one(audio("opus", 0)).copy);
  EXPECT_FALSE(plan_one(audio("opus", 0), ts).copy);
  EXPECT_EQ(plan_one(audio("opus", 0), ts).codec, "aac");
  EXPECT_TRUE(plan_one(audio("aac", 0), ts).copy);
  EXPECT_FALSE(plan_one(video("prores", {25, 1}, {1, 25})).copy);
  EXPECT_EQ(plan_one(video("prores", {25, 1}, {1, 25})).codec, "h264");
}

TEST(TrackPlan, SnapsWhereTheContainerRounds) {
  EXPECT_FALSE(plan_one(video("h264", {30000, 1001}, {1, 30000})).snap);
  EXPECT_FALSE(plan_one(video("h264", {25, 1}, {1, 1000})).snap);
  EXPECT_FALSE(plan_one(video("h264", {}, {1, 1000})).snap);
  const TrackPlan matroska = plan_one(video("h264", {30000, 1001}, {1, 1000}));
  EXPECT_TRUE(matroska.snap);
  EXPECT_EQ(matroska.video_timescale, 30000);
  // 59.94 frames a second do not fit the 1/90000 s of MPEG-TS either.
  const TrackPlan transport = plan_one(video("h264", {60000, 1001}, {1, 90000}));
  EXPECT_TRUE(transport.snap);
  EXPECT_EQ(transport.video_timescale, 60000);
}

TEST(TrackPlan, TakesTheFirstOfEachKindVideoFirst) {
  InputInfo info;
  info.streams = {audio("aac", 0), video("h264", {25, 1}, {1, 25}), audio("ac3", 2)};
  info.streams[1].index = 1;
  auto tracks = plan_tracks(info, {});
  ASSERT_EQ(tracks.size(), 2u);
  EXPECT_EQ(tracks[0].role, "video");
  EXPECT_EQ(tracks[1].stream.index, 0);
  PlanOptions all;
  all.all_audio = true;
  tracks = plan_tracks(info, all);
  ASSERT_EQ(tracks.size(), 3u);
  EXPECT_EQ(tracks[2].role, "audio-2");
}

TEST(TrackPlan, OriginIsTheFirstFrameUnlessSoundBeginsMuchEarlier) {
  InputInfo info;
  info.streams = {video("h264", {25, 1}, {1, 25}), audio("opus", 1)};
  info.streams[0].start_nanoseconds = 14'000'000;
  EXPECT_EQ(presentation_origin(plan_tracks(info, {})), 14'000'000);
  info.streams[0].start_nanoseconds = 500'000'000;
  EXPECT_EQ(presentation_origin(plan_tracks(info, {})), 0);
  info.streams[1].start_nanoseconds = 900'000'000;
  EXPECT_EQ(presentation_origin(plan_tracks(info, {})), 500'000'000);
}

TEST(FfmpegCommand, GivesEachTrackItsDescriptor) {
  InputInfo info;
  info.streams = {video("mpeg2video", {25, 1}, {1, 25}), audio("aac", 1)};
  PlanOptions options;
  options.live = true;
  const auto words = ffmpeg_command({"in put.mxf", ""}, plan_tracks(info, options), options, 3);
  EXPECT_TRUE(has(words, {"-re", "-i", "in put.mxf"}));
  EXPECT_TRUE(has(words, {"-map", "0:0"}));
  EXPECT_TRUE(has(words, {"-c:v", "libx264"}));
  EXPECT_TRUE(has(words, {"-c:a", "copy"}));
  EXPECT_TRUE(has(words, {"-f", "mp4", "pipe:3"}));
  EXPECT_EQ(words.back(), "pipe:4");
  const auto url =
      ffmpeg_command({"srt://camera:9000", ""}, plan_tracks(info, options), options, 3);
  EXPECT_FALSE(has(url, {"-re"})) << "a network source has its own pace";
}

}  // namespace
}  // namespace reel::cli

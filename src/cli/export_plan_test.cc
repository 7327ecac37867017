#include "cli/export_plan.h"

#include <gtest/gtest.h>

#include "cli/export_encode.h"

namespace reel::cli {
namespace {

constexpr time::Int128 kMillisecond = 1'000'000;

//! 25 frames a second, one tick a millisecond: groups of ten frames, each P-frame before the
//! B-frame that is shown before it. Frame n is shown at 40 * n.
MediaObject object(int first, int count, const std::string& config = "c") {
  MediaObject made;
  made.info.timescale = 1000;
  made.info.is_video = true;
  made.info.decoder_config = config;
  const auto add = [&](int frame) {
    Sample sample;
    sample.pts = frame * 40;
    sample.dts = (first + static_cast<int>(made.samples.size()) - 1) * 40;
    sample.duration = 40;
    sample.sync = frame % 10 == 0;
    made.samples.push_back(sample);
  };
  for (int group = first; group < first + count; group += 10) {
    add(group);
    for (int frame = group + 1; frame < group + 9; frame += 2) {
      add(frame + 1);
      add(frame);
    }
    add(group + 9);
  }
  return made;
}

Piece piece(const MediaObject& media, int first_frame, int end_frame, int offset_frames = 0) {
  return {&media, offset_frames * 40 * kMillisecond,
          (first_frame + offset_frames) * 40 * kMillisecond,
          (end_frame + offset_frames) * 40 * kMillisecond};
}

std::size_t wanted(const Stretch& stretch) {
  std::size_t count = 0;
  for (const StretchSample& sample : stretch.samples) count += sample.wanted ? 1 : 0;
  return count;
}

TEST(Stretches, JoinSegmentsThatFollowEachOther) {
  const MediaObject a = object(0, 20);
  const MediaObject b = object(20, 20);
  const auto stretches = make_stretches({piece(a, 0, 20), piece(b, 20, 40)});
  ASSERT_EQ(stretches.size(), 1u);
  EXPECT_EQ(wanted(stretches[0]), 40u);
  EXPECT_EQ(exact_copy(stretches[0])->last, 40u);
}

TEST(Stretches, EndAtCutsGapsAndChanges) {
  const MediaObject a = object(0, 20);
  const MediaObject b = object(20, 20);
  const MediaObject other = object(20, 20, "another set-up");
  EXPECT_EQ(make_stretches({piece(a, 0, 20), piece(b, 20, 40, 10)}).size(), 2u) << "offset";
  EXPECT_EQ(make_stretches({piece(a, 0, 20), piece(b, 30, 40)}).size(), 2u) << "gap";
  EXPECT_EQ(make_stretches({piece(a, 0, 20), piece(other, 20, 40)}).size(), 2u) << "codec";
  EXPECT_EQ(make_stretches({piece(a, 0, 15), piece(b, 20, 40, -5)}).size(), 2u) << "partial use";
  EXPECT_TRUE(joinable(make_stretches({piece(a, 0, 15), piece(b, 20, 40, -5)})));
  EXPECT_FALSE(joinable(make_stretches({piece(a, 0, 20), piece(other, 20, 40)})));
}

TEST(Stretches, NeighbouringPartsOfOneObjectAreOne) {
  const MediaObject a = object(0, 20);
  const auto stretches = make_stretches({piece(a, 0, 7), piece(a, 7, 20)});
  ASSERT_EQ(stretches.size(), 1u);
  EXPECT_EQ(stretches[0].samples.size(), 20u);
  EXPECT_TRUE(exact_copy(stretches[0]));
}

TEST(ExactCopy, NeedsAKeyFrameAtTheStart) {
  const MediaObject a = object(0, 20);
  EXPECT_TRUE(exact_copy(make_stretches({piece(a, 10, 20)})[0]));
  EXPECT_FALSE(exact_copy(make_stretches({piece(a, 11, 20)})[0]));
}

//! Frame 2 is decoded before frame 1, which is shown first: ending between them needs frame 2.
TEST(ExactCopy, NeedsAnEndThatIsNoReference) {
  const MediaObject a = object(0, 20);
  EXPECT_FALSE(exact_copy(make_stretches({piece(a, 0, 2)})[0]));
  EXPECT_TRUE(exact_copy(make_stretches({piece(a, 0, 3)})[0]));
}

TEST(Decodable, BeginsAtTheKeyFrameBefore) {
  const MediaObject a = object(0, 30);
  const auto stretches = make_stretches({piece(a, 15, 17)});
  const auto selection = decodable(stretches[0]);
  ASSERT_TRUE(selection);
  EXPECT_EQ(selection->first, 10u);
  // Frame 16 is decoded before frame 15: both and what they refer to.
  EXPECT_EQ(stretches[0].samples[selection->last - 1].time, 15 * 40 * kMillisecond);
}

TEST(Decodable, IsNotWithoutTheKeyFrame) {
  MediaObject open = object(0, 20);
  open.samples[1].pts = -40;  // shown before its key frame
  const Piece all{&open, 0, -40 * kMillisecond, 800 * kMillisecond};
  const auto stretches = make_stretches({all});
  EXPECT_FALSE(exact_copy(stretches[0]));
  EXPECT_FALSE(decodable(stretches[0]));
}

TEST(AudioCopy, TakesTheFrameAroundTheStartAndOneMore) {
  MediaObject sound;
  sound.info.timescale = 1000;
  for (int i = 0; i < 10; ++i) {
    sound.samples.push_back(
        {.dts = i * 20, .pts = i * 20, .duration = 20, .size = 1, .sync = true});
  }
  const Piece part{&sound, 0, 50 * kMillisecond, 130 * kMillisecond};
  const Stretch stretch = make_stretches({part})[0];
  EXPECT_EQ(audio_copy(stretch, false).first, 3u);
  EXPECT_EQ(audio_copy(stretch, true).first, 1u) << "40 ms covers the start, 20 ms prepares it";
  EXPECT_EQ(audio_copy(stretch, true).last, 7u);
}

TEST(Gaps, BeforeBetweenAndAfter) {
  const MediaObject a = object(0, 30);
  const auto range = *time::TimeRange::parse("[0:0_2:0)");
  const auto gaps = find_gaps({piece(a, 5, 10), piece(a, 20, 25)}, range);
  ASSERT_EQ(gaps.size(), 3u);
  EXPECT_EQ(gaps[0].to_string(), "[0:0_0:200000000)");
  EXPECT_EQ(gaps[1].to_string(), "[0:400000000_0:800000000)");
  EXPECT_EQ(gaps[2].to_string(), "[1:0_2:0)");
  EXPECT_TRUE(find_gaps({piece(a, 5, 10)}, time::TimeRange::eternity()).empty());
}

TEST(Retime, GivesEncodedFramesTheirOwnTimes) {
  // Encoded at an even pace of 10, decode order I P B, two ticks of reordering.
  std::vector<Sample> encoded = {
      {.dts = 90, .pts = 100}, {.dts = 100, .pts = 120}, {.dts = 110, .pts = 110}};
  ASSERT_TRUE(retime(encoded, {1000, 1040, 1300}));
  EXPECT_EQ(encoded[0].pts, 1000);
  EXPECT_EQ(encoded[1].pts, 1300);
  EXPECT_EQ(encoded[2].pts, 1040);
  EXPECT_EQ(encoded[0].dts, 960);
  EXPECT_EQ(encoded[1].dts, 1000);
  EXPECT_EQ(encoded[2].dts, 1040);
  EXPECT_EQ(encoded[0].duration, 40);
  EXPECT_EQ(retime(encoded, {1, 2}).error().code(), Code::corrupt);
}

}  // namespace
}  // namespace reel::cli

#include "cli/mp4.h"

#include <gtest/gtest.h>

#include "cli/mp4_test_boxes.h"

namespace reel::cli {
namespace {

using namespace boxes;  // NOLINT: a test's vocabulary

TEST(Mp4Init, VideoTrack) {
  const auto info = parse_init(init_segment(true, ""));
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->track_id, 7u);
  EXPECT_EQ(info->timescale, 30000);
  EXPECT_TRUE(info->is_video);
  EXPECT_EQ(info->sample_entry, "avc1");
  EXPECT_EQ(info->width, 640);
  EXPECT_EQ(info->height, 360);
  ASSERT_TRUE(info->avc);
  EXPECT_EQ(info->avc->profile, 100);
  EXPECT_EQ(info->avc->flags, 8);
  EXPECT_EQ(info->avc->level, 31);
  EXPECT_EQ(info->decoder_config, box("avcC", std::string("\x01\x64\x08\x1f", 4) + "sps"))
      << "bit rates are no part of it";
  EXPECT_EQ(info->edit_shift, 0);
}

TEST(Mp4Init, AudioTrack) {
  const auto info = parse_init(init_segment(false, ""));
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_FALSE(info->is_video);
  EXPECT_EQ(info->audio_object_type, 2);
  EXPECT_EQ(info->decoder_config, "\x12\x10");
}

TEST(Mp4Init, EditsShiftTimes) {
  EXPECT_EQ(parse_init(init_segment(true, edit_list({edit(0, 2002)})))->edit_shift, -2002);
  // Half a second of nothing, then the media.
  EXPECT_EQ(parse_init(init_segment(true, edit_list({edit(500, -1), edit(0, 0)})))->edit_shift,
            15000);
  const auto several = parse_init(init_segment(true, edit_list({edit(9, 0), edit(9, 5)})));
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().code(), Code::unsupported);
}

TEST(Mp4Init, RefusesWhatItCannotRead) {
  EXPECT_EQ(parse_init(init_segment(true, "", 2)).error().code(), Code::unsupported);
  EXPECT_EQ(parse_init("").error().code(), Code::corrupt);
  EXPECT_EQ(parse_init("not an mp4 file at all").error().code(), Code::corrupt);
  EXPECT_EQ(parse_init(box("moov", "")).error().code(), Code::corrupt);
}

TEST(Mp4Init, PlainIsTheSameForEveryRun) {
  const auto a = plain_init(init_segment(true, edit_list({edit(0, 2002)})));
  const auto b = plain_init(init_segment(true, edit_list({edit(77, 1001)})));
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a, *b);
  EXPECT_EQ(a->find("edts"), std::string::npos);
  EXPECT_EQ(a->find("udta"), std::string::npos);
  const auto info = parse_init(*a);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->edit_shift, 0);
  EXPECT_EQ(info->width, 640);
}

//! Any cut of a well-formed file is an answer, not a crash.
TEST(Mp4Init, SurvivesTruncation) {
  const std::string whole = init_segment(true, edit_list({edit(0, 2002)}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_init(std::string_view(whole).substr(0, size))) << size;
  }
}

std::vector<Sample> b_frames() {
  std::vector<Sample> samples = {
      {.dts = 3003, .pts = 5005, .duration = 1001, .size = 5, .sync = true},
      {.dts = 4004, .pts = 8008, .duration = 1001, .size = 3, .sync = false},
      {.dts = 5005, .pts = 6006, .duration = 1500, .size = 2, .sync = false},
  };
  return samples;
}

TEST(Mp4Fragment, ReadsBackWhatItWrote) {
  const auto info = parse_init(init_segment(true, ""));
  const std::string head = fragment_head(4, 7, b_frames());
  const auto header = parse_box_header(head);
  ASSERT_TRUE(header && *header);
  const std::string moof = head.substr(0, (*header)->size);
  const auto samples = parse_moof(moof, *info);
  ASSERT_TRUE(samples) << samples.error().message();
  ASSERT_EQ(samples->size(), 3u);
  std::uint64_t offset = head.size();
  for (std::size_t i = 0; i < 3; ++i) {
    const Sample& found = (*samples)[i];
    const Sample wanted = b_frames()[i];
    EXPECT_EQ(found.dts, wanted.dts);
    EXPECT_EQ(found.pts, wanted.pts);
    EXPECT_EQ(found.duration, wanted.duration);
    EXPECT_EQ(found.size, wanted.size);
    EXPECT_EQ(found.sync, wanted.sync);
    EXPECT_EQ(found.offset, offset) << "data follows the mdat header";
    offset += found.size;
  }
  const auto data = parse_box_header(std::string_view(head).substr(moof.size()));
  ASSERT_TRUE(data && *data);
  EXPECT_EQ((*data)->type, "mdat");
  EXPECT_EQ((*data)->size, 8u + 10u);
}

TEST(Mp4Fragment, EvenAudioNeedsOnlySizes) {
  const auto info = parse_init(init_segment(false, ""));
  std::vector<Sample> samples;
  for (int i = 0; i < 100; ++i) {
    samples.push_back(
        {.dts = i * 1024, .pts = i * 1024, .duration = 1024, .size = 9, .sync = true});
  }
  const std::string head = fragment_head(1, 7, samples);
  EXPECT_LT(head.size(), 100u * 4 + 120);
  const auto header = parse_box_header(head);
  const auto found = parse_moof(head.substr(0, (*header)->size), *info);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->back().pts, 99 * 1024);
  EXPECT_TRUE(found->back().sync);
}

TEST(Mp4Fragment, NegativeCompositionOffsets) {
  const auto info = parse_init(init_segment(true, ""));
  const std::vector<Sample> samples = {
      {.dts = 5000, .pts = 4000, .duration = 1, .size = 1, .sync = true}};
  const std::string head = fragment_head(1, 7, samples);
  const auto header = parse_box_header(head);
  EXPECT_EQ(parse_moof(head.substr(0, (*header)->size), *info)->front().pts, 4000);
}

TEST(Mp4Fragment, SurvivesTruncationAndDamage) {
  const auto info = parse_init(init_segment(true, ""));
  const std::string head = fragment_head(4, 7, b_frames());
  const std::string moof = head.substr(0, (*parse_box_header(head))->size);
  for (std::size_t size = 0; size < moof.size(); ++size) {
    EXPECT_FALSE(parse_moof(std::string_view(moof).substr(0, size), *info)) << size;
  }
  for (std::size_t at = 0; at < moof.size(); ++at) {
    std::string damaged = moof;
    damaged[at] = '\xff';
    (void)parse_moof(damaged, *info);
  }
}

TEST(BoxSplitter, GivesWholeBoxesHoweverTheyCome) {
  const std::string stream =
      box("ftyp", "abc") + box("moov", std::string(1000, 'x')) + box("free", "");
  BoxSplitter splitter;
  std::vector<std::string> types;
  for (const char byte : stream) {
    splitter.append({&byte, 1});
    while (true) {
      const auto next = splitter.next();
      ASSERT_TRUE(next);
      if (!*next) break;
      types.push_back((*next)->type);
    }
  }
  EXPECT_EQ(types, (std::vector<std::string>{"ftyp", "moov", "free"}));
  EXPECT_TRUE(splitter.empty());
}

TEST(BoxSplitter, RefusesBoxesAboveTheLimit) {
  BoxSplitter splitter(100);
  splitter.append(number(100, 4) + "mdat");
  EXPECT_TRUE(splitter.next());
  BoxSplitter small(100);
  small.append(number(101, 4) + "mdat");
  EXPECT_EQ(small.next().error().code(), Code::too_large);
  BoxSplitter endless(100);
  endless.append(number(0, 4) + "mdat");
  EXPECT_EQ(endless.next().error().code(), Code::unsupported);
  BoxSplitter nonsense(100);
  nonsense.append(number(3, 4) + "mdat");
  EXPECT_EQ(nonsense.next().error().code(), Code::corrupt);
}

}  // namespace
}  // namespace reel::cli

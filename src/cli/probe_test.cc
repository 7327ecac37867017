#include "cli/probe.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

constexpr char kAnswer[] = R"({
  "streams": [
    {"index": 0, "codec_name": "h264", "codec_type": "video", "width": 1280, "height": 720,
     "pix_fmt": "yuv422p10le", "sample_aspect_ratio": "1:1", "display_aspect_ratio": "16:9",
     "field_order": "tt", "r_frame_rate": "30000/1001", "avg_frame_rate": "30000/1001",
     "time_base": "1/90000", "start_pts": 129003, "color_space": "bt709"},
    {"index": 1, "codec_name": "aac", "codec_type": "audio", "sample_rate": "48000",
     "channels": 2, "time_base": "1/90000", "start_pts": 126000, "r_frame_rate": "0/0"},
    {"index": 2, "codec_name": "mjpeg", "codec_type": "video", "disposition": {"attached_pic": 1}},
    {"index": 3, "codec_name": "subrip", "codec_type": "subtitle"}],
  "format": {"start_time": "1.400000", "duration": "15.015000"}})";

TEST(Probe, ReadsStreams) {
  const auto info = parse_probe(kAnswer);
  ASSERT_TRUE(info) << info.error().message();
  ASSERT_EQ(info->streams.size(), 2u);
  EXPECT_EQ(info->other_streams, 2) << "a cover picture is no video";
  const StreamInfo& video = info->streams[0];
  EXPECT_TRUE(video.is_video);
  EXPECT_EQ(video.frame_rate, (Ratio{30000, 1001}));
  EXPECT_EQ(video.bit_depth, 10);
  EXPECT_EQ(video.display_aspect, (Ratio{16, 9}));
  // 3003 ticks after the input's start, which ffmpeg makes zero.
  EXPECT_EQ(video.start_nanoseconds, 33'366'667);
  EXPECT_EQ(info->streams[1].start_nanoseconds, 0);
  EXPECT_EQ(info->streams[1].sample_rate, 48000);
  EXPECT_EQ(info->duration_nanoseconds, 15'015'000'000);
}

TEST(Probe, RatesThatDifferAreVariable) {
  const auto rate = [](const std::string& common, const std::string& average) {
    const auto info = parse_probe(R"({"streams": [{"codec_name": "h264", "codec_type": "video",
        "r_frame_rate": ")" + common +
                                  R"(", "avg_frame_rate": ")" + average + R"("}]})");
    return info->streams.at(0).frame_rate;
  };
  EXPECT_EQ(rate("25/1", "25/1"), (Ratio{25, 1}));
  EXPECT_EQ(rate("30000/1001", "19001/634"), (Ratio{30000, 1001})) << "rounded by the container";
  EXPECT_TRUE(rate("60/1", "23/1").is_zero());
  EXPECT_TRUE(rate("0/0", "0/0").is_zero());
}

TEST(Probe, RefusesWhatIsNoJson) { EXPECT_FALSE(parse_probe("Invalid data found")); }

TEST(Probe, DepthOfPixelFormats) {
  EXPECT_EQ(pixel_format_depth("yuv420p"), 8);
  EXPECT_EQ(pixel_format_depth("yuv420p10le"), 10);
  EXPECT_EQ(pixel_format_depth("gbrp12be"), 12);
  EXPECT_EQ(pixel_format_depth(""), 0);
}

}  // namespace
}  // namespace reel::cli

#include "cli/flow_document.h"

#include <gtest/gtest.h>

#include "cli/json_fields.h"

namespace reel::cli {
namespace {

TEST(BitRates, FollowTheAppNote) {
  BitRates rates;
  const auto second = [](double s) { return static_cast<std::int64_t>(s * 1e9); };
  rates.add(second(2), 250'000);    // 1000 kbit/s
  rates.add(second(2), 500'000);    // 2000 kbit/s
  rates.add(second(0.5), 250'000);  // 4000 kbit/s, too short by itself
  EXPECT_EQ(rates.average(), 1'777);
  // The short one counts together with its neighbour: 750 kB in 2.5 s.
  EXPECT_EQ(rates.maximum({2, 1}), 2'400);
  EXPECT_EQ(BitRates().average(), 0);
  EXPECT_EQ(BitRates().maximum({2, 1}), 0);
}

TEST(BitRates, OneLongSegmentCounts) {
  BitRates rates;
  rates.add(10'000'000'000, 10'000'000);
  EXPECT_EQ(rates.maximum({2, 1}), 8'000);
}

TEST(FrameIntervals, EvenWithDroppedFrames) {
  FrameIntervals intervals;
  for (int i = 0; i < 100; ++i) intervals.add(1001);
  intervals.add(3003);
  EXPECT_EQ(intervals.rate(30000), (Ratio{30000, 1001}));
  intervals.add(1500);
  EXPECT_TRUE(intervals.rate(30000).is_zero());
}

TEST(FrameIntervals, MostlyDroppedIsVariable) {
  FrameIntervals intervals;
  for (int i = 0; i < 50; ++i) {
    intervals.add(512);
    intervals.add(1024);
  }
  EXPECT_TRUE(intervals.rate(12800).is_zero());
}

TrackPlan video_plan() {
  TrackPlan plan;
  plan.stream.is_video = true;
  plan.stream.width = 1920;
  plan.stream.height = 1080;
  plan.stream.frame_rate = {30000, 1001};
  plan.stream.pixel_format = "yuv420p10le";
  plan.stream.bit_depth = 10;
  plan.stream.field_order = "tb";
  plan.stream.color_space = "bt2020nc";
  plan.stream.color_transfer = "arib-std-b67";
  plan.codec = "hevc";
  return plan;
}

TEST(FlowDocument, VideoParameters) {
  PlanOptions options;
  options.segment = {48, 25};
  const json::Value flow = essence_flow({"i", "s", "l"}, video_plan(), {}, options);
  EXPECT_EQ(string_field(flow, "codec"), "video/h265");
  EXPECT_EQ(string_field(flow, "container"), "video/iso.segment");
  EXPECT_EQ(string_field(flow, "status"), "ingesting");
  const json::Value* parameters = flow.find("essence_parameters");
  ASSERT_NE(parameters, nullptr);
  EXPECT_EQ(*parameters,
            *json::parse(
                R"({"frame_width":1920,"frame_height":1080,"bit_depth":10,)"
                R"("interlace_mode":"interlaced_bff","colorspace":"BT2100",)"
                R"("transfer_characteristic":"HLG","component_type":"YCbCr","horiz_chroma_subs":2,)"
                R"("vert_chroma_subs":2,"frame_rate":{"numerator":30000,"denominator":1001},)"
                R"("init_segments":true})"));
}

TEST(FlowDocument, MpegTsHasNoInitSegments) {
  PlanOptions options;
  options.container = Container::mpegts;
  const json::Value flow = essence_flow({"i", "s", "l"}, video_plan(), {}, options);
  EXPECT_EQ(flow.find("essence_parameters")->find("init_segments"), nullptr);
  EXPECT_EQ(string_field(flow, "container"), "video/mp2t");
}

TEST(FlowDocument, VariableRateExcludesARate) {
  json::Value flow = essence_flow({"i", "s", "l"}, video_plan(), {}, {});
  FlowState state;
  state.complete = true;
  set_state(flow, state);
  const json::Value* parameters = flow.find("essence_parameters");
  EXPECT_EQ(parameters->find("frame_rate"), nullptr);
  EXPECT_TRUE(*parameters->find("vfr")->as_bool());
  EXPECT_EQ(string_field(flow, "status"), "closed_complete");
}

//! Somebody may have written tags while the ingest ran.
TEST(FlowDocument, StateLeavesTheRestAlone) {
  json::Value flow = essence_flow({"i", "s", "l"}, video_plan(), {}, {});
  json::Value tags(json::Object{});
  tags.set("camera", "2");
  flow.set("tags", tags);
  FlowState state;
  state.frame_rate = {25, 1};
  state.average_bit_rate = 1000;
  set_state(flow, state);
  EXPECT_EQ(*flow.find("tags"), tags);
  EXPECT_EQ(integer_field(flow, "avg_bit_rate"), 1000);
}

}  // namespace
}  // namespace reel::cli

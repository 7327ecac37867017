#include "exr/rules.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/test_bytes.h"
#include "exr/walker.h"

namespace reel::exr {
namespace {

using test::attribute;
using test::box;
using test::channel;
using test::raw;
using test::required;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kTiled = 0x200;
constexpr std::uint32_t kLongNames = 0x400;
constexpr std::uint32_t kDeep = 0x800;
constexpr std::uint32_t kMultipart = 0x1000;

Findings findings_of(std::string_view parts, std::uint32_t flags = 0) {
  const std::string bytes = test::header(parts, flags);
  MemorySource source(bytes);
  const Result<Walk> walk = exr::walk(source);
  REEL_CHECK(walk.has_value() && walk->whole && walk->findings.empty());
  return check_rules(walk->header);
}

std::vector<std::string> codes(std::string_view parts, std::uint32_t flags = 0) {
  std::vector<std::string> out;
  for (const Finding& each : findings_of(parts, flags)) out.emplace_back(each.code);
  return out;
}

//! With another value for one of the required attributes.
std::vector<std::string> codes_with(std::string_view name, std::string_view type,
                                    const std::string& value, std::uint32_t flags = 0,
                                    const std::string& more = "") {
  return codes(required(name, attribute(name, type, value)) + more, flags);
}

std::vector<std::string> channel_codes(const std::string& channels, std::uint32_t flags = 0,
                                       const std::string& more = "") {
  return codes_with("channels", "chlist", channels + '\0', flags, more);
}

std::string text(std::string_view name, std::string_view value) {
  return attribute(name, "string", value);
}

std::string tiles(std::uint32_t x = 64, std::uint32_t y = 64, char mode = 0) {
  return attribute("tiles", "tiledesc", raw(x, y) + mode);
}

std::string part(std::string_view name, const std::string& more = "") {
  return required() + text("name", name) + text("type", "scanlineimage") +
         attribute("chunkCount", "int", raw(2)) + more;
}

TEST(Rules, AGoodHeaderBreaksNone) {
  EXPECT_THAT(codes(required()), IsEmpty());
  EXPECT_THAT(codes(required() + tiles(), kTiled), IsEmpty());
  EXPECT_THAT(
      codes(required() + text("type", "deepscanline") + attribute("version", "int", raw(1)), kDeep),
      IsEmpty());
  EXPECT_THAT(codes(part("a") + '\0' + part("b"), kMultipart), IsEmpty());
}

TEST(Rules, TheSizeOfTheImageIsNoError) {
  const Findings findings = findings_of(
      required("dataWindow", attribute("dataWindow", "box2i", box(0, 0, 1'000'000'000, 0))));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "window_huge");
  EXPECT_EQ(findings[0].severity, Severity::warning);
  EXPECT_THAT(codes_with("displayWindow", "box2i", box(0, 0, 999'999, 1)), IsEmpty());
  EXPECT_THAT(codes_with("displayWindow", "box2i", box(0, 0, 1'000'000, 1)),
              ElementsAre("window_huge"));
  EXPECT_THAT(codes_with("dataWindow", "box2i", box(1 << 30, 0, 1 << 30, 0)),
              ElementsAre("window_huge"));
  EXPECT_THAT(codes_with("dataWindow", "box2i", box(-2147483647 - 1, 0, 2147483647, 0)),
              ElementsAre("window_huge"));
}

TEST(Rules, WhatIsMissing) {
  for (const char* name : {"channels", "compression", "dataWindow", "displayWindow", "lineOrder",
                           "pixelAspectRatio", "screenWindowCenter", "screenWindowWidth"}) {
    const Findings findings = findings_of(required(name));
    ASSERT_EQ(findings.size(), 1U) << name;
    EXPECT_EQ(findings[0].code, "missing_attribute");
    EXPECT_EQ(findings[0].attribute, name);
    EXPECT_EQ(findings[0].part, 0U);
    EXPECT_EQ(findings[0].offset, 8U);
  }
  EXPECT_THAT(codes(required(), kTiled), ElementsAre("missing_attribute"));
  EXPECT_THAT(codes(required(), kDeep), ElementsAre("missing_attribute"));
  EXPECT_THAT(codes(part("a") + '\0' + required(), kMultipart),
              ElementsAre("missing_attribute", "missing_attribute", "missing_attribute"));
}

TEST(Rules, NothingIsMissingWhereTheHeaderIsNotWhole) {
  const std::string bytes = test::header(required("channels")).substr(0, 100);
  MemorySource source(bytes);
  const Result<Walk> walk = exr::walk(source);
  ASSERT_TRUE(walk.has_value() && !walk->whole);
  EXPECT_THAT(check_rules(walk->header, false), IsEmpty());
}

TEST(Rules, Names) {
  const std::string name(32, 'n');
  EXPECT_THAT(codes(required() + text(name, "")), ElementsAre("name_too_long"));
  EXPECT_THAT(codes(required() + text(name.substr(1), "")), IsEmpty());
  EXPECT_THAT(codes(required() + text(name, ""), kLongNames), IsEmpty());
  EXPECT_THAT(channel_codes(channel(name)), ElementsAre("name_too_long"));
  EXPECT_THAT(channel_codes(channel(name), kLongNames), IsEmpty());
  EXPECT_THAT(codes(required() + attribute("a", "", "")),
              ElementsAre("type_name_empty", "unknown_type"));
  EXPECT_THAT(codes(required() + attribute("a", "studio", "")), ElementsAre("unknown_type"));
  EXPECT_THAT(codes(required() + text("a", "") + text("a", "x")),
              ElementsAre("duplicate_attribute"));
}

TEST(Rules, TypesAndBytes) {
  EXPECT_THAT(codes_with("compression", "int", raw(0)), ElementsAre("wrong_type"));
  EXPECT_THAT(codes(required() + text("tiles", "")), ElementsAre("wrong_type"));
  const Findings findings = findings_of(required() + attribute("gamma", "float", raw(1.0)));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "attribute_malformed");
  EXPECT_EQ(findings[0].attribute, "gamma");
  EXPECT_EQ(findings[0].message, "'gamma' (float) has 8 bytes instead of 4");
  EXPECT_EQ(findings[0].offset, 8 + required().size());
  EXPECT_THAT(codes(required() + attribute("s", "stringvector", std::string(4 * 131'073, '\0'))),
              ElementsAre("attribute_too_large"));
}

TEST(Rules, Channels) {
  EXPECT_THAT(channel_codes(""), ElementsAre("channels_empty"));
  EXPECT_THAT(channel_codes(channel("G") + channel("B")), ElementsAre("channels_unsorted"));
  EXPECT_THAT(channel_codes(channel("B") + channel("B")), ElementsAre("channel_duplicate"));
  EXPECT_THAT(channel_codes(channel("B", 3)), ElementsAre("pixel_type_unknown"));
  EXPECT_THAT(channel_codes(channel("B", -1)), ElementsAre("pixel_type_unknown"));
  std::string odd = channel("B");
  odd[2 + 4] = 2;
  odd[2 + 7] = 1;
  EXPECT_THAT(channel_codes(odd), ElementsAre("p_linear_unknown", "reserved_not_zero"));
}

TEST(Rules, Sampling) {
  EXPECT_THAT(channel_codes(channel("B", 1, 2, 2)), IsEmpty());  // of 4 x 2 pixels
  EXPECT_THAT(channel_codes(channel("B", 1, 3, 1)), ElementsAre("sampling_not_dividing"));
  EXPECT_THAT(channel_codes(channel("B", 1, 1, 3)), ElementsAre("sampling_not_dividing"));
  EXPECT_THAT(channel_codes(channel("B", 1, 0, 1)), ElementsAre("sampling_invalid"));
  EXPECT_THAT(channel_codes(channel("B", 1, 1, -2)), ElementsAre("sampling_invalid"));
  EXPECT_THAT(channel_codes(channel("B", 1, 2, 2), kTiled, tiles()),
              ElementsAre("sampling_not_allowed"));
}

TEST(Rules, CompressionAndLineOrder) {
  EXPECT_THAT(codes_with("compression", "compression", "\x09"), IsEmpty());
  EXPECT_THAT(codes_with("compression", "compression", "\x0a"), ElementsAre("compression_recent"));
  EXPECT_THAT(codes_with("compression", "compression", "\x63"), ElementsAre("compression_unknown"));
  EXPECT_THAT(codes_with("compression", "compression", "\x03", kDeep,
                         text("type", "deepscanline") + attribute("version", "int", raw(1))),
              ElementsAre("compression_not_allowed"));
  EXPECT_THAT(codes_with("lineOrder", "lineOrder", "\x01"), IsEmpty());
  EXPECT_THAT(codes_with("lineOrder", "lineOrder", "\x02"), ElementsAre("line_order_not_allowed"));
  EXPECT_THAT(codes_with("lineOrder", "lineOrder", "\x02", kTiled, tiles()), IsEmpty());
  EXPECT_THAT(codes_with("lineOrder", "lineOrder", "\x03"), ElementsAre("line_order_unknown"));
}

TEST(Rules, Windows) {
  EXPECT_THAT(codes_with("dataWindow", "box2i", box(0, 0, -1, 1)), ElementsAre("window_empty"));
  EXPECT_THAT(codes_with("displayWindow", "box2i", box(0, 2, 0, 1)), ElementsAre("window_empty"));
  EXPECT_THAT(codes_with("displayWindow", "box2i", box(-5, -5, -5, -5)), IsEmpty());
  const float infinite = std::numeric_limits<float>::infinity();
  for (const float ratio : {0.F, -1.F, std::nanf(""), infinite, 1e-7F, 1e7F}) {
    EXPECT_THAT(codes_with("pixelAspectRatio", "float", raw(ratio)),
                ElementsAre("pixel_aspect_ratio_invalid"))
        << ratio;
  }
  for (const float width : {-1.F, std::nanf(""), infinite}) {
    EXPECT_THAT(codes_with("screenWindowWidth", "float", raw(width)),
                ElementsAre("screen_window_invalid"));
  }
  EXPECT_THAT(codes_with("screenWindowCenter", "v2f", raw(0.F, infinite)),
              ElementsAre("screen_window_invalid"));
}

TEST(Rules, Tiles) {
  EXPECT_THAT(codes(required() + tiles(0), kTiled), ElementsAre("tile_size_invalid"));
  EXPECT_THAT(codes(required() + tiles(64, 0x80000000), kTiled), ElementsAre("tile_size_invalid"));
  EXPECT_THAT(codes(required() + tiles(1, 1, 0x12), kTiled), IsEmpty());
  EXPECT_THAT(codes(required() + tiles(1, 1, 3), kTiled), ElementsAre("tile_mode_unknown"));
  EXPECT_THAT(codes(required() + tiles(1, 1, 0x20), kTiled), ElementsAre("tile_mode_unknown"));
}

TEST(Rules, OtherValues) {
  EXPECT_THAT(codes(required() + attribute("envmap", "envmap", "\x02")),
              ElementsAre("enumeration_unknown"));
  EXPECT_THAT(codes(required() + attribute("framesPerSecond", "rational", raw(24, 0))),
              ElementsAre("rational_invalid"));
  const auto views = [](const std::string& value) {
    return codes(required() + attribute("multiView", "stringvector", value));
  };
  EXPECT_THAT(views(""), ElementsAre("multi_view_empty"));
  EXPECT_THAT(views(raw(1) + "l" + raw(1) + "r"), IsEmpty());
  EXPECT_THAT(views(raw(1) + "l" + raw(1) + "l"), ElementsAre("multi_view_invalid"));
  EXPECT_THAT(views(raw(0)), ElementsAre("multi_view_invalid"));
}

TEST(Rules, TheTypeOfAPartAndTheFlags) {
  EXPECT_THAT(codes(required() + text("type", "scanlineimage")), IsEmpty());
  EXPECT_THAT(codes(required() + text("type", "tiledimage")), ElementsAre("part_type_conflict"));
  EXPECT_THAT(codes(required() + text("type", "scanlineimage") + tiles(), kTiled),
              ElementsAre("part_type_conflict"));
  EXPECT_THAT(codes(required() + text("type", "deepscanline")), ElementsAre("part_type_conflict"));
  EXPECT_THAT(codes(required() + text("type", "scanlineimage"), kDeep),
              ElementsAre("part_type_conflict"));
  EXPECT_THAT(codes(required() + text("type", "other")), ElementsAre("part_type_unknown"));
  EXPECT_THAT(
      codes(required() + text("type", "deepscanline") + attribute("version", "int", raw(2)), kDeep),
      ElementsAre("deep_version_unknown"));
}

TEST(Rules, SeveralParts) {
  EXPECT_THAT(codes(part("a") + '\0' + part("a"), kMultipart), ElementsAre("part_name_duplicate"));
  EXPECT_THAT(codes(part("a") + '\0' + part(""), kMultipart), ElementsAre("part_name_empty"));
  const std::string chunks = attribute("chunkCount", "int", raw(0));
  EXPECT_THAT(
      codes(required() + text("name", "a") + text("type", "scanlineimage") + chunks, kMultipart),
      ElementsAre("chunk_count_invalid"));
  const auto shared = [](const std::string& one, const std::string& other) {
    return codes(part("a", one) + '\0' + part("b", other), kMultipart);
  };
  const std::string time = attribute("timeCode", "timecode", raw(1, 0));
  EXPECT_THAT(shared(time, attribute("timeCode", "timecode", raw(2, 0))),
              ElementsAre("shared_attribute_differs"));
  EXPECT_THAT(shared(time, time), IsEmpty());
  EXPECT_THAT(shared(time, ""), IsEmpty());
}

TEST(Rules, AHostileFileHasBoundedFindings) {
  std::string channels;
  for (int i = 0; i < 16'000; ++i) channels += channel("c", 9, -1, 7);
  const Findings findings =
      findings_of(required("channels", attribute("channels", "chlist", channels + '\0')));
  EXPECT_EQ(findings.size(), 1001U);
  EXPECT_EQ(findings.back().code, "too_many_findings");
  const Findings one = findings_of(required(
      "channels", attribute("channels", "chlist", channel(std::string(1 << 20, 'x')) + '\0')));
  ASSERT_EQ(one.size(), 1U);
  EXPECT_LT(one[0].message.size(), 300U);
}

}  // namespace
}  // namespace reel::exr

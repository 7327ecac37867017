#include "exr/colour.h"

#include <cmath>

#include <gtest/gtest.h>

#include "exr/test_headers.h"

namespace reel::exr {
namespace {

using testing::PartBuilder;

const Chromaticities& primaries(std::string_view name) {
  for (const KnownPrimaries& each : all_known_primaries()) {
    if (each.name == name) return each.chromaticities;
  }
  ADD_FAILURE() << name;
  return all_known_primaries().front().chromaticities;
}

std::vector<float> coordinates(const Chromaticities& of) {
  return {of.red.of[0],  of.red.of[1],  of.green.of[0], of.green.of[1],
          of.blue.of[0], of.blue.of[1], of.white.of[0], of.white.of[1]};
}

TEST(ColourTest, WithoutAClaimItIsUnknown) {
  const PartColour colour = colour_of(PartBuilder().build());
  EXPECT_TRUE(colour.claims.empty());
  EXPECT_EQ(colour.space + colour.primaries + colour.transfer, "");
  EXPECT_TRUE(colour.conflicts.empty());
}

TEST(ColourTest, TheInteropIdComesFirst) {
  const PartColour colour = colour_of(PartBuilder()
                                          .set("oiio:ColorSpace", "ACEScg")
                                          .set("chromaticities", primaries("ap1"))
                                          .set("colorInteropID", "lin_ap1_scene")
                                          .build());
  EXPECT_EQ(colour.space, "lin_ap1_scene");
  EXPECT_EQ(colour.primaries, "ap1");
  EXPECT_EQ(colour.transfer, "lin");
  ASSERT_EQ(colour.claims.size(), 3U);
  EXPECT_EQ(colour_source_name(colour.claims[0].source), "color_interop_id");
  EXPECT_EQ(colour_source_name(colour.claims[1].source), "chromaticities");
  EXPECT_EQ(colour_source_name(colour.claims[2].source), "vendor");
  EXPECT_TRUE(colour.conflicts.empty());
}

TEST(ColourTest, ChromaticitiesSayPrimariesOnly) {
  const PartColour colour =
      colour_of(PartBuilder().set("chromaticities", primaries("rec709")).build());
  EXPECT_EQ(colour.primaries, "rec709");
  EXPECT_EQ(colour.space, "");
  EXPECT_EQ(colour.transfer, "");
  EXPECT_EQ(colour.claims.at(0).stated,
            "red 0.64 0.33, green 0.3 0.6, blue 0.15 0.06, white 0.3127 0.329");
}

TEST(ColourTest, TheFlagOfAcesContainersIsAp0) {
  EXPECT_EQ(colour_of(PartBuilder().set("acesImageContainerFlag", std::int32_t{1}).build()).space,
            "lin_ap0_scene");
  EXPECT_TRUE(colour_of(PartBuilder().set("acesImageContainerFlag", std::int32_t{0}).build())
                  .claims.empty());
}

TEST(ColourTest, ConflictsAreNamed) {
  const PartColour colour = colour_of(PartBuilder()
                                          .set("acesImageContainerFlag", std::int32_t{1})
                                          .set("chromaticities", primaries("rec709"))
                                          .set("colorspace", "sRGB - Texture")
                                          .build());
  EXPECT_EQ(colour.space, "lin_ap0_scene");
  ASSERT_EQ(colour.conflicts.size(), 2U);
  EXPECT_EQ(colour.conflicts[0],
            "chromaticities says primaries rec709 ('red 0.64 0.33, green 0.3 0.6, blue 0.15 0.06, "
            "white 0.3127 0.329'), an earlier claim ap0");
  EXPECT_EQ(colour.conflicts[1],
            "colorspace says primaries rec709 ('sRGB - Texture'), an earlier claim ap0");
  const PartColour state = colour_of(PartBuilder()
                                         .set("colorInteropID", "srgb_rec709_display")
                                         .set("colorSpace", "srgb_rec709_scene")
                                         .build());
  ASSERT_EQ(state.conflicts.size(), 1U);
  EXPECT_EQ(state.conflicts[0],
            "colorSpace says space srgb_rec709_scene ('srgb_rec709_scene'), an earlier claim "
            "srgb_rec709_display");
}

TEST(ColourTest, WhatIsNotKnownStaysAClaimWithoutMeaning) {
  for (const char* text : {"studio:lin_ap1_scene", "lin_nothing_scene", "log_ap1_scene", "Linear",
                           "lin_ap1", "lin_ap1_moon", "_", "__", "scene_linear"}) {
    const PartColour colour = colour_of(PartBuilder().set("colorInteropID", text).build());
    ASSERT_EQ(colour.claims.size(), 1U);
    EXPECT_EQ(colour.claims[0].stated, text);
    EXPECT_EQ(colour.space + colour.primaries + colour.transfer, "") << text;
  }
  EXPECT_TRUE(colour_of(PartBuilder().set("colorInteropID", "unknown").build()).claims.empty());
  EXPECT_EQ(colour_of(PartBuilder().set("colorInteropID", "data").build()).space, "data");
}

TEST(ColourTest, WrongTypesAndHugeTextsAreHarmless) {
  PartBuilder part;
  part.set("colorInteropID", std::int32_t{7}).set("acesImageContainerFlag", "1");
  part.set("chromaticities", 1.0F).set_raw("colorspace", "string", std::string(5'000'000, 'x'));
  const PartColour colour = colour_of(part.build());
  ASSERT_EQ(colour.claims.size(), 1U);
  EXPECT_EQ(colour.claims[0].stated.size(), 256U);
}

TEST(ColourTest, KnownPrimariesAreFarApart) {
  const auto& known = all_known_primaries();
  for (std::size_t i = 0; i < known.size(); ++i) {
    EXPECT_EQ(known_primaries(known[i].chromaticities), known[i].name);
    for (std::size_t j = 0; j < i; ++j) {
      const auto a = coordinates(known[i].chromaticities);
      const auto b = coordinates(known[j].chromaticities);
      float apart = 0;
      for (std::size_t c = 0; c < a.size(); ++c) apart = std::max(apart, std::abs(a[c] - b[c]));
      EXPECT_GT(apart, 2 * kChromaticityTolerance) << known[i].name << " and " << known[j].name;
    }
  }
}

TEST(ColourTest, ValuesThatDriftedAreStillKnown) {
  Chromaticities drifted = primaries("ap1");
  drifted.white.of = {0.3216F, 0.3377F};
  drifted.red.of[0] += 0.0009F;
  EXPECT_EQ(known_primaries(drifted), "ap1");
  drifted.red.of[0] += 0.0002F;
  EXPECT_EQ(known_primaries(drifted), "");
  drifted.red.of[0] = std::nanf("");
  EXPECT_EQ(known_primaries(drifted), "");
}

}  // namespace
}  // namespace reel::exr

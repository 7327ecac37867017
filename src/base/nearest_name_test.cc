#include "base/nearest_name.h"

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(NearestNameTest, FindsWhatWasMeant) {
  const std::vector<std::string_view> names = {"flows", "Frame_Width", "frame_rate", "id"};
  EXPECT_EQ(nearest_hint("flow", names), " (the nearest is 'flows')");
  EXPECT_EQ(nearest_hint("frame_with", names), " (the nearest is 'Frame_Width')");
  EXPECT_EQ(nearest_hint("FRAME_WIDTH", names), " (the nearest is 'Frame_Width')");
  EXPECT_EQ(nearest_hint("sources", names), "");
  EXPECT_EQ(nearest_hint("", names), "");
  EXPECT_EQ(nearest_hint("xy", names), "");
  EXPECT_EQ(nearest_hint("ix", names), " (the nearest is 'id')");
  EXPECT_EQ(nearest_name("frames", {}), nullptr);
}

TEST(NearestNameTest, NothingIsNearAVeryLongName) {
  const std::string name(kNameShownMax, 'a');
  const std::string longer = name + "a";
  EXPECT_NE(nearest_name(name, {name}), nullptr);
  EXPECT_EQ(nearest_name(longer, {longer}), nullptr);
}

}  // namespace
}  // namespace reel

#include "exr/layers.h"

#include <gtest/gtest.h>

#include "exr/test_headers.h"

namespace reel::exr {
namespace {

using testing::channels;
using testing::make_header;
using testing::PartBuilder;

//! "view|layer|component" of each channel.
std::vector<std::string> places_of(const Header& header) {
  std::vector<std::string> texts;
  for (const ChannelPlace& each : place_channels(header)) {
    texts.push_back(fmt::format("{}|{}|{}", each.view, each.layer, each.component));
  }
  return texts;
}

Header one_part(const std::vector<std::string>& names,
                const std::vector<std::string_view>& views = {}) {
  PartBuilder part;
  part.set("channels", channels(names));
  if (!views.empty()) part.set("multiView", views);
  return make_header(part);
}

Part named(std::string_view name, const std::vector<std::string>& names,
           std::string_view view = {}) {
  PartBuilder part;
  part.set("channels", channels(names)).set("name", name);
  if (!view.empty()) part.set("view", view);
  return part.build();
}

using Texts = std::vector<std::string>;

TEST(LayersTest, NamesArePartedAtPeriods) {
  EXPECT_EQ(places_of(one_part({"A", "Depth.Z", "light1.specular.R"})),
            (Texts{"||A", "|Depth|Z", "|light1.specular|R"}));
  EXPECT_EQ(places_of(one_part({".", "..R", "R."})), (Texts{"||", "|.|R", "|R|"}));
}

TEST(LayersTest, TheDefaultViewHasNoPrefix) {
  EXPECT_EQ(
      places_of(one_part({"R", "right.R", "left.G", "diffuse.right.R", "diffuse.R", "right"},
                         {"left", "right"})),
      (Texts{"left||R", "right||R", "left||G", "right|diffuse|R", "|diffuse|R", "left||right"}));
  EXPECT_EQ(places_of(one_part({"forward.left.u", "left.forward.u"}, {"left", "right"})),
            (Texts{"left|forward|u", "|left.forward|u"}));
}

TEST(LayersTest, AnEmptyListOfViewsIsNone) {
  PartBuilder part;
  part.set("channels", channels({"R", "right.R"}));
  part.set("multiView", std::vector<std::string_view>{});
  EXPECT_EQ(places_of(make_header(part)), (Texts{"||R", "|right|R"}));
}

TEST(LayersTest, AViewOfThePartHoldsForItsChannels) {
  EXPECT_EQ(
      places_of(make_header({named("rgba_left", {"R"}, "left"), named("depth_left", {"Z"}, "left"),
                             named("rgba_right", {"R", "forward.u"}, "right")})),
      (Texts{"left||R", "left||Z", "right||R", "right|forward|u"}));
}

TEST(LayersTest, PartsNameTheLayersOfChannelsThatTheyShare) {
  EXPECT_EQ(places_of(make_header({named("rgba", {"A", "R"}), named("diffuse", {"R"}),
                                   named("depth", {"Z", "extra.R"})})),
            (Texts{"|rgba|A", "|rgba|R", "|diffuse|R", "||Z", "|extra|R"}));
}

TEST(LayersTest, APartWithoutChannelsHasNone) {
  EXPECT_TRUE(place_channels(make_header(PartBuilder().erase("channels"))).empty());
  EXPECT_TRUE(
      place_channels(make_header(PartBuilder().set_raw("channels", "chlist", "R"))).empty());
  EXPECT_TRUE(place_channels(Header{}).empty());
}

TEST(LayersTest, PlacesKeepWhatTheChannelIs) {
  PartBuilder part;
  auto list = channels({"B", "G"}, PixelType::float32);
  list[1].x_sampling = 2;
  const auto places = place_channels(make_header(part.set("channels", list)));
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(places[1].channel, 1U);
  EXPECT_EQ(places[1].name, "G");
  EXPECT_EQ(places[1].pixel_type, 2);
  EXPECT_EQ(places[1].x_sampling, 2);
}

TEST(LayersTest, TheTreeIsOverPartsAndViews) {
  const auto tree =
      layer_tree(make_header({named("main", {"R", "light1.R", "light1.specular.R"}, "left"),
                              named("more", {"light1.specular.R"}, "right")}));
  ASSERT_EQ(tree.size(), 3U);
  EXPECT_EQ(tree[0].path, "");
  EXPECT_EQ(tree[0].channels.size(), 1U);
  EXPECT_EQ(tree[1].path, "light1");
  EXPECT_EQ(tree[1].parent, 0U);
  EXPECT_EQ(tree[2].name, "specular");
  EXPECT_EQ(tree[2].parent, 1U);
  ASSERT_EQ(tree[2].channels.size(), 2U);
  EXPECT_EQ(tree[2].channels[0].view, "left");
  EXPECT_EQ(tree[2].channels[1].view, "right");
}

TEST(LayersTest, OnePartAndManyWithTheSameChannelsHaveOneTree) {
  const auto one = layer_tree(
      one_part({"R", "Z", "forward.left.u", "right.R", "forward.right.u"}, {"left", "right"}));
  const auto many = layer_tree(
      make_header({named("rgb.left", {"R"}, "left"), named("z.left", {"Z"}, "left"),
                   named("rgb.right", {"R"}, "right"), named("forward.left", {"forward.u"}, "left"),
                   named("forward.right", {"forward.u"}, "right")}));
  ASSERT_EQ(one.size(), many.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].path, many[i].path);
    EXPECT_EQ(one[i].channels.size(), many[i].channels.size());
  }
}

TEST(LayersTest, DepthIsBounded) {
  std::string name;
  for (int i = 0; i < 100'000; ++i) name += "a.";
  const auto tree = layer_tree(one_part({name + "R"}));
  ASSERT_EQ(tree.size(), kLayerDepthMax + 1U);
  EXPECT_EQ(tree.back().path.size(), name.size() - 1);
}

TEST(LayersTest, TitlesNameLayerAndView) {
  EXPECT_EQ(layer_title("Depth", ""), "Depth");
  EXPECT_EQ(layer_title("Depth", "right"), "Depth (right)");
  EXPECT_EQ(layer_title("", "left"), "the default layer (left)");
}

}  // namespace
}  // namespace reel::exr

#include "exr/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/test_bytes.h"

namespace reel::exr {
namespace {

using test::channel;
using test::raw;

Attribute of(std::string_view type, std::string_view bytes) {
  Attribute out;
  out.name = "a";
  out.type = type;
  out.bytes = bytes;
  return out;
}

template <typename T>
T value(std::string_view type, const std::string& bytes) {
  const Attribute attribute = of(type, bytes);
  const Result<Value> decoded = decode(attribute);
  if (!decoded) {
    ADD_FAILURE() << type << " " << decoded.error().message();
    return {};
  }
  EXPECT_TRUE(std::holds_alternative<T>(*decoded)) << type;
  return std::get<T>(*decoded);
}

std::string fault(std::string_view type, const std::string& bytes) {
  const Result<Value> decoded = decode(of(type, bytes));
  return decoded ? "none" : decoded.error().message();
}

TEST(Values, NumbersAndVectors) {
  EXPECT_EQ(value<std::int32_t>("int", raw(-7)), -7);
  EXPECT_EQ(value<float>("float", raw(0.1F)), 0.1F);
  EXPECT_EQ(value<double>("double", raw(0.1)), 0.1);
  EXPECT_EQ(value<V2i>("v2i", raw(1, -2)), (V2i{{1, -2}}));
  EXPECT_EQ(value<V2f>("v2f", raw(1.F, -2.F)), (V2f{{1, -2}}));
  EXPECT_EQ(value<V2d>("v2d", raw(1., -2.)), (V2d{{1, -2}}));
  EXPECT_EQ(value<V3i>("v3i", raw(1, -2, 3)), (V3i{{1, -2, 3}}));
  EXPECT_EQ(value<V3f>("v3f", raw(1.F, -2.F, 3.F)), (V3f{{1, -2, 3}}));
  EXPECT_EQ(value<V3d>("v3d", raw(1., -2., 3.)), (V3d{{1, -2, 3}}));
  EXPECT_EQ(value<Box2i>("box2i", raw(1, 2, 3, 4)), (Box2i{{{1, 2}}, {{3, 4}}}));
  EXPECT_EQ(value<Box2f>("box2f", raw(1.F, 2.F, 3.F, 4.F)), (Box2f{{{1, 2}}, {{3, 4}}}));
  EXPECT_THAT(value<std::vector<float>>("floatvector", raw(1.F, 2.F)),
              testing::ElementsAre(1.F, 2.F));
  EXPECT_TRUE(value<std::vector<float>>("floatvector", "").empty());
}

TEST(Values, Matrices) {
  std::string floats;
  std::string doubles;
  for (int i = 0; i < 16; ++i) {
    floats += raw(static_cast<float>(i));
    doubles += raw(static_cast<double>(i));
  }
  EXPECT_EQ(value<M33f>("m33f", floats.substr(0, 36)).of[8], 8);
  EXPECT_EQ(value<M44f>("m44f", floats).of[15], 15);
  EXPECT_EQ(value<M33d>("m33d", doubles.substr(0, 72)).of[8], 8);
  EXPECT_EQ(value<M44d>("m44d", doubles).of[15], 15);
}

TEST(Values, Structures) {
  EXPECT_EQ(
      value<Chromaticities>("chromaticities", raw(1.F, 2.F, 3.F, 4.F, 5.F, 6.F, 7.F, 8.F)).white,
      (V2f{{7, 8}}));
  EXPECT_EQ(value<KeyCode>("keycode", raw(1, 2, 3, 4, 5, 6, 7)).perfs_per_count, 7);
  EXPECT_EQ(value<Rational>("rational", raw(-24000, 1001)).numerator, -24000);
  const auto tiles = value<TileDescription>("tiledesc", raw(64, 32) + '\x11');
  EXPECT_EQ(tiles.y_size, 32U);
  EXPECT_EQ(tiles.mode, 0x11);
  EXPECT_EQ(value<TimeCode>("timecode", raw(0x01020304, 5)).time_and_flags, 0x01020304U);
  EXPECT_EQ(value<Enumerated>("compression", "\x0b").number, 11);
  EXPECT_EQ(value<Enumerated>("lineOrder", "\x02").number, 2);
  EXPECT_EQ(value<Enumerated>("envmap", "\x01").number, 1);
  EXPECT_EQ(value<Enumerated>("deepImageState", "\x03").number, 3);
}

TEST(Values, TextAndBytes) {
  EXPECT_EQ(value<std::string_view>("string", std::string("a\0b", 3)).size(), 3U);
  EXPECT_EQ(value<std::string_view>("string", "").size(), 0U);
  const Attribute views = of("stringvector", raw(4) + "left" + raw(0) + raw(5) + "right");
  const auto decoded = decode(views);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(std::get<std::vector<std::string_view>>(*decoded),
              testing::ElementsAre("left", "", "right"));
  const Attribute bytes = of("bytes", raw(3) + "pngdata");
  const auto typed = decode(bytes);
  ASSERT_TRUE(typed.has_value());
  EXPECT_EQ(std::get<TypedBytes>(*typed).type_hint, "png");
  EXPECT_EQ(std::get<TypedBytes>(*typed).data, "data");
  const Attribute preview = of("preview", raw(2, 1) + "rgbaRGBA");
  const auto picture = decode(preview);
  ASSERT_TRUE(picture.has_value());
  EXPECT_EQ(std::get<Preview>(*picture).rgba, "rgbaRGBA");
}

TEST(Values, UnknownTypesStayBytes) {
  const Attribute unknown = of("studio_thing", "abc");
  const auto decoded = decode(unknown);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(std::get<Opaque>(*decoded).data, "abc");
  EXPECT_FALSE(is_known_type("studio_thing"));
  EXPECT_TRUE(is_known_type("idmanifest"));
  EXPECT_TRUE(std::holds_alternative<Opaque>(*decode(of("idmanifest", "abc"))));
}

TEST(Values, Channels) {
  std::string bytes = channel("A", 2, 2, 4) + channel("Z") + '\0';
  bytes[2 + 4] = 1;  // pLinear of the first
  bytes[2 + 5] = 7;  // and its first reserved byte
  const auto channels = value<std::vector<Channel>>("chlist", bytes);
  ASSERT_EQ(channels.size(), 2U);
  EXPECT_EQ(channels[0].name, "A");
  EXPECT_EQ(channels[0].pixel_type, 2);
  EXPECT_EQ(channels[0].p_linear, 1);
  EXPECT_EQ(channels[0].reserved[0], 7);
  EXPECT_EQ(channels[0].x_sampling, 2);
  EXPECT_EQ(channels[0].y_sampling, 4);
  EXPECT_TRUE(value<std::vector<Channel>>("chlist", std::string(1, '\0')).empty());
}

TEST(Values, WrongBytesAreNamed) {
  EXPECT_EQ(fault("float", raw(1.0)), "has 8 bytes instead of 4");
  EXPECT_EQ(fault("box2i", ""), "has 0 bytes instead of 16");
  EXPECT_EQ(fault("floatvector", "abcde"), "has 5 bytes, which is no number of floats");
  EXPECT_EQ(fault("stringvector", "abc"), "ends within the length of a string");
  EXPECT_EQ(fault("stringvector", raw(-1) + "abc"),
            "has a string of 4294967295 bytes where 3 are left");
  EXPECT_EQ(fault("chlist", ""), "has a channel name without an end");
  EXPECT_EQ(fault("chlist", channel("A")), "has a channel name without an end");
  EXPECT_EQ(fault("chlist", channel("A").substr(0, 10)), "ends within channel 'A'");
  EXPECT_EQ(fault("chlist", channel("A") + '\0' + "xy"), "has 2 bytes after the end of its list");
  EXPECT_EQ(fault("preview", raw(1)), "has 4 bytes, less than a width and a height");
  EXPECT_EQ(fault("preview", raw(-1, -1)), "is 4294967295 x 4294967295 and has 0 bytes of pixels");
  // Width x height x 4 is 2^64: an overflow would make it 0.
  EXPECT_EQ(fault("preview", raw(std::uint32_t{1} << 31, std::uint32_t{1} << 31)),
            "is 2147483648 x 2147483648 and has 0 bytes of pixels");
  EXPECT_EQ(fault("bytes", raw(9) + "png"), "has a type hint of 9 bytes where 3 are left");
  EXPECT_EQ(fault("bytes", "a"), "ends within the length of its type hint");
}

TEST(Values, MoreThanAnyPictureHasIsRefused) {
  std::string channels;
  for (int i = 0; i < 16'385; ++i) channels += channel("c");
  EXPECT_EQ(decode(of("chlist", channels + '\0')).error().code(), Code::too_large);
  const std::string all(channels, channel("c").size());
  EXPECT_TRUE(decode(of("chlist", all + '\0')).has_value());
  EXPECT_EQ(decode(of("stringvector", std::string(4 * 131'073, '\0'))).error().code(),
            Code::too_large);
  EXPECT_TRUE(decode(of("stringvector", std::string(4 * 131'072, '\0'))).has_value());
}

TEST(Values, Names) {
  EXPECT_EQ(compression_name(0), "none");
  EXPECT_EQ(compression_name(9), "dwab");
  EXPECT_EQ(compression_name(10), "htj2k256");
  EXPECT_EQ(compression_name(11), "htj2k32");
  EXPECT_EQ(compression_name(12), "");
  EXPECT_EQ(line_order_name(2), "random");
  EXPECT_EQ(line_order_name(3), "");
  EXPECT_EQ(pixel_type_name(0), "uint");
  EXPECT_EQ(pixel_type_name(1), "half");
  EXPECT_EQ(pixel_type_name(2), "float");
  EXPECT_EQ(pixel_type_name(3), "");
  EXPECT_EQ(pixel_type_name(-1), "");
  EXPECT_EQ(enumerated_name("envmap", 1), "cube");
  EXPECT_EQ(enumerated_name("deepImageState", 2), "non_overlapping");
  EXPECT_EQ(enumerated_name("float", 0), "");
}

TEST(Values, ValueOfAPart) {
  Part part;
  part.attributes = {of("float", raw(2.F))};
  EXPECT_EQ(value_of<float>(part, "a"), 2.F);
  EXPECT_EQ(value_of<double>(part, "a"), std::nullopt);
  EXPECT_EQ(value_of<float>(part, "b"), std::nullopt);
}

}  // namespace
}  // namespace reel::exr

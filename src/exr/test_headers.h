#pragma once
//! For tests only: headers from names and typed values.

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "exr/header.h"
#include "exr/values.h"

namespace reel::exr::testing {

//! The bytes of a value as a file keeps them: little-endian, one after the other.
class Bytes {
 public:
  template <typename T>
    requires std::is_integral_v<T>
  Bytes& add(T value) {
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      text_.push_back(static_cast<char>(static_cast<std::uint64_t>(bits) >> (8 * i) & 0xff));
    }
    return *this;
  }
  Bytes& add(float value) { return add(std::bit_cast<std::uint32_t>(value)); }
  Bytes& add(double value) { return add(std::bit_cast<std::uint64_t>(value)); }
  Bytes& add(std::string_view text) {
    text_.append(text);
    return *this;
  }
  template <typename T, std::size_t N>
  Bytes& add(const std::array<T, N>& values) {
    for (const T value : values) add(value);
    return *this;
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

//! A channel of half samples unless said otherwise.
inline Channel channel(std::string name, PixelType type = PixelType::float16) {
  return {.name = std::move(name), .pixel_type = static_cast<std::int32_t>(type)};
}
inline std::vector<Channel> channels(const std::vector<std::string>& names,
                                     PixelType type = PixelType::float16) {
  std::vector<Channel> all;
  for (const std::string& name : names) all.push_back(channel(name, type));
  return all;
}

//! The box of `width` × `height` pixels at the origin.
inline Box2i box(std::int32_t width, std::int32_t height) {
  return {{{0, 0}}, {{width - 1, height - 1}}};
}

//! The type's name and the bytes of each kind of value.
struct Encoder {
  using Encoded = std::pair<std::string, std::string>;

  static Encoded of(std::int32_t value) { return {"int", Bytes().add(value).take()}; }
  static Encoded of(float value) { return {"float", Bytes().add(value).take()}; }
  static Encoded of(double value) { return {"double", Bytes().add(value).take()}; }
  static Encoded of(std::string_view value) { return {"string", std::string(value)}; }
  static Encoded of(const char* value) { return of(std::string_view(value)); }
  static Encoded of(const std::vector<std::string_view>& values) {
    Bytes bytes;
    for (const auto text : values) bytes.add(static_cast<std::int32_t>(text.size())).add(text);
    return {"stringvector", bytes.take()};
  }
  static Encoded of(const V2i& value) { return {"v2i", Bytes().add(value.of).take()}; }
  static Encoded of(const V2f& value) { return {"v2f", Bytes().add(value.of).take()}; }
  static Encoded of(const V3f& value) { return {"v3f", Bytes().add(value.of).take()}; }
  static Encoded of(const M44f& value) { return {"m44f", Bytes().add(value.of).take()}; }
  static Encoded of(const Box2i& value) {
    return {"box2i", Bytes().add(value.min.of).add(value.max.of).take()};
  }
  static Encoded of(const std::vector<Channel>& list) {
    Bytes bytes;
    for (const Channel& each : list) {
      bytes.add(each.name).add(std::uint8_t{0}).add(each.pixel_type).add(each.p_linear);
      bytes.add(each.reserved).add(each.x_sampling).add(each.y_sampling);
    }
    return {"chlist", bytes.add(std::uint8_t{0}).take()};
  }
  static Encoded of(const Chromaticities& value) {
    Bytes bytes;
    bytes.add(value.red.of).add(value.green.of).add(value.blue.of).add(value.white.of);
    return {"chromaticities", bytes.take()};
  }
  static Encoded of(const Rational& value) {
    return {"rational", Bytes().add(value.numerator).add(value.denominator).take()};
  }
  static Encoded of(const TileDescription& value) {
    return {"tiledesc", Bytes().add(value.x_size).add(value.y_size).add(value.mode).take()};
  }
  static Encoded of(const TimeCode& value) {
    return {"timecode", Bytes().add(value.time_and_flags).add(value.user_data).take()};
  }
};

//! A part that readers accept, 1920 × 1080 of half R, G and B in zip, to be changed:
//!   PartBuilder().compression(4).set("owner", "a name").build()
class PartBuilder {
 public:
  PartBuilder() {
    set("channels", channels({"B", "G", "R"}));
    set_raw("compression", "compression", std::string(1, '\3'));
    set("dataWindow", box(1920, 1080));
    set("displayWindow", box(1920, 1080));
    set_raw("lineOrder", "lineOrder", std::string(1, '\0'));
    set("pixelAspectRatio", 1.0F);
    set("screenWindowCenter", V2f{{0, 0}});
    set("screenWindowWidth", 1.0F);
  }

  //! Adds an attribute or replaces the one of this name.
  template <typename T>
  PartBuilder& set(std::string name, const T& value) {
    auto [type, bytes] = Encoder::of(value);
    return set_raw(std::move(name), std::move(type), std::move(bytes));
  }
  //! The same with any type and bytes.
  PartBuilder& set_raw(std::string name, std::string type, std::string bytes) {
    for (Attribute& attribute : part_.attributes) {
      if (attribute.name != name) continue;
      attribute.type = std::move(type);
      attribute.bytes = std::move(bytes);
      return *this;
    }
    part_.attributes.push_back(
        {.name = std::move(name), .type = std::move(type), .bytes = std::move(bytes)});
    return *this;
  }
  //! A compression by its number in the file.
  PartBuilder& compression(std::uint8_t number) {
    return set_raw("compression", "compression", std::string(1, static_cast<char>(number)));
  }
  PartBuilder& windows(std::int32_t width, std::int32_t height) {
    return set("dataWindow", box(width, height)).set("displayWindow", box(width, height));
  }
  PartBuilder& erase(std::string_view name) {
    std::erase_if(part_.attributes, [&](const Attribute& each) { return each.name == name; });
    return *this;
  }

  Part build() const { return part_; }

 private:
  Part part_;
};

//! A header of these parts with offsets, length and digest as a walk of its bytes finds them.
//! Several parts make a multi-part file.
inline Header make_header(std::vector<Part> parts, std::uint32_t flags = 0) {
  constexpr std::uint32_t kMultipart = 0x1000;
  Header header;
  header.version.bits = 2 | flags | (parts.size() > 1 ? kMultipart : 0);
  header.parts = std::move(parts);
  std::uint64_t offset = 8;
  for (Part& part : header.parts) {
    part.offset = offset;
    for (Attribute& attribute : part.attributes) {
      attribute.offset = offset;
      attribute.value_offset = offset + attribute.name.size() + attribute.type.size() + 2 + 4;
      offset = attribute.value_offset + attribute.bytes.size();
    }
    ++offset;
  }
  const std::string bytes = header_bytes(header);
  header.bytes = bytes.size();
  header.sha256 = sha256(bytes);
  return header;
}
inline Header make_header(const PartBuilder& part, std::uint32_t flags = 0) {
  return make_header(std::vector<Part>{part.build()}, flags);
}

}  // namespace reel::exr::testing

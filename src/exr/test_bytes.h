#pragma once
//! For tests only: the bytes of OpenEXR files, right or wrong in every way.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "exr/header.h"

namespace reel::exr::test {

template <typename... T>
std::string raw(const T&... values) {
  std::string out;
  (out.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  return out;
}

inline std::string attribute(std::string_view name, std::string_view type, std::string_view value) {
  std::string out(name);
  out.push_back('\0');
  out.append(type).push_back('\0');
  return out + raw(static_cast<std::uint32_t>(value.size())) + std::string(value);
}

inline std::string channel(std::string_view name, std::int32_t pixel_type = 1, std::int32_t x = 1,
                           std::int32_t y = 1) {
  std::string out(name);
  out.push_back('\0');
  return out + raw(pixel_type, std::uint32_t{0}, x, y);
}

inline std::string box(std::int32_t left, std::int32_t top, std::int32_t right,
                       std::int32_t bottom) {
  return raw(left, top, right, bottom);
}

//! What every part needs, with a value instead of its own for one of them ("" : without it).
inline std::string required(std::string_view instead_of = {}, std::string_view with = {}) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view type, const std::string& value) {
    if (name != instead_of) {
      out += attribute(name, type, value);
    } else {
      out += with;
    }
  };
  add("channels", "chlist", channel("B") + channel("G") + channel("R") + '\0');
  add("compression", "compression", std::string(1, '\0'));
  add("dataWindow", "box2i", box(0, 0, 3, 1));
  add("displayWindow", "box2i", box(0, 0, 3, 1));
  add("lineOrder", "lineOrder", std::string(1, '\0'));
  add("pixelAspectRatio", "float", raw(1.0F));
  add("screenWindowCenter", "v2f", raw(0.0F, 0.0F));
  add("screenWindowWidth", "float", raw(1.0F));
  return out;
}

//! The header of a single part, or of several: `parts` ends each part but the last itself.
inline std::string header(std::string_view parts, std::uint32_t flags = 0) {
  std::string out("\x76\x2f\x31\x01", 4);
  out += raw(std::uint32_t{2} | flags) + std::string(parts) + '\0';
  if ((flags & 0x1000) != 0) out += '\0';
  return out;
}

//! A whole file of 4 x 2 pixels: a header, its table of chunks, and one chunk for each line.
inline std::string file(std::string_view attributes = required()) {
  std::string out = header(attributes);
  const std::string pixels(std::size_t{4} * 3 * 2, 'x');
  const std::size_t chunk_bytes = 8 + pixels.size();
  const std::size_t first = out.size() + 16;
  out += raw(std::uint64_t{first}, std::uint64_t{first + chunk_bytes});
  for (std::int32_t line = 0; line < 2; ++line) {
    out += raw(line, static_cast<std::int32_t>(pixels.size())) + pixels;
  }
  return out;
}

}  // namespace reel::exr::test

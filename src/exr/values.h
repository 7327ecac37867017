#pragma once
//! What the bytes of an attribute mean, by its type.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "exr/header.h"

namespace reel::exr {

template <typename T, std::size_t N>
struct Vector {
  std::array<T, N> of = {};
  friend bool operator==(const Vector&, const Vector&) = default;
};
using V2i = Vector<std::int32_t, 2>;
using V2f = Vector<float, 2>;
using V2d = Vector<double, 2>;
using V3i = Vector<std::int32_t, 3>;
using V3f = Vector<float, 3>;
using V3d = Vector<double, 3>;
template <typename T, std::size_t N>
struct Matrix {  //!< row by row
  std::array<T, N * N> of = {};
  friend bool operator==(const Matrix&, const Matrix&) = default;
};
using M33f = Matrix<float, 3>;
using M33d = Matrix<double, 3>;
using M44f = Matrix<float, 4>;
using M44d = Matrix<double, 4>;

//! Corners that both belong to the box: a box of one pixel has equal corners.
template <typename T>
struct Box2 {
  Vector<T, 2> min;
  Vector<T, 2> max;
  friend bool operator==(const Box2&, const Box2&) = default;
};
using Box2i = Box2<std::int32_t>;
using Box2f = Box2<float>;

enum class PixelType : std::int32_t { uint32 = 0, float16 = 1, float32 = 2 };

struct Channel {
  std::string name;
  std::int32_t pixel_type = 0;  //!< a PixelType, or a number that is none
  std::uint8_t p_linear = 0;
  std::array<std::uint8_t, 3> reserved = {};
  std::int32_t x_sampling = 1;
  std::int32_t y_sampling = 1;
};

struct Chromaticities {
  V2f red, green, blue, white;
};
struct KeyCode {
  std::int32_t film_manufacturer, film_type, prefix, count, perf_offset, perfs_per_frame,
      perfs_per_count;
};
struct Rational {
  std::int32_t numerator;
  std::uint32_t denominator;
};
struct TileDescription {
  std::uint32_t x_size, y_size;
  std::uint8_t mode;  //!< low 4 bits: 0 one level, 1 mipmap, 2 ripmap; high 4: 0 down, 1 up
};
//! SMPTE 12M as two words, BCD with flags.
struct TimeCode {
  std::uint32_t time_and_flags, user_data;
};
struct Preview {
  std::uint32_t width, height;
  std::string_view rgba;  //!< width × height × 4 bytes, in the attribute's bytes
};
//! One byte that stands for a name: compression, lineOrder, envmap, deepImageState.
struct Enumerated {
  std::uint8_t number;
};
//! `bytes`: a hint at the type of what is inside, and the bytes.
struct TypedBytes {
  std::string_view type_hint;
  std::string_view data;
};
//! A type that we do not know, or one that is kept as bytes (idmanifest).
struct Opaque {
  std::string_view data;
};

using Value =
    std::variant<Opaque, std::int32_t, float, double, std::string_view,
                 std::vector<std::string_view>, std::vector<float>, V2i, V2f, V2d, V3i, V3f, V3d,
                 M33f, M33d, M44f, M44d, Box2i, Box2f, std::vector<Channel>, Chromaticities,
                 KeyCode, Rational, TileDescription, TimeCode, Preview, Enumerated, TypedBytes>;

//! The value of an attribute; views point into the attribute. Code::corrupt says what is wrong
//! with its bytes ("has 8 bytes instead of 4"), Code::too_large that it has more channels or
//! strings than any picture; unknown types are Opaque, no error. What is taken is exactly what
//! stands there: no two values of bytes decode to the same value.
Result<Value> decode(const Attribute& attribute);

//! A type of OpenEXR 3.
bool is_known_type(std::string_view type);

//! "half", "float", "uint"; empty: no such type.
std::string_view pixel_type_name(std::int32_t pixel_type);
//! "none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab", "htj2k256",
//! "htj2k32"; empty: unknown.
std::string_view compression_name(std::uint8_t compression);
//! "increasing", "decreasing", "random"; empty: unknown.
std::string_view line_order_name(std::uint8_t line_order);
//! Of an Enumerated of this type: those two, "latlong" and "cube" (envmap), "messy", "sorted",
//! "non_overlapping" and "tidy" (deepImageState); empty: unknown.
std::string_view enumerated_name(std::string_view type, std::uint8_t number);

struct PartKind {
  bool tiled = false;
  bool deep = false;
};

//! The part's attribute of this name if it is there and decodes to a T; else null.
template <typename T>
std::optional<T> value_of(const Part& part, std::string_view name) {
  const Attribute* attribute = part.find(name);
  if (attribute == nullptr) return std::nullopt;
  Result<Value> value = decode(*attribute);
  if (!value) return std::nullopt;
  T* held = std::get_if<T>(&*value);
  return held == nullptr ? std::nullopt : std::optional<T>(std::move(*held));
}

//! How the part's pixels are stored: by the flags if the file has one part that is not deep, else
//! by its `type`; nothing: it has no type that we know.
std::optional<PartKind> part_kind(const VersionWord& version, const Part& part);

}  // namespace reel::exr

#include "exr/values.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace reel::exr {
namespace {

static_assert(std::endian::native == std::endian::little, "the format's order is the machine's");

// More is no picture, only a way to use memory: an entry of the file is smaller than a Channel or
// a view of it.
constexpr std::size_t kChannelsMax = 16'384;
constexpr std::size_t kStringsMax = 131'072;
constexpr std::size_t kChannelFixedBytes = 16;  // after the name

constexpr std::string_view kCompressions[] = {"none", "rle",   "zips",     "zip",
                                              "piz",  "pxr24", "b44",      "b44a",
                                              "dwaa", "dwab",  "htj2k256", "htj2k32"};
constexpr std::string_view kLineOrders[] = {"increasing", "decreasing", "random"};
constexpr std::string_view kEnvironmentMaps[] = {"latlong", "cube"};
constexpr std::string_view kDeepImageStates[] = {"messy", "sorted", "non_overlapping", "tidy"};
constexpr std::string_view kPixelTypes[] = {"uint", "half", "float"};

template <std::size_t N>
std::string_view name_in(const std::string_view (&names)[N], std::size_t number) {
  return number < N ? names[number] : std::string_view();
}

//! Takes values off the front of bytes that are known to be enough.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  void read(T& out) {
    static_assert(std::is_arithmetic_v<T>);
    std::memcpy(&out, take(sizeof out).data(), sizeof out);
  }
  template <typename T, std::size_t N>
  void read(std::array<T, N>& out) {
    for (T& each : out) read(each);
  }
  template <typename T, std::size_t N>
  void read(Vector<T, N>& out) {
    read(out.of);
  }
  template <typename T, std::size_t N>
  void read(Matrix<T, N>& out) {
    read(out.of);
  }
  template <typename T>
  void read(Box2<T>& out) {
    all(out.min, out.max);
  }
  void read(Chromaticities& out) { all(out.red, out.green, out.blue, out.white); }
  void read(KeyCode& out) {
    all(out.film_manufacturer, out.film_type, out.prefix, out.count, out.perf_offset,
        out.perfs_per_frame, out.perfs_per_count);
  }
  void read(Rational& out) { all(out.numerator, out.denominator); }
  void read(TileDescription& out) { all(out.x_size, out.y_size, out.mode); }
  void read(TimeCode& out) { all(out.time_and_flags, out.user_data); }
  void read(Enumerated& out) { read(out.number); }

  std::string_view take(std::size_t size) {
    REEL_CHECK(size <= rest_.size());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest() const { return rest_; }

 private:
  template <typename... T>
  void all(T&... each) {
    (read(each), ...);
  }

  std::string_view rest_;
};

//! A value that always has `Bytes` bytes.
template <typename T, std::size_t Bytes>
Result<Value> fixed(std::string_view bytes) {
  if (bytes.size() != Bytes) return corrupt("has {} bytes instead of {}", bytes.size(), Bytes);
  T value{};
  Reader(bytes).read(value);
  return Value(value);
}

Result<Value> whole_text(std::string_view bytes) { return Value(bytes); }
Result<Value> opaque(std::string_view bytes) { return Value(Opaque{bytes}); }

Result<Value> floats(std::string_view bytes) {
  if (bytes.size() % sizeof(float) != 0) {
    return corrupt("has {} bytes, which is no number of floats", bytes.size());
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return Value(std::move(values));
}

//! The next entry of a `stringvector`: its length, its bytes.
Result<std::string_view> next_string(Reader& reader) {
  std::uint32_t size = 0;
  if (reader.rest().size() < sizeof size) return corrupt("ends within the length of a string");
  reader.read(size);
  if (size > reader.rest().size()) {
    return corrupt("has a string of {} bytes where {} are left", size, reader.rest().size());
  }
  return reader.take(size);
}

Result<Value> strings(std::string_view bytes) {
  std::size_t count = 0;
  for (Reader reader(bytes); !reader.rest().empty(); ++count) REEL_TRY(next_string(reader));
  if (count > kStringsMax) return too_large("has {} strings, the limit is {}", count, kStringsMax);
  std::vector<std::string_view> values;
  values.reserve(count);
  for (Reader reader(bytes); !reader.rest().empty();) values.push_back(*next_string(reader));
  return Value(std::move(values));
}

//! The next entry of a `chlist`; its name is empty at the list's end.
Result<std::string_view> next_channel(Reader& reader, Channel* out) {
  const std::size_t end = reader.rest().find('\0');
  if (end == std::string_view::npos) return corrupt("has a channel name without an end");
  const std::string_view name = reader.take(end + 1).substr(0, end);
  if (name.empty()) return name;
  if (reader.rest().size() < kChannelFixedBytes)
    return corrupt("ends within channel '{}'", name.substr(0, 80));
  if (out == nullptr) {
    reader.take(kChannelFixedBytes);
    return name;
  }
  out->name = name;
  reader.read(out->pixel_type);
  reader.read(out->p_linear);
  reader.read(out->reserved);
  reader.read(out->x_sampling);
  reader.read(out->y_sampling);
  return name;
}

Result<Value> channels(std::string_view bytes) {
  std::size_t count = 0;
  Reader reader(bytes);
  for (;; ++count) {
    REEL_ASSIGN(const std::string_view name, next_channel(reader, nullptr));
    if (name.empty()) break;
  }
  if (!reader.rest().empty()) {
    return corrupt("has {} bytes after the end of its list", reader.rest().size());
  }
  if (count > kChannelsMax) {
    return too_large("has {} channels, the limit is {}", count, kChannelsMax);
  }
  std::vector<Channel> values(count);
  reader = Reader(bytes);
  for (Channel& each : values) REEL_TRY(next_channel(reader, &each));
  return Value(std::move(values));
}

Result<Value> preview(std::string_view bytes) {
  if (bytes.size() < 8)
    return corrupt("has {} bytes, less than a width and a height", bytes.size());
  Preview value{};
  Reader reader(bytes);
  reader.read(value.width);
  reader.read(value.height);
  value.rgba = reader.rest();
  const std::uint64_t pixels = std::uint64_t{value.width} * value.height;
  // Not pixels * 4, which may overflow.
  if (value.rgba.size() % 4 != 0 || value.rgba.size() / 4 != pixels) {
    return corrupt("is {} x {} and has {} bytes of pixels", value.width, value.height,
                   value.rgba.size());
  }
  return Value(value);
}

Result<Value> typed_bytes(std::string_view bytes) {
  std::uint32_t hint_size = 0;
  if (bytes.size() < sizeof hint_size) return corrupt("ends within the length of its type hint");
  Reader reader(bytes);
  reader.read(hint_size);
  if (hint_size > reader.rest().size()) {
    return corrupt("has a type hint of {} bytes where {} are left", hint_size,
                   reader.rest().size());
  }
  const std::string_view hint = reader.take(hint_size);
  return Value(TypedBytes{.type_hint = hint, .data = reader.rest()});
}

struct Decoder {
  std::string_view type;
  Result<Value> (*decode)(std::string_view bytes);
};

//! Those that every file has come first.
constexpr Decoder kDecoders[] = {
    {"box2i", fixed<Box2i, 16>},
    {"float", fixed<float, 4>},
    {"string", whole_text},
    {"v2f", fixed<V2f, 8>},
    {"chlist", channels},
    {"compression", fixed<Enumerated, 1>},
    {"lineOrder", fixed<Enumerated, 1>},
    {"int", fixed<std::int32_t, 4>},
    {"tiledesc", fixed<TileDescription, 9>},
    {"box2f", fixed<Box2f, 16>},
    {"bytes", typed_bytes},
    {"chromaticities", fixed<Chromaticities, 32>},
    {"deepImageState", fixed<Enumerated, 1>},
    {"double", fixed<double, 8>},
    {"envmap", fixed<Enumerated, 1>},
    {"floatvector", floats},
    {"idmanifest", opaque},
    {"keycode", fixed<KeyCode, 28>},
    {"m33d", fixed<M33d, 72>},
    {"m33f", fixed<M33f, 36>},
    {"m44d", fixed<M44d, 128>},
    {"m44f", fixed<M44f, 64>},
    {"preview", preview},
    {"rational", fixed<Rational, 8>},
    {"stringvector", strings},
    {"timecode", fixed<TimeCode, 8>},
    {"v2d", fixed<V2d, 16>},
    {"v2i", fixed<V2i, 8>},
    {"v3d", fixed<V3d, 24>},
    {"v3f", fixed<V3f, 12>},
    {"v3i", fixed<V3i, 12>},
};

const Decoder* decoder_of(std::string_view type) {
  const auto* const found = std::find_if(std::begin(kDecoders), std::end(kDecoders),
                                         [&](const Decoder& each) { return each.type == type; });
  return found == std::end(kDecoders) ? nullptr : found;
}

}  // namespace

Result<Value> decode(const Attribute& attribute) {
  const Decoder* decoder = decoder_of(attribute.type);
  return decoder == nullptr ? opaque(attribute.bytes) : decoder->decode(attribute.bytes);
}

bool is_known_type(std::string_view type) { return decoder_of(type) != nullptr; }

std::string_view pixel_type_name(std::int32_t pixel_type) {
  return pixel_type < 0 ? std::string_view()
                        : name_in(kPixelTypes, static_cast<std::size_t>(pixel_type));
}
std::string_view compression_name(std::uint8_t compression) {
  return name_in(kCompressions, compression);
}
std::string_view line_order_name(std::uint8_t line_order) {
  return name_in(kLineOrders, line_order);
}

std::string_view enumerated_name(std::string_view type, std::uint8_t number) {
  if (type == "compression") return compression_name(number);
  if (type == "lineOrder") return line_order_name(number);
  if (type == "envmap") return name_in(kEnvironmentMaps, number);
  if (type == "deepImageState") return name_in(kDeepImageStates, number);
  return {};
}

std::optional<PartKind> part_kind(const VersionWord& version, const Part& part) {
  if (!version.multipart() && !version.deep()) return PartKind{.tiled = version.tiled()};
  const auto type = value_of<std::string_view>(part, "type");
  if (type == "scanlineimage") return PartKind{};
  if (type == "tiledimage") return PartKind{.tiled = true};
  if (type == "deepscanline") return PartKind{.deep = true};
  if (type == "deeptile") return PartKind{.tiled = true, .deep = true};
  return std::nullopt;
}

}  // namespace reel::exr

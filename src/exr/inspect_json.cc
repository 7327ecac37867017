#include "exr/inspect_json.h"

#include <bit>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

#include "base/percent.h"

namespace reel::exr {
namespace {

std::string base64url(std::string_view bytes) {
  return to_base64url({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

void write_base64(json::Writer& writer, std::string_view key, std::string_view bytes) {
  writer.begin_object();
  writer.field(key, base64url(bytes));
  writer.end_object();
}

//! The shortest text that reads back as the same number of this type. What JSON has no number for
//! is {"float", "bits"}: its name, and its bits as a hexadecimal number.
template <typename Float>
void write_float(json::Writer& writer, Float value) {
  if (std::isfinite(value) && !(value == 0 && std::signbit(value))) {
    char text[32];
    // Without an exponent a large one would look like an integer that readers cannot hold.
    constexpr Float kIntegerLimit = 9007199254740992;  // 2^53
    const auto [end, error] =
        std::fabs(value) < kIntegerLimit
            ? std::to_chars(std::begin(text), std::end(text), value)
            : std::to_chars(std::begin(text), std::end(text), value, std::chars_format::scientific);
    REEL_CHECK(error == std::errc());
    return writer.raw(std::string_view(std::begin(text), end));
  }
  using Bits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
  const auto bits = std::bit_cast<Bits>(value);
  const char* name = std::isnan(value) ? "nan" : std::isinf(value) ? "inf" : "0";
  writer.begin_object();
  writer.field("float", fmt::format("{}{}", std::signbit(value) ? "-" : "", name));
  writer.field("bits", fmt::format("{:0{}x}", bits, sizeof bits * 2));
  writer.end_object();
}

//! A number that stands for a name; without one, the number.
void write_named(json::Writer& writer, std::string_view name, std::int64_t number) {
  if (name.empty()) {
    writer.integer(number);
  } else {
    writer.string(name);
  }
}

constexpr std::string_view kLevelModes[] = {"one", "mipmap", "ripmap"};
constexpr std::string_view kRoundingModes[] = {"down", "up"};

std::string_view level_mode_name(unsigned mode) {
  return mode < std::size(kLevelModes) ? kLevelModes[mode] : std::string_view();
}
std::string_view rounding_mode_name(unsigned mode) {
  return mode < std::size(kRoundingModes) ? kRoundingModes[mode] : std::string_view();
}

struct ValueWriter {
  json::Writer& writer;
  std::string_view type;

  void operator()(const Opaque& value) const { write_base64(writer, "base64url", value.data); }
  void operator()(std::int32_t value) const { writer.integer(value); }
  void operator()(std::uint32_t value) const { writer.integer(value); }
  void operator()(float value) const { write_float(writer, value); }
  void operator()(double value) const { write_float(writer, value); }
  void operator()(std::string_view value) const { write_text(writer, value); }
  template <typename T>
  void operator()(const std::vector<T>& values) const {
    write_all(values);
  }
  template <typename T, std::size_t N>
  void operator()(const Vector<T, N>& value) const {
    write_all(value.of);
  }
  template <typename T, std::size_t N>
  void operator()(const Matrix<T, N>& value) const {
    write_all(value.of);
  }
  template <typename T>
  void operator()(const Box2<T>& value) const {
    writer.begin_object();
    member("min", value.min);
    member("max", value.max);
    writer.end_object();
  }
  void operator()(const Channel& value) const {
    writer.begin_object();
    member("name", std::string_view(value.name));
    writer.key("pixel_type");
    write_named(writer, pixel_type_name(value.pixel_type), value.pixel_type);
    writer.field("p_linear", int{value.p_linear});
    if (value.reserved != std::array<std::uint8_t, 3>{}) {
      writer.field("reserved", to_hex(value.reserved));
    }
    member("x_sampling", value.x_sampling);
    member("y_sampling", value.y_sampling);
    writer.end_object();
  }
  void operator()(const Chromaticities& value) const {
    writer.begin_object();
    member("red", value.red);
    member("green", value.green);
    member("blue", value.blue);
    member("white", value.white);
    writer.end_object();
  }
  void operator()(const KeyCode& value) const {
    writer.begin_object();
    member("film_manufacturer", value.film_manufacturer);
    member("film_type", value.film_type);
    member("prefix", value.prefix);
    member("count", value.count);
    member("perf_offset", value.perf_offset);
    member("perfs_per_frame", value.perfs_per_frame);
    member("perfs_per_count", value.perfs_per_count);
    writer.end_object();
  }
  void operator()(const Rational& value) const {
    writer.begin_object();
    member("numerator", value.numerator);
    member("denominator", value.denominator);
    writer.end_object();
  }
  void operator()(const TileDescription& value) const {
    writer.begin_object();
    member("x_size", value.x_size);
    member("y_size", value.y_size);
    writer.key("level_mode");
    write_named(writer, level_mode_name(value.mode & 0xf), value.mode & 0xf);
    writer.key("rounding_mode");
    write_named(writer, rounding_mode_name(value.mode >> 4), value.mode >> 4);
    writer.end_object();
  }
  void operator()(const TimeCode& value) const {
    writer.begin_object();
    member("time_and_flags", value.time_and_flags);
    member("user_data", value.user_data);
    writer.end_object();
  }
  void operator()(const Preview& value) const {
    writer.begin_object();
    member("width", value.width);
    member("height", value.height);
    writer.key("rgba");
    write_base64(writer, "base64url", value.rgba);
    writer.end_object();
  }
  void operator()(const Enumerated& value) const {
    write_named(writer, enumerated_name(type, value.number), value.number);
  }
  void operator()(const TypedBytes& value) const {
    writer.begin_object();
    member("type_hint", value.type_hint);
    writer.key("data");
    write_base64(writer, "base64url", value.data);
    writer.end_object();
  }

 private:
  template <typename T>
  void member(std::string_view name, const T& value) const {
    writer.key(name);
    (*this)(value);
  }
  template <typename Values>
  void write_all(const Values& values) const {
    writer.begin_array();
    for (const auto& each : values) (*this)(each);
    writer.end_array();
  }
};

//! One JSON line about one file.
class Line {
 public:
  explicit Line(const Inspection& inspection) : inspection_(inspection), writer_(out_) {}

  std::string text() {
    writer_.begin_object();
    text_member("path", inspection_.path);
    writer_.field("status", status_name(inspection_.status()));
    findings();
    writer_.key("file");
    file();
    list("parts", [&](std::uint32_t part) { this->part(part); });
    list("channels", [&](std::uint32_t part) { channels(part); });
    list("attributes", [&](std::uint32_t part) { attributes(part); });
    writer_.end_object();
    return std::move(out_);
  }

 private:
  const std::vector<Part>& parts() const { return inspection_.header.parts; }

  template <typename Each>
  void list(std::string_view name, const Each& each) {
    writer_.key(name);
    writer_.begin_array();
    for (std::uint32_t i = 0; i < parts().size(); ++i) each(i);
    writer_.end_array();
  }

  void text_member(std::string_view name, std::string_view text) {
    writer_.key(name);
    write_text(writer_, text);
  }

  void findings() {
    writer_.key("findings");
    writer_.begin_array();
    for (const Finding& each : inspection_.findings) write_finding(writer_, each);
    writer_.end_array();
  }

  void file() {
    const Header& header = inspection_.header;
    writer_.begin_object();
    if (inspection_.size) writer_.field("size", *inspection_.size);
    if (inspection_.modified) writer_.field("modified", inspection_.modified->to_string());
    writer_.field("version_word", std::uint64_t{header.version.bits});
    writer_.field("version", int{header.version.version()});
    writer_.field("tiled", header.version.tiled());
    writer_.field("long_names", header.version.long_names());
    writer_.field("deep", header.version.deep());
    writer_.field("multipart", header.version.multipart());
    writer_.field("header_bytes", header.bytes);
    writer_.field("header_sha256", to_hex(header.sha256));
    writer_.field("header_whole", inspection_.header_whole);
    if (inspection_.shape) writer_.field("shape_hash", to_hex(*inspection_.shape));
    if (inspection_.complete) writer_.field("complete", *inspection_.complete);
    writer_.end_object();
  }

  //! A member with the part's value of that attribute, if it has one that its type decodes.
  template <typename T>
  void known(const Part& part, std::string_view name, std::string_view key) {
    const auto value = value_of<T>(part, name);
    if (!value) return;
    writer_.key(key);
    ValueWriter{.writer = writer_, .type = part.find(name)->type}(*value);
  }

  void part(std::uint32_t index) {
    const Part& part = parts()[index];
    writer_.begin_object();
    writer_.field("part", std::uint64_t{index});
    writer_.field("offset", part.offset);
    known<std::string_view>(part, "name", "name");
    known<std::string_view>(part, "type", "type");
    known<std::string_view>(part, "view", "view");
    if (const auto kind = part_kind(inspection_.header.version, part)) {
      writer_.field("tiled", kind->tiled);
      writer_.field("deep", kind->deep);
    }
    known<Enumerated>(part, "compression", "compression");
    known<Enumerated>(part, "lineOrder", "line_order");
    known<Box2i>(part, "dataWindow", "data_window");
    known<Box2i>(part, "displayWindow", "display_window");
    known<float>(part, "pixelAspectRatio", "pixel_aspect_ratio");
    known<TileDescription>(part, "tiles", "tiles");
    if (index < inspection_.chunks.size()) chunks(inspection_.chunks[index]);
    writer_.end_object();
  }

  void chunks(const PartChunks& chunks) {
    writer_.key("chunks");
    writer_.begin_object();
    if (chunks.declared) writer_.field("declared", std::int64_t{*chunks.declared});
    if (chunks.computed) writer_.field("computed", *chunks.computed);
    writer_.field("checked", chunks.checked);
    writer_.field("unfinished", chunks.unfinished);
    writer_.field("outside", chunks.outside);
    writer_.end_object();
  }

  void channels(std::uint32_t part) {
    const auto channels = value_of<std::vector<Channel>>(parts()[part], "channels");
    if (!channels) return;
    for (const Channel& each : *channels) {
      writer_.begin_object();
      writer_.field("part", std::uint64_t{part});
      text_member("name", each.name);
      writer_.key("pixel_type");
      write_named(writer_, pixel_type_name(each.pixel_type), each.pixel_type);
      writer_.field("x_sampling", std::int64_t{each.x_sampling});
      writer_.field("y_sampling", std::int64_t{each.y_sampling});
      writer_.end_object();
    }
  }

  void attributes(std::uint32_t part) {
    for (const Attribute& each : parts()[part].attributes) {
      writer_.begin_object();
      writer_.field("part", std::uint64_t{part});
      text_member("name", each.name);
      text_member("type", each.type);
      writer_.field("size", std::uint64_t{each.bytes.size()});
      writer_.field("offset", each.offset);
      writer_.key("value");
      write_value(writer_, each);
      writer_.end_object();
    }
  }

  const Inspection& inspection_;
  std::string out_;
  json::Writer writer_;
};

}  // namespace

std::string to_json(const Inspection& inspection) { return Line(inspection).text(); }

void write_value(json::Writer& writer, const Attribute& attribute, std::size_t bytes_max) {
  if (attribute.bytes.size() > bytes_max) {
    writer.begin_object();
    writer.field("sha256", to_hex(sha256(attribute.bytes)));
    writer.field("bytes", std::uint64_t{attribute.bytes.size()});
    writer.end_object();
    return;
  }
  const Result<Value> value = decode(attribute);
  if (!value) return write_base64(writer, "malformed", attribute.bytes);
  std::visit(ValueWriter{.writer = writer, .type = attribute.type}, *value);
}

void write_channel(json::Writer& writer, const Channel& channel) {
  ValueWriter{.writer = writer, .type = {}}(channel);
}

void write_finding(json::Writer& writer, const Finding& finding) {
  writer.begin_object();
  writer.field("code", finding.code);
  writer.field("severity", severity_name(finding.severity));
  if (finding.part) writer.field("part", std::uint64_t{*finding.part});
  if (!finding.attribute.empty()) {
    writer.key("attribute");
    write_text(writer, finding.attribute);
  }
  if (finding.offset) writer.field("offset", *finding.offset);
  writer.field("message", finding.message);
  writer.end_object();
}

void write_text(json::Writer& writer, std::string_view text) {
  if (is_utf8(text)) {
    writer.string(text);
  } else {
    write_base64(writer, "base64url", text);
  }
}

}  // namespace reel::exr

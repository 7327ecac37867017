#include "exr/policy_facts.h"

#include <algorithm>
#include <set>

#include "exr/colour.h"
#include "exr/layers.h"
#include "exr/time_code.h"
#include "exr/values.h"

namespace reel::exr {
namespace {

constexpr std::string_view kAttribute = "attribute.";

std::optional<FactValue> text_or_none(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

double extent(const Box2i& window, std::size_t axis) {
  return static_cast<double>(std::int64_t{window.max.of[axis]} - window.min.of[axis] + 1);
}

bool is_inside(const Box2i& inner, const Box2i& outer) {
  return inner.min.of[0] >= outer.min.of[0] && inner.min.of[1] >= outer.min.of[1] &&
         inner.max.of[0] <= outer.max.of[0] && inner.max.of[1] <= outer.max.of[1];
}

//! Facts of windows; nothing for another name, or without the windows it needs.
std::optional<FactValue> window_fact(std::string_view name, const Part& part) {
  const auto data = value_of<Box2i>(part, "dataWindow");
  const auto display = value_of<Box2i>(part, "displayWindow");
  if (data && name == "part.data_width") return extent(*data, 0);
  if (data && name == "part.data_height") return extent(*data, 1);
  if (display && name == "part.display_width") return extent(*display, 0);
  if (display && name == "part.display_height") return extent(*display, 1);
  if (!data || !display) return std::nullopt;
  if (name == "part.windows_equal") return *data == *display;
  if (name == "part.data_inside_display") return is_inside(*data, *display);
  return std::nullopt;
}

std::optional<FactValue> colour_fact(std::string_view name, const Part& part) {
  const PartColour colour = colour_of(part);
  if (name == "part.colour_space") return text_or_none(colour.space);
  if (name == "part.primaries") return text_or_none(colour.primaries);
  if (name == "part.transfer") return text_or_none(colour.transfer);
  return static_cast<double>(colour.conflicts.size());
}

std::optional<FactValue> kind_fact(std::string_view name, const VersionWord& version,
                                   const Part& part) {
  const auto kind = part_kind(version, part);
  if (!kind) return std::nullopt;
  return name == "part.tiled" ? kind->tiled : kind->deep;
}

std::vector<std::string> channel_names(const Part& part) {
  std::vector<std::string> names;
  for (const Channel& each :
       value_of<std::vector<Channel>>(part, "channels").value_or(std::vector<Channel>())) {
    names.push_back(each.name);
  }
  return names;
}

std::vector<std::string> layer_names(const Header& header, std::uint32_t part) {
  std::set<std::string> names;
  for (const ChannelPlace& place : place_channels(header)) {
    if (place.part == part && !place.layer.empty()) names.insert(place.layer);
  }
  return {names.begin(), names.end()};
}

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

template <typename T, std::size_t N>
FactValue joined(const std::array<T, N>& numbers) {
  std::string out;
  for (const T number : numbers) out += fmt::format("{}{}", out.empty() ? "" : " ", number);
  return out;
}

//! Attributes of other types have their type as value: they can be asked for, not compared.
FactValue attribute_fact(const Attribute& attribute) {
  const auto value = decode(attribute);
  if (!value) return std::string("malformed");
  return std::visit(
      Overloaded{
          [](std::int32_t number) -> FactValue { return static_cast<double>(number); },
          [](float number) -> FactValue { return static_cast<double>(number); },
          [](double number) -> FactValue { return number; },
          [](std::string_view text) -> FactValue { return std::string(text); },
          [](const std::vector<std::string_view>& texts) -> FactValue {
            return std::vector<std::string>(texts.begin(), texts.end());
          },
          [](const Rational& rate) -> FactValue {
            return fmt::format("{}/{}", rate.numerator, rate.denominator);
          },
          [](const V2i& v) { return joined(v.of); },
          [](const V2f& v) { return joined(v.of); },
          [](const V3i& v) { return joined(v.of); },
          [](const V3f& v) { return joined(v.of); },
          [](const Box2i& box) -> FactValue {
            return fmt::format("{} {} {} {}", box.min.of[0], box.min.of[1], box.max.of[0],
                               box.max.of[1]);
          },
          [](const TimeCode& code) -> FactValue {
            const auto time = decode_time_code(code);
            return time ? time->to_string() : std::string("malformed");
          },
          [](const Chromaticities& primaries) -> FactValue {
            const auto known = known_primaries(primaries);
            return std::string(known.empty() ? "others" : known);
          },
          [&](const auto&) -> FactValue { return attribute.type; },
      },
      *value);
}

}  // namespace

const std::vector<FactName>& fact_names() {
  using enum FactScope;
  using enum FactKind;
  static const std::vector<FactName> names = {
      {"file.name", file, text, "the last piece of the path"},
      {"file.size_bytes", file, number, "how large it is"},
      {"file.complete", file, flag, "all chunks of pixels are there"},
      {"file.errors", file, number, "findings that are errors"},
      {"file.parts", file, number, "how many parts it has"},
      {"file.multipart", file, flag, "the flag of its version word"},
      {"part.name", part, text, "the attribute name"},
      {"part.view", part, text, "the attribute view"},
      {"part.compression", part, text, "none, rle, zips, zip, piz, pxr24, b44, b44a, dwaa, …"},
      {"part.line_order", part, text, "increasing, decreasing, random"},
      {"part.tiled", part, flag, "pixels are in tiles"},
      {"part.deep", part, flag, "pixels have several samples"},
      {"part.pixel_aspect_ratio", part, number, "width of a pixel to its height"},
      {"part.data_width", part, number, "of the data window, in pixels"},
      {"part.data_height", part, number, "of the data window, in pixels"},
      {"part.display_width", part, number, "of the display window, in pixels"},
      {"part.display_height", part, number, "of the display window, in pixels"},
      {"part.windows_equal", part, flag, "data and display window are the same"},
      {"part.data_inside_display", part, flag, "no pixel is outside of the display window"},
      {"part.channels", part, list, "names of its channels"},
      {"part.layers", part, list, "names of its layers"},
      {"part.colour_space", part, text, "as its claims say, e.g. lin_ap1_scene"},
      {"part.primaries", part, text, "as its claims say, e.g. ap1"},
      {"part.transfer", part, text, "as its claims say, e.g. lin"},
      {"part.colour_conflicts", part, number, "claims that contradict another"},
      {"channel.type", channel, text, "half, float, uint"},
      {"channel.x_sampling", channel, number, "a sample for so many columns"},
      {"channel.y_sampling", channel, number, "a sample for so many rows"},
  };
  return names;
}

std::optional<FactName> find_fact(std::string_view name) {
  if (name.starts_with(kAttribute) && name.size() > kAttribute.size()) {
    return FactName{name, FactScope::part, FactKind::any, "the value of the attribute"};
  }
  for (const FactName& each : fact_names()) {
    if (each.name == name) return each;
  }
  return std::nullopt;
}

std::optional<FactValue> file_fact(std::string_view name, const PolicySubject& subject) {
  if (name == "file.name") {
    return std::string(subject.path.substr(subject.path.rfind('/') + 1));
  }
  if (name == "file.size_bytes") return static_cast<double>(subject.size_bytes);
  if (name == "file.errors") return static_cast<double>(subject.errors);
  if (name == "file.parts") return static_cast<double>(subject.header.parts.size());
  if (name == "file.multipart") return subject.header.version.multipart();
  if (!subject.complete) return std::nullopt;
  return *subject.complete;
}

std::optional<FactValue> part_fact(std::string_view name, const PolicySubject& subject,
                                   std::uint32_t index) {
  const Part& part = subject.header.parts[index];
  if (name.starts_with(kAttribute)) {
    const Attribute* attribute = part.find(name.substr(kAttribute.size()));
    if (attribute == nullptr) return std::nullopt;
    return attribute_fact(*attribute);
  }
  if (name == "part.name" || name == "part.view") {
    const auto text = value_of<std::string_view>(part, name.substr(5));
    return text ? text_or_none(*text) : std::nullopt;
  }
  if (name == "part.compression") {
    const auto byte = value_of<Enumerated>(part, "compression");
    return byte ? text_or_none(compression_name(byte->number)) : std::nullopt;
  }
  if (name == "part.line_order") {
    const auto byte = value_of<Enumerated>(part, "lineOrder");
    return byte ? text_or_none(line_order_name(byte->number)) : std::nullopt;
  }
  if (name == "part.tiled" || name == "part.deep") {
    return kind_fact(name, subject.header.version, part);
  }
  if (name == "part.pixel_aspect_ratio") {
    const auto ratio = value_of<float>(part, "pixelAspectRatio");
    return ratio ? std::optional<FactValue>(static_cast<double>(*ratio)) : std::nullopt;
  }
  if (name == "part.channels") return channel_names(part);
  if (name == "part.layers") return layer_names(subject.header, index);
  if (name.starts_with("part.colour") || name == "part.primaries" || name == "part.transfer") {
    return colour_fact(name, part);
  }
  return window_fact(name, part);
}

std::vector<ChannelFact> channel_facts(std::string_view name, const Part& part) {
  std::vector<ChannelFact> facts;
  for (const Channel& each :
       value_of<std::vector<Channel>>(part, "channels").value_or(std::vector<Channel>())) {
    if (name == "channel.type") {
      const auto type = pixel_type_name(each.pixel_type);
      facts.push_back({each.name, std::string(type.empty() ? "unknown" : type)});
    } else {
      const auto sampling = name == "channel.x_sampling" ? each.x_sampling : each.y_sampling;
      facts.push_back({each.name, static_cast<double>(sampling)});
    }
  }
  return facts;
}

std::string fact_text(const FactValue& value) {
  return std::visit(Overloaded{
                        [](const std::string& text) { return text; },
                        [](double number) { return fmt::format("{}", number); },
                        [](bool flag) { return std::string(flag ? "true" : "false"); },
                        [](const std::vector<std::string>& list) {
                          std::string out;
                          for (const auto& each : list) {
                            if (!out.empty()) out += ", ";
                            out += each;
                          }
                          return out;
                        },
                    },
                    value);
}

}  // namespace reel::exr

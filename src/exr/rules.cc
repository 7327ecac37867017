#include "exr/rules.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "exr/finding_codes.h"
#include "exr/values.h"

namespace reel::exr {
namespace {

constexpr std::size_t kShortNameBytesMax = 31;
// What the reference library takes for a picture.
constexpr std::int64_t kCoordinateMax = (std::int64_t{1} << 30) - 1;
constexpr std::int64_t kSideMax = 1'000'000;
constexpr float kPixelAspectRatioMin = 1e-6F;
constexpr float kPixelAspectRatioMax = 1e6F;
constexpr std::uint8_t kLineOrderRandom = 2;
constexpr std::uint8_t kCompressionZips = 2;
constexpr std::uint8_t kCompressionHtj2k256 = 10;

struct StandardAttribute {
  std::string_view name;
  std::string_view type;
};

constexpr StandardAttribute kRequired[] = {
    {"channels", "chlist"},        {"compression", "compression"}, {"dataWindow", "box2i"},
    {"displayWindow", "box2i"},    {"lineOrder", "lineOrder"},     {"pixelAspectRatio", "float"},
    {"screenWindowCenter", "v2f"}, {"screenWindowWidth", "float"},
};

//! Those whose type readers rely on.
constexpr StandardAttribute kOptional[] = {
    {"tiles", "tiledesc"},
    {"name", "string"},
    {"type", "string"},
    {"view", "string"},
    {"version", "int"},
    {"chunkCount", "int"},
    {"maxSamplesPerPixel", "int"},
    {"multiView", "stringvector"},
    {"preview", "preview"},
    {"chromaticities", "chromaticities"},
    {"timeCode", "timecode"},
    {"keyCode", "keycode"},
    {"framesPerSecond", "rational"},
    {"captureRate", "rational"},
    {"envmap", "envmap"},
    {"deepImageState", "deepImageState"},
    {"idManifest", "idmanifest"},
    {"acesImageContainerFlag", "int"},
    {"colorInteropID", "string"},
};

constexpr std::string_view kShared[] = {"displayWindow", "pixelAspectRatio", "timeCode",
                                        "chromaticities"};

std::string_view standard_type(std::string_view name) {
  for (const StandardAttribute& each : kRequired) {
    if (each.name == name) return each.type;
  }
  for (const StandardAttribute& each : kOptional) {
    if (each.name == name) return each.type;
  }
  return {};
}

//! The rules of one part.
class PartRules {
 public:
  PartRules(const VersionWord& version, const Part& part, std::uint32_t index, Findings& findings)
      : version_(version),
        part_(part),
        index_(index),
        kind_(part_kind(version, part)),
        findings_(findings) {}

  void check() {
    check_type();
    std::set<std::string_view> seen;
    for (const Attribute& attribute : part_.attributes) {
      check_names(attribute);
      if (seen.insert(attribute.name).second) {
        check_value(attribute);
      } else {
        add(kDuplicateAttribute, attribute, "There is an attribute of this name before it");
      }
    }
  }

  void check_required() {
    for (const StandardAttribute& each : kRequired) require(each.name, "every part");
    if (version_.multipart()) require("name", "every part of several");
    if (version_.multipart()) require("chunkCount", "every part of several");
    if (version_.multipart() || version_.deep()) require("type", "this file");
    if (kind_ && kind_->tiled) require("tiles", "a tiled part");
    if (kind_ && kind_->deep) require("version", "a deep part");
  }

 private:
  void add(const Rule& rule, const Attribute& attribute, std::string message) {
    exr::add(findings_,
             broken(rule, {.part = index_, .attribute = attribute.name, .offset = attribute.offset},
                    std::move(message)));
  }

  void require(std::string_view name, std::string_view what) {
    if (part_.find(name) != nullptr) return;
    exr::add(findings_,
             broken(kMissingAttribute, {.part = index_, .attribute = name, .offset = part_.offset},
                    fmt::format("The attribute '{}' is missing, which {} needs", name, what)));
  }

  //! The part's `type` against the flags of the file.
  void check_type() {
    const Attribute* attribute = part_.find("type");
    if (attribute == nullptr) return;
    const auto type = value_of<std::string_view>(part_, "type");
    if (!type) return;
    const bool deep = type->starts_with("deep");
    const bool tiled = *type == "tiledimage" || *type == "deeptile";
    if (!tiled && *type != "scanlineimage" && *type != "deepscanline") {
      return add(kPartTypeUnknown, *attribute,
                 fmt::format("'{}' is no type of a part", shown(*type)));
    }
    const bool single_flat = !version_.multipart() && !version_.deep();
    if (deep && !version_.deep()) {
      add(kPartTypeConflict, *attribute,
          fmt::format("The part is a {}, but the flag of deep parts is not set", *type));
    } else if (!deep && version_.deep() && !version_.multipart()) {
      add(kPartTypeConflict, *attribute,
          fmt::format("The part is a {}, but the flag of deep parts is set", *type));
    } else if (single_flat && tiled != version_.tiled()) {
      add(kPartTypeConflict, *attribute,
          fmt::format("The part is a {}, but the flag of a tiled part is {}set", *type,
                      version_.tiled() ? "" : "not "));
    }
  }

  void check_names(const Attribute& attribute) {
    if (attribute.type.empty()) add(kTypeNameEmpty, attribute, "The attribute has no type");
    if (version_.long_names()) return;
    for (const std::string_view name :
         {std::string_view(attribute.name), std::string_view(attribute.type)}) {
      check_length(attribute, name);
    }
  }

  void check_length(const Attribute& attribute, std::string_view name) {
    if (version_.long_names() || name.size() <= kShortNameBytesMax) return;
    add(kNameTooLong, attribute,
        fmt::format("'{}' has {} bytes, {} are allowed without the flag of long names", shown(name),
                    name.size(), kShortNameBytesMax));
  }

  void check_value(const Attribute& attribute) {
    const std::string_view type = standard_type(attribute.name);
    if (!type.empty() && type != attribute.type) {
      return add(kWrongType, attribute,
                 fmt::format("'{}' is a {}, not a {}", attribute.name, type, attribute.type));
    }
    const Result<Value> value = decode(attribute);
    if (!value) {
      const bool large = value.error().code() == Code::too_large;
      return add(
          large ? kAttributeTooLarge : kAttributeMalformed, attribute,
          fmt::format("'{}' ({}) {}", attribute.name, attribute.type, value.error().message()));
    }
    if (std::holds_alternative<Opaque>(*value) && !is_known_type(attribute.type)) {
      return add(kUnknownType, attribute,
                 fmt::format("'{}' is no type of OpenEXR", attribute.type));
    }
    std::visit([&](const auto& held) { check_held(attribute, held); }, *value);
    check_standard(attribute, *value);
  }

  // By type: what no value of it may be.

  template <typename T>
  void check_held(const Attribute&, const T&) {}

  void check_held(const Attribute& attribute, const Enumerated& value) {
    if (!enumerated_name(attribute.type, value.number).empty()) return;
    const Rule& rule = attribute.type == "compression" ? kCompressionUnknown
                       : attribute.type == "lineOrder" ? kLineOrderUnknown
                                                       : kEnumerationUnknown;
    add(rule, attribute, fmt::format("{} is no {}", value.number, attribute.type));
  }

  void check_held(const Attribute& attribute, const Rational& value) {
    if (value.denominator != 0) return;
    add(kRationalInvalid, attribute, fmt::format("{}/0 is no number", value.numerator));
  }

  // By name: what the standard attributes mean.

  void check_standard(const Attribute& attribute, const Value& value) {
    const std::string_view name = attribute.name;
    if (name == "channels") return check_channels(attribute, std::get<std::vector<Channel>>(value));
    if (name == "compression") return check_compression(attribute, std::get<Enumerated>(value));
    if (name == "lineOrder") return check_line_order(attribute, std::get<Enumerated>(value));
    if (name == "dataWindow" || name == "displayWindow") {
      return check_window(attribute, std::get<Box2i>(value));
    }
    if (name == "pixelAspectRatio") return check_aspect(attribute, std::get<float>(value));
    if (name == "screenWindowWidth") return check_screen_width(attribute, std::get<float>(value));
    if (name == "screenWindowCenter") return check_screen_center(attribute, std::get<V2f>(value));
    if (name == "tiles") return check_tiles(attribute, std::get<TileDescription>(value));
    if (name == "chunkCount") return check_chunk_count(attribute, std::get<std::int32_t>(value));
    if (name == "version") return check_deep_version(attribute, std::get<std::int32_t>(value));
    if (name == "name") return check_part_name(attribute, std::get<std::string_view>(value));
    if (name == "multiView") {
      check_multi_view(attribute, std::get<std::vector<std::string_view>>(value));
    }
  }

  void check_channels(const Attribute& attribute, const std::vector<Channel>& channels) {
    if (channels.empty()) return add(kChannelsEmpty, attribute, "The part has no channels");
    const auto window = value_of<Box2i>(part_, "dataWindow");
    const Channel* before = nullptr;
    for (const Channel& channel : channels) {
      check_length(attribute, channel.name);
      check_channel(attribute, channel);
      check_sampling(attribute, channel, window);
      if (before != nullptr && channel.name == before->name) {
        add(kChannelDuplicate, attribute,
            fmt::format("Channel '{}' is twice there", shown(channel.name)));
      } else if (before != nullptr && channel.name < before->name) {
        add(kChannelsUnsorted, attribute,
            fmt::format("Channel '{}' comes after '{}'", shown(channel.name), shown(before->name)));
      }
      before = &channel;
    }
  }

  void check_channel(const Attribute& attribute, const Channel& channel) {
    if (pixel_type_name(channel.pixel_type).empty()) {
      add(kPixelTypeUnknown, attribute,
          fmt::format("Channel '{}' has the pixel type {}", shown(channel.name),
                      channel.pixel_type));
    }
    if (channel.p_linear > 1) {
      add(kPLinearUnknown, attribute,
          fmt::format("Channel '{}' has {} as pLinear, which is 0 or 1", shown(channel.name),
                      channel.p_linear));
    }
    if (channel.reserved != std::array<std::uint8_t, 3>{}) {
      add(kReservedNotZero, attribute,
          fmt::format("Channel '{}' has {:02x}{:02x}{:02x} in its reserved bytes",
                      shown(channel.name), channel.reserved[0], channel.reserved[1],
                      channel.reserved[2]));
    }
  }

  void check_sampling(const Attribute& attribute, const Channel& channel,
                      const std::optional<Box2i>& window) {
    const std::int32_t x = channel.x_sampling;
    const std::int32_t y = channel.y_sampling;
    if (x == 1 && y == 1) return;
    if (x < 1 || y < 1) {
      return add(
          kSamplingInvalid, attribute,
          fmt::format("Channel '{}' is sampled every {} x {} pixels", shown(channel.name), x, y));
    }
    if (kind_ && (kind_->tiled || kind_->deep)) {
      return add(kSamplingNotAllowed, attribute,
                 fmt::format("Channel '{}' is sampled every {} x {} pixels in a {} part",
                             shown(channel.name), x, y, kind_->deep ? "deep" : "tiled"));
    }
    if (!window) return;
    const auto divides = [&](int axis, std::int64_t by) {
      const std::int64_t first = window->min.of.at(static_cast<std::size_t>(axis));
      const std::int64_t last = window->max.of.at(static_cast<std::size_t>(axis));
      return first % by == 0 && (last - first + 1) % by == 0;
    };
    if (divides(0, x) && divides(1, y)) return;
    add(kSamplingNotDividing, attribute,
        fmt::format("Channel '{}' is sampled every {} x {} pixels, which does not divide the data "
                    "window",
                    shown(channel.name), x, y));
  }

  void check_compression(const Attribute& attribute, const Enumerated& value) {
    if (compression_name(value.number).empty()) return;
    if (kind_ && kind_->deep && value.number > kCompressionZips) {
      add(kCompressionNotAllowed, attribute,
          fmt::format("A deep part cannot be compressed with {}", compression_name(value.number)));
    } else if (value.number >= kCompressionHtj2k256) {
      add(kCompressionRecent, attribute,
          fmt::format("Readers before OpenEXR 3.4 do not know {}", compression_name(value.number)));
    }
  }

  void check_line_order(const Attribute& attribute, const Enumerated& value) {
    if (value.number != kLineOrderRandom || !kind_ || kind_->tiled) return;
    add(kLineOrderNotAllowed, attribute, "Only tiles may be in random order");
  }

  void check_window(const Attribute& attribute, const Box2i& window) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const std::int64_t first = window.min.of.at(axis);
      const std::int64_t last = window.max.of.at(axis);
      const char name = axis == 0 ? 'x' : 'y';
      if (last < first) {
        add(kWindowEmpty, attribute, fmt::format("{} goes from {} to {}", name, first, last));
      } else if (std::max(std::abs(first), std::abs(last)) > kCoordinateMax ||
                 last - first + 1 > kSideMax) {
        add(kWindowHuge, attribute,
            fmt::format("{} goes from {} to {}, which readers may refuse", name, first, last));
      }
    }
  }

  void check_aspect(const Attribute& attribute, float ratio) {
    if (ratio >= kPixelAspectRatioMin && ratio <= kPixelAspectRatioMax) return;  // false for NaN
    add(kPixelAspectRatioInvalid, attribute, fmt::format("{} is no aspect ratio", ratio));
  }

  void check_screen_width(const Attribute& attribute, float width) {
    if (std::isfinite(width) && width >= 0) return;
    add(kScreenWindowInvalid, attribute, fmt::format("{} is no width", width));
  }

  void check_screen_center(const Attribute& attribute, const V2f& center) {
    if (std::isfinite(center.of[0]) && std::isfinite(center.of[1])) return;
    add(kScreenWindowInvalid, attribute,
        fmt::format("({}, {}) is no point", center.of[0], center.of[1]));
  }

  void check_tiles(const Attribute& attribute, const TileDescription& tiles) {
    constexpr std::uint32_t kTileSideMax = 0x7fffffff;
    for (const std::uint32_t side : {tiles.x_size, tiles.y_size}) {
      if (side >= 1 && side <= kTileSideMax) continue;
      add(kTileSizeInvalid, attribute,
          fmt::format("Tiles have {} x {} pixels", tiles.x_size, tiles.y_size));
      break;
    }
    if ((tiles.mode & 0xf) > 2 || (tiles.mode >> 4) > 1) {
      add(kTileModeUnknown, attribute,
          fmt::format("{:#04x} is no mode of levels and rounding", tiles.mode));
    }
  }

  void check_chunk_count(const Attribute& attribute, std::int32_t count) {
    if (count >= 1) return;
    add(kChunkCountInvalid, attribute, fmt::format("The part declares {} chunks", count));
  }

  void check_deep_version(const Attribute& attribute, std::int32_t version) {
    if (!kind_ || !kind_->deep || version == 1) return;
    add(kDeepVersionUnknown, attribute,
        fmt::format("The version of deep data is {}, only 1 is known", version));
  }

  void check_part_name(const Attribute& attribute, std::string_view name) {
    if (version_.multipart() && name.empty()) {
      add(kPartNameEmpty, attribute, "The name of the part is empty");
    }
  }

  void check_multi_view(const Attribute& attribute, const std::vector<std::string_view>& views) {
    if (views.empty()) {
      return add(kMultiViewEmpty, attribute, "There are no views, which makes readers crash");
    }
    std::set<std::string_view> seen;
    for (const std::string_view view : views) {
      if (view.empty()) {
        add(kMultiViewInvalid, attribute, "The name of a view is empty");
      } else if (!seen.insert(view).second) {
        add(kMultiViewInvalid, attribute, fmt::format("The view '{}' is twice there", shown(view)));
      }
    }
  }

  const VersionWord version_;
  const Part& part_;
  const std::uint32_t index_;
  const std::optional<PartKind> kind_;
  Findings& findings_;
};

void check_part_names(const Header& header, Findings& findings) {
  std::unordered_map<std::string_view, std::uint32_t> seen;
  for (std::uint32_t i = 0; i < header.parts.size(); ++i) {
    const auto name = value_of<std::string_view>(header.parts[i], "name");
    if (!name) continue;
    const auto [first, is_new] = seen.emplace(*name, i);
    if (is_new) continue;
    add(findings,
        broken(kPartNameDuplicate,
               {.part = i, .attribute = "name", .offset = header.parts[i].find("name")->offset},
               fmt::format("Part {} has the name '{}' already", first->second, shown(*name))));
  }
}

//! What is about the whole picture must be the same in all parts that say it.
void check_shared(const Header& header, Findings& findings) {
  for (const std::string_view name : kShared) {
    const Attribute* first = header.parts.front().find(name);
    if (first == nullptr) continue;
    for (std::uint32_t i = 1; i < header.parts.size(); ++i) {
      const Attribute* other = header.parts[i].find(name);
      if (other == nullptr || (other->type == first->type && other->bytes == first->bytes)) {
        continue;
      }
      add(findings,
          broken(kSharedAttributeDiffers, {.part = i, .attribute = name, .offset = other->offset},
                 fmt::format("'{}' is not what part 0 says", name)));
    }
  }
}

}  // namespace

Findings check_rules(const Header& header, bool whole) {
  Findings findings;
  for (std::uint32_t i = 0; i < header.parts.size(); ++i) {
    PartRules rules(header.version, header.parts[i], i, findings);
    rules.check();
    if (whole || i + 1 < header.parts.size()) rules.check_required();
  }
  if (header.version.multipart() && !header.parts.empty()) {
    check_part_names(header, findings);
    check_shared(header, findings);
  }
  return findings;
}

}  // namespace reel::exr

#include "exr/sequence_shape.h"

#include <algorithm>
#include <map>
#include <set>

#include "exr/colour.h"
#include "exr/layers.h"

namespace reel::exr {
namespace {

//! Attributes that have facts of their own, or say nothing that the file's facts do not.
constexpr std::string_view kOwnFacts[] = {
    "channels", "chunkCount",       "compression", "dataWindow", "displayWindow", "lineOrder",
    "name",     "pixelAspectRatio", "tiles",       "type",       "version",
};

//! Attributes whose values mean the same for all frames.
constexpr std::string_view kConstant[] = {
    "acesImageContainerFlag", "captureRate",    "chromaticities",
    "colorInteropID",         "deepImageState", "envmap",
    "framesPerSecond",        "multiView",      "view",
    "whiteLuminance",
};

template <std::size_t N>
bool is_one_of(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

//! The value of a constant attribute, as text.
std::string value_text(const Attribute& attribute) {
  const auto value = decode(attribute);
  if (!value) return "malformed";
  return std::visit(Overloaded{
                        [](std::int32_t number) { return fmt::format("{}", number); },
                        [](float number) { return fmt::format("{}", number); },
                        [](std::string_view text) { return std::string(text); },
                        [](const std::vector<std::string_view>& texts) {
                          std::string out;
                          for (const auto text : texts)
                            out += fmt::format("{}{}", out.empty() ? "" : ", ", text);
                          return out;
                        },
                        [](const Rational& rate) {
                          return fmt::format("{}/{}", rate.numerator, rate.denominator);
                        },
                        [](const Chromaticities& primaries) {
                          const auto known = known_primaries(primaries);
                          return known.empty() ? std::string("others") : std::string(known);
                        },
                        [](const Enumerated& byte) { return fmt::format("{}", byte.number); },
                        [](const auto&) { return std::string("something else"); },
                    },
                    *value);
}

//! Collects the facts of one header.
class Facts {
 public:
  explicit Facts(const Header& header) : header_(header) {}

  std::vector<ShapeFact> collect() {
    add("version word", fmt::format("{:#x}", header_.version.bits), "");
    for (std::size_t i = 0; i < header_.parts.size(); ++i) titles_.push_back(title(i));
    for (std::size_t i = 0; i < header_.parts.size(); ++i) add_part(header_.parts[i], titles_[i]);
    add_layers();
    std::sort(facts_.begin(), facts_.end(),
              [](const auto& a, const auto& b) { return a.subject < b.subject; });
    const auto twice = [](const auto& a, const auto& b) { return a.subject == b.subject; };
    facts_.erase(std::unique(facts_.begin(), facts_.end(), twice), facts_.end());
    return std::move(facts_);
  }

 private:
  //! "part 'depth'"; by its number for want of a name of its own; nothing for the only part.
  std::string title(std::size_t index) {
    if (header_.parts.size() < 2) return {};
    const auto name = value_of<std::string_view>(header_.parts[index], "name");
    if (name && names_.insert(*name).second) return fmt::format("part '{}'", *name);
    return fmt::format("part {}", index);
  }

  void add(std::string subject, std::string value, const std::string& within) {
    facts_.push_back({std::move(subject), std::move(value), within});
  }

  void add_part(const Part& part, const std::string& title) {
    if (!title.empty()) add(title, "there", "");
    const auto of_part = [&](std::string_view what, std::string value) {
      add(title.empty() ? std::string(what) : fmt::format("{} of {}", what, title),
          std::move(value), title);
    };
    if (const auto byte = value_of<Enumerated>(part, "compression")) {
      const auto name = compression_name(byte->number);
      of_part("compression", name.empty() ? fmt::format("{}", byte->number) : std::string(name));
    }
    if (const auto byte = value_of<Enumerated>(part, "lineOrder")) {
      const auto name = line_order_name(byte->number);
      of_part("line order", name.empty() ? fmt::format("{}", byte->number) : std::string(name));
    }
    if (const auto window = value_of<Box2i>(part, "displayWindow")) {
      of_part("display window", window_text(*window));
    }
    if (const auto ratio = value_of<float>(part, "pixelAspectRatio")) {
      of_part("pixel aspect ratio", fmt::format("{}", *ratio));
    }
    if (const auto type = value_of<std::string_view>(part, "type")) {
      of_part("type", std::string(*type));
    }
    if (const auto tiles = value_of<TileDescription>(part, "tiles")) {
      of_part("tiles", fmt::format("{}x{}, mode {}", tiles->x_size, tiles->y_size, tiles->mode));
    }
    for (const Attribute& attribute : part.attributes) {
      if (is_one_of(kOwnFacts, attribute.name)) continue;
      std::string value = attribute.type;
      if (is_one_of(kConstant, attribute.name)) value += ' ' + value_text(attribute);
      of_part("attribute " + attribute.name, std::move(value));
    }
  }

  void add_layers() {
    struct Described {
      std::string channels;
      std::set<std::uint32_t> parts;
    };
    std::map<std::string, Described> layers;
    for (const ChannelPlace& place : place_channels(header_)) {
      Described& layer = layers["layer " + layer_title(place.layer, place.view)];
      layer.parts.insert(place.part);
      const auto type = pixel_type_name(place.pixel_type);
      layer.channels += fmt::format("{}{} {}", layer.channels.empty() ? "" : ", ", place.component,
                                    type.empty() ? "unknown" : type);
      if (place.x_sampling != 1 || place.y_sampling != 1) {
        layer.channels += fmt::format(" {}x{}", place.x_sampling, place.y_sampling);
      }
    }
    for (auto& [subject, layer] : layers) {
      const bool one_part = layer.parts.size() == 1;
      add(subject, std::move(layer.channels), one_part ? titles_[*layer.parts.begin()] : "");
    }
  }

  const Header& header_;
  std::set<std::string_view> names_;
  std::vector<std::string> titles_;
  std::vector<ShapeFact> facts_;
};

//! The facts as one text that no other facts have.
std::string key_of(const std::vector<ShapeFact>& facts) {
  std::string key;
  const auto append = [&](const std::string& text) {
    key += fmt::format("{}:{}", text.size(), text);
  };
  for (const ShapeFact& fact : facts) {
    append(fact.subject);
    append(fact.value);
    append(fact.within);
  }
  return key;
}

}  // namespace

FrameShapes::Id FrameShapes::add(const Header& header) {
  std::vector<ShapeFact> facts = Facts(header).collect();
  const auto [known, added] = by_text_.emplace(key_of(facts), static_cast<Id>(shapes_.size()));
  if (added) shapes_.push_back(std::move(facts));
  return known->second;
}

FrameRecord frame_record(const Header& header, FrameShapes& shapes) {
  FrameRecord record{.shape = shapes.add(header)};
  for (const Part& part : header.parts) {
    record.data_windows.push_back(value_of<Box2i>(part, "dataWindow").value_or(Box2i{}));
    if (!record.time_code) record.time_code = value_of<TimeCode>(part, "timeCode");
    for (const char* name : {"framesPerSecond", "captureRate"}) {
      const auto rate = value_of<Rational>(part, name);
      if (record.rate || !rate || rate->numerator <= 0 || rate->denominator == 0) continue;
      record.rate = {rate->numerator, rate->denominator};
    }
    if (!record.image_counter) record.image_counter = value_of<std::int32_t>(part, "imageCounter");
  }
  return record;
}

std::string window_text(const Box2i& window) {
  const auto extent = [&](std::size_t axis) {
    return std::int64_t{window.max.of[axis]} - window.min.of[axis] + 1;
  };
  return fmt::format("{}x{}{:+}{:+}", extent(0), extent(1), window.min.of[0], window.min.of[1]);
}

}  // namespace reel::exr

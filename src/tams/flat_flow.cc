#include "tams/flat_flow.h"

#include <array>
#include <charconv>
#include <optional>

#include "tams/shapes.h"

namespace reel::tams {
namespace {

using json::Value;

//! Members that a format keeps among its essence parameters.
std::vector<std::string_view> essence_members(std::string_view format) {
  if (format == shape::kVideo) {
    return {"frame_width",   "frame_height",       "frame_rate",     "vfr",
            "bit_depth",     "interlace_mode",     "colorspace",     "transfer_characteristic",
            "aspect_ratio",  "pixel_aspect_ratio", "component_type", "horiz_chroma_subs",
            "init_segments", "vert_chroma_subs",   "unc_parameters", "avc_parameters"};
  }
  if (format == shape::kAudio) {
    return {"sample_rate",      "channels",       "bit_depth",
            "codec_parameters", "unc_parameters", "init_segments"};
  }
  if (format == shape::kImage) return {"frame_width", "frame_height", "aspect_ratio"};
  if (format == shape::kData) return {"data_type", "init_segments"};
  return {"init_segments"};
}

bool is_ratio(std::string_view member) {
  return member == "frame_rate" || member == "aspect_ratio" || member == "pixel_aspect_ratio";
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

//! "25/1", "16:9", "25" or 25 as a fraction; anything else as it is, for the shape to refuse.
Value ratio_of(const Value& written) {
  std::int64_t number = 0;
  if (written.get_int64(number)) {
    return json::Object{{"numerator", number}, {"denominator", 1}};
  }
  if (written.as_string() == nullptr) return written;
  const std::string_view text = *written.as_string();
  const std::size_t bar = text.find_first_of("/:");
  const auto numerator = whole_number(text.substr(0, bar));
  const auto denominator = bar == std::string_view::npos ? std::optional<std::int64_t>(1)
                                                         : whole_number(text.substr(bar + 1));
  if (!numerator || !denominator) return written;
  return json::Object{{"numerator", *numerator}, {"denominator", *denominator}};
}

}  // namespace

json::Value unflatten_flow(json::Value body) {
  const Value* format = body.find("format");
  if (format != nullptr && format->as_string() != nullptr) {
    Value* given = body.find("essence_parameters");
    const bool nested = given != nullptr && given->as_object() != nullptr;
    Value essence = nested ? *given : Value(json::Object{});
    bool any = nested || *format == Value(shape::kData);  // which may be empty
    for (const std::string_view member : essence_members(*format->as_string())) {
      const Value* flat = body.find(member);
      if (flat == nullptr) continue;
      essence.set(member, is_ratio(member) ? ratio_of(*flat) : *flat);
      body.erase(member);
      any = true;
    }
    if (any) body.set("essence_parameters", std::move(essence));
  }
  const Value* codec = body.find("codec");
  if (codec != nullptr && body.find("container") == nullptr) {
    Value container = *codec;
    body.set("container", std::move(container));
  }
  return body;
}

}  // namespace reel::tams

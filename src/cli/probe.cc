#include "cli/probe.h"

#include <cmath>

#include "cli/json_fields.h"
#include "cli/process.h"
#include "time/timestamp.h"

namespace reel::cli {
namespace {

//! A frame rate that holds for every frame: ffprobe's lowest common rate equals its average, or
//! nearly, for containers whose time base is coarse.
Ratio constant_rate(const json::Value& stream) {
  const auto common = Ratio::parse(string_field(stream, "r_frame_rate"));
  const auto average = Ratio::parse(string_field(stream, "avg_frame_rate"));
  if (!common || !average) return {};
  const double a =
      static_cast<double>(common->numerator) / static_cast<double>(common->denominator);
  const double b =
      static_cast<double>(average->numerator) / static_cast<double>(average->denominator);
  return std::abs(a - b) < 0.001 * a ? *common : Ratio();
}

std::optional<std::int64_t> seconds_field(const json::Value& object, std::string_view name) {
  const auto parsed = time::Timestamp::parse_decimal_seconds(string_field(object, name));
  if (!parsed) return std::nullopt;
  return static_cast<std::int64_t>(parsed->nanoseconds());
}

//! ffmpeg moves every stream by the input's start, rounded to the stream's ticks.
std::int64_t presentation_start(const json::Value& stream, const Ratio& time_base,
                                std::int64_t input_start_nanoseconds) {
  const auto start = integer_field(stream, "start_pts");
  if (!start) return 0;
  const std::int64_t moved = static_cast<std::int64_t>(
      divide_rounded(time::Int128{input_start_nanoseconds} * time_base.denominator,
                     time::Int128{1'000'000'000} * time_base.numerator));
  return static_cast<std::int64_t>(
      ticks_to_nanoseconds((*start - moved) * time_base.numerator, time_base.denominator));
}

StreamInfo parse_stream(const json::Value& stream, std::int64_t input_start_nanoseconds) {
  StreamInfo info;
  const auto number = [&](std::string_view name) {
    return static_cast<int>(integer_field(stream, name).value_or(0));
  };
  const auto ratio = [&](std::string_view name) {
    return Ratio::parse(string_field(stream, name)).value_or(Ratio());
  };
  info.index = number("index");
  info.is_video = string_field(stream, "codec_type") == "video";
  info.codec = string_field(stream, "codec_name");
  info.time_base = Ratio::parse(string_field(stream, "time_base")).value_or(Ratio{1, 90000});
  info.start_nanoseconds = presentation_start(stream, info.time_base, input_start_nanoseconds);
  info.width = number("width");
  info.height = number("height");
  info.frame_rate = constant_rate(stream);
  info.pixel_aspect = ratio("sample_aspect_ratio");
  info.display_aspect = ratio("display_aspect_ratio");
  info.pixel_format = string_field(stream, "pix_fmt");
  info.field_order = string_field(stream, "field_order");
  info.color_space = string_field(stream, "color_space");
  info.color_transfer = string_field(stream, "color_transfer");
  info.color_primaries = string_field(stream, "color_primaries");
  info.color_range = string_field(stream, "color_range");
  info.sample_rate = number("sample_rate");
  info.channels = number("channels");
  info.bit_depth = number("bits_per_raw_sample");
  if (info.bit_depth == 0) info.bit_depth = pixel_format_depth(info.pixel_format);
  return info;
}

bool is_cover_picture(const json::Value& stream) {
  const json::Value* flag = find_path(stream, {"disposition", "attached_pic"});
  std::int64_t value = 0;
  return flag != nullptr && flag->get_int64(value) && value == 1;
}

}  // namespace

int pixel_format_depth(std::string_view pixel_format) {
  if (pixel_format.empty()) return 0;
  for (const int depth : {16, 14, 12, 10, 9}) {
    const std::string text = std::to_string(depth);
    if (pixel_format.ends_with(text + "le") || pixel_format.ends_with(text + "be")) return depth;
  }
  return 8;
}

Result<InputInfo> parse_probe(std::string_view text) {
  auto document = json::parse(text);
  if (!document)
    return Failure(std::move(document).error().while_doing("reading ffprobe's answer"));
  InputInfo info;
  std::int64_t start = 0;
  if (const json::Value* format = document->find("format")) {
    start = seconds_field(*format, "start_time").value_or(0);
    info.duration_nanoseconds = seconds_field(*format, "duration");
  }
  for (const json::Value& stream : array_field(*document, "streams")) {
    const std::string type = string_field(stream, "codec_type");
    const bool essence = type == "audio" || (type == "video" && !is_cover_picture(stream));
    if (essence && !string_field(stream, "codec_name").empty()) {
      info.streams.push_back(parse_stream(stream, start));
    } else {
      ++info.other_streams;
    }
  }
  return info;
}

Result<InputInfo> probe_input(const InputLocation& input) {
  std::vector<std::string> words = {"ffprobe",      "-v",  "error", "-show_streams",
                                    "-show_format", "-of", "json"};
  if (!input.format.empty()) words.insert(words.end(), {"-f", input.format});
  words.insert(words.end(), {"-i", input.location});
  auto text = run_and_capture(words);
  if (!text) return not_found("ffmpeg cannot read {}: {}", input.location, text.error().message());
  REEL_ASSIGN(InputInfo info, parse_probe(*text));
  if (info.streams.empty()) return not_found("{} holds neither video nor audio", input.location);
  return info;
}

}  // namespace reel::cli

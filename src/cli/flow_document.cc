#include "cli/flow_document.h"

#include <algorithm>

#include "cli/json_fields.h"

namespace reel::cli {
namespace {

json::Value fraction(const Ratio& ratio) {
  json::Value value(json::Object{});
  value.set("numerator", ratio.numerator);
  value.set("denominator", ratio.denominator);
  return value;
}

std::string interlace_mode(std::string_view field_order) {
  if (field_order == "progressive") return "progressive";
  // ffprobe names the field coded first, then the one shown first.
  if (field_order == "tt" || field_order == "bt") return "interlaced_tff";
  if (field_order == "bb" || field_order == "tb") return "interlaced_bff";
  return {};
}

void set_colour(json::Value& parameters, const StreamInfo& stream) {
  const std::string& space = stream.color_space;
  const std::string& transfer = stream.color_transfer;
  const bool hlg = transfer == "arib-std-b67";
  const bool pq = transfer == "smpte2084";
  if (space == "bt709") parameters.set("colorspace", "BT709");
  if (space == "smpte170m" || space == "bt470bg") parameters.set("colorspace", "BT601");
  if (space.starts_with("bt2020")) parameters.set("colorspace", hlg || pq ? "BT2100" : "BT2020");
  if (hlg) parameters.set("transfer_characteristic", "HLG");
  if (pq) parameters.set("transfer_characteristic", "PQ");
  if (transfer == "bt709" || transfer == "smpte170m" || transfer.starts_with("bt2020")) {
    parameters.set("transfer_characteristic", "SDR");
  }
}

void set_sampling(json::Value& parameters, std::string_view pixel_format) {
  struct Row {
    std::string_view name;
    int horizontal;
    int vertical;
  };
  constexpr Row kRows[] = {{"420", 2, 2}, {"422", 2, 1}, {"444", 1, 1}, {"411", 4, 1}};
  if (pixel_format.starts_with("gbr") || pixel_format.starts_with("rgb")) {
    parameters.set("component_type", "RGB");
    return;
  }
  for (const Row& row : kRows) {
    if (pixel_format.find(row.name) == pixel_format.npos) continue;
    parameters.set("component_type", "YCbCr");
    parameters.set("horiz_chroma_subs", row.horizontal);
    parameters.set("vert_chroma_subs", row.vertical);
  }
}

void set_frame_rate(json::Value& parameters, const Ratio& rate) {
  parameters.erase("vfr");
  parameters.erase("frame_rate");
  if (rate.is_zero()) {
    parameters.set("vfr", true);
  } else {
    parameters.set("frame_rate", fraction(rate));
  }
}

json::Value video_parameters(const TrackPlan& plan, const TrackInfo& info) {
  const StreamInfo& stream = plan.stream;
  json::Value parameters(json::Object{});
  parameters.set("frame_width", stream.width);
  parameters.set("frame_height", stream.height);
  set_frame_rate(parameters, stream.frame_rate);
  const int depth = plan.copy ? stream.bit_depth : 8;
  if (depth > 0) parameters.set("bit_depth", depth);
  const std::string interlace = interlace_mode(stream.field_order);
  if (!interlace.empty()) parameters.set("interlace_mode", interlace);
  set_colour(parameters, stream);
  set_sampling(parameters, plan.copy ? stream.pixel_format : "yuv420p");
  if (!stream.display_aspect.is_zero()) {
    parameters.set("aspect_ratio", fraction(stream.display_aspect));
  }
  if (!stream.pixel_aspect.is_zero()) {
    parameters.set("pixel_aspect_ratio", fraction(stream.pixel_aspect));
  }
  if (info.avc) {
    json::Value avc(json::Object{});
    avc.set("profile", info.avc->profile);
    avc.set("level", info.avc->level);
    avc.set("flags", info.avc->flags);
    parameters.set("avc_parameters", std::move(avc));
  }
  return parameters;
}

json::Value audio_parameters(const TrackPlan& plan, const TrackInfo& info) {
  json::Value parameters(json::Object{});
  parameters.set("sample_rate", plan.stream.sample_rate);
  parameters.set("channels", plan.stream.channels);
  if (plan.codec == "flac" && plan.stream.bit_depth > 0) {
    parameters.set("bit_depth", plan.stream.bit_depth);
  }
  json::Value codec(json::Object{});
  if (plan.codec == "aac") codec.set("coded_frame_size", 1024);
  if (info.audio_object_type) codec.set("mp4_oti", *info.audio_object_type);
  if (!codec.as_object()->empty()) parameters.set("codec_parameters", std::move(codec));
  return parameters;
}

json::Value named_flow(const FlowIdentity& identity, std::string_view format) {
  json::Value flow(json::Object{});
  flow.set("id", identity.id);
  flow.set("source_id", identity.source_id);
  flow.set("label", identity.label);
  flow.set("format", format);
  flow.set("status", "ingesting");
  return flow;
}

std::int64_t kilobits_per_second(std::uint64_t bytes, std::int64_t nanoseconds) {
  if (nanoseconds <= 0) return 0;
  return static_cast<std::int64_t>(time::Int128{bytes} * 8 * 1'000'000 / nanoseconds);
}

}  // namespace

void BitRates::add(std::int64_t duration_nanoseconds, std::uint64_t bytes) {
  if (duration_nanoseconds > 0) parts_.push_back({duration_nanoseconds, bytes});
}

std::int64_t BitRates::average() const {
  Part sum{0, 0};
  for (const Part& part : parts_) {
    sum.nanoseconds += part.nanoseconds;
    sum.bytes += part.bytes;
  }
  return kilobits_per_second(sum.bytes, sum.nanoseconds);
}

std::int64_t BitRates::maximum(const Ratio& target) const {
  const std::int64_t target_nanoseconds = target.numerator * 1'000'000'000 / target.denominator;
  std::int64_t highest = 0;
  for (std::size_t first = 0; first < parts_.size(); ++first) {
    Part sum{0, 0};
    for (std::size_t i = first; i < parts_.size(); ++i) {
      sum.nanoseconds += parts_[i].nanoseconds;
      sum.bytes += parts_[i].bytes;
      const bool too_long = sum.nanoseconds * 2 > target_nanoseconds * 3;
      if (too_long && i > first) break;
      if (sum.nanoseconds * 2 >= target_nanoseconds) {
        highest = std::max(highest, kilobits_per_second(sum.bytes, sum.nanoseconds));
      }
    }
  }
  return highest == 0 ? average() : highest;
}

void FrameIntervals::add(std::int64_t ticks) {
  if (ticks <= 0) return;
  ++count_;
  if (shortest_ == 0) shortest_ = ticks;
  if (ticks < shortest_ || ticks % shortest_ != 0) {
    uneven_ = true;
  } else if (ticks == shortest_) {
    ++at_shortest_;
  }
}

Ratio FrameIntervals::rate(std::int64_t timescale) const {
  // A stream that skips every tenth frame or more has no rate worth the name.
  if (uneven_ || count_ == 0 || at_shortest_ * 10 <= count_ * 9) return {};
  return Ratio::reduced(timescale, shortest_);
}

std::string container_mime_type(Container container, bool is_video) {
  if (container == Container::mpegts) return "video/mp2t";
  return is_video ? "video/iso.segment" : "audio/mp4";
}

std::string init_mime_type(Container container, bool is_video) {
  return container == Container::fmp4 && is_video ? "video/mp4" : "";
}

json::Value essence_flow(const FlowIdentity& identity, const TrackPlan& plan, const TrackInfo& info,
                         const PlanOptions& options) {
  const bool is_video = plan.stream.is_video;
  json::Value flow =
      named_flow(identity, is_video ? "urn:x-nmos:format:video" : "urn:x-nmos:format:audio");
  flow.set("codec", codec_mime_type(plan.codec, is_video));
  flow.set("container", container_mime_type(options.container, is_video));
  flow.set("segment_duration", fraction(options.segment));
  json::Value parameters = is_video ? video_parameters(plan, info) : audio_parameters(plan, info);
  if (options.container == Container::fmp4) parameters.set("init_segments", true);
  flow.set("essence_parameters", std::move(parameters));
  return flow;
}

json::Value multi_flow(const FlowIdentity& identity, const std::vector<std::string>& flow_ids,
                       const std::vector<std::string>& roles) {
  json::Value flow = named_flow(identity, "urn:x-nmos:format:multi");
  json::Array collection;
  for (std::size_t i = 0; i < flow_ids.size(); ++i) {
    json::Value item(json::Object{});
    item.set("id", flow_ids[i]);
    item.set("role", roles[i]);
    collection.push_back(std::move(item));
  }
  flow.set("flow_collection", std::move(collection));
  return flow;
}

void set_state(json::Value& flow, const FlowState& state) {
  flow.set("status", state.complete ? "closed_complete" : "ingesting");
  if (state.average_bit_rate > 0) flow.set("avg_bit_rate", state.average_bit_rate);
  if (state.maximum_bit_rate > 0) flow.set("max_bit_rate", state.maximum_bit_rate);
  json::Value* parameters = flow.find("essence_parameters");
  const bool is_video = string_field(flow, "format") == "urn:x-nmos:format:video";
  if (state.complete && is_video && parameters != nullptr) {
    set_frame_rate(*parameters, state.frame_rate);
  }
}

}  // namespace reel::cli

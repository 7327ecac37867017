#include "tams/shapes.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "base/clock.h"
#include "base/uuid.h"
#include "time/time_range.h"

namespace reel::tams::shape {
namespace {

using json::optional;
using json::required;
using json::Shape;
using json::Value;

constexpr auto kForbid = Shape::Extra::forbid;

Status check_uuid(std::string_view text) {
  REEL_TRY(Uuid::parse(text));
  return {};
}

Status check_timerange(std::string_view text) {
  REEL_TRY(time::TimeRange::parse(text));
  return {};
}

Status check_timestamp(std::string_view text) {
  REEL_TRY(time::Timestamp::parse(text));
  return {};
}

Status check_date_time(std::string_view text) {
  REEL_TRY(Instant::parse(text));
  return {};
}

constexpr std::string_view kTimestamp =
    "-?(0|[1-9][0-9]{0,13}|1[0-9]{14}|2[0-7][0-9]{13}|280[0-9]{12}|281[0-3][0-9]{11}|2814[0-6]"
    "[0-9]{10}|28147[0-4][0-9]{9}):(0|[1-9][0-9]{0,8})";

//! flow-technical.json writes codec and container as two parts without white space.
Status check_loose_mime_type(std::string_view text) {
  const auto slash = text.find('/');
  const bool ok = slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
                  text.find('/', slash + 1) == std::string_view::npos &&
                  text.find_first_of(" \t\r\n\v\f") == std::string_view::npos;
  if (!ok) return invalid("'{}' is not a MIME type", text.substr(0, 64));
  return {};
}

Shape loose_mime_type() {
  return Shape::form("MIME Type", R"(^[^\s/]+/[^\s/]+$)", check_loose_mime_type);
}

Shape positive() { return Shape::integer(1); }

Shape ratio() {
  return Shape::object({required("numerator", positive()), required("denominator", positive())});
}

Shape rate() {
  return Shape::object({required("numerator", positive()), optional("denominator", positive())});
}

Shape container_mapping() {
  const Shape index = Shape::integer(0);
  const auto check_channel_range = [](std::string_view text) -> Status {
    const auto digits = [](std::string_view part) {
      return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    const auto bar = text.find('_');
    if (bar != std::string_view::npos && digits(text.substr(0, bar)) &&
        digits(text.substr(bar + 1))) {
      return {};
    }
    return invalid("'{}' is not a channel range like 0_1", text.substr(0, 64));
  };
  return Shape::object(
             {optional("track_index", index), optional("format_track_index", index),
              optional("audio_track",
                       Shape::object({optional("channel_numbers", Shape::array(index, 1)),
                                      optional("channel_range",
                                               Shape::form("Channel range", "^[0-9]+_[0-9]+$",
                                                           check_channel_range))})),
              optional("mp2ts_container", Shape::object({optional("pid", Shape::integer())})),
              optional("mxf_container", Shape::object({optional("package_uid", Shape::string()),
                                                       optional("track_id", Shape::integer())})),
              optional("isobmff_container",
                       Shape::object({optional("track_id", Shape::integer())}))})
      .named("ContainerMapping");
}

using Members = std::vector<Shape::MemberShape>;

//! Without a rule that says something to code: what only readers of the schema are told.
Shape described(const Shape& shape, Shape::Keywords keywords) {
  return shape.with_rule([](const Value&) -> Status { return {}; }, std::move(keywords));
}

//! Adds: a frame rate, or vfr.
Shape with_rate_rule(const Shape& parameters) {
  const auto fixed_or_variable_rate = [](const Value& value) -> Status {
    const Value* vfr = value.find("vfr");
    const bool variable = vfr != nullptr && vfr->as_bool() != nullptr && *vfr->as_bool();
    const bool has_rate = value.find("frame_rate") != nullptr;
    if (variable && has_rate) {
      return at("/frame_rate", invalid("must not be set when vfr is true"));
    }
    if (!variable && !has_rate) {
      return invalid("the member 'frame_rate' is required unless vfr is true");
    }
    return {};
  };
  return parameters.with_rule(
      fixed_or_variable_rate,
      {{"if", R"({"properties":{"vfr":{"const":true}},"required":["vfr"]})"},
       {"then", R"({"properties":{"frame_rate":false}})"},
       {"else", R"({"required":["frame_rate"]})"}});
}

Members video_members(const Shape& ratio, const Shape& rate) {
  return {required("frame_width", positive()),
          required("frame_height", positive()),
          optional("bit_depth", positive()),
          optional("interlace_mode", Shape::choice({"progressive", "interlaced_tff",
                                                    "interlaced_bff", "interlaced_psf"})),
          optional("colorspace", Shape::choice({"BT601", "BT709", "BT2020", "BT2100"})),
          optional("transfer_characteristic", Shape::choice({"SDR", "HLG", "PQ"})),
          optional("aspect_ratio", ratio),
          optional("pixel_aspect_ratio", ratio),
          optional("component_type", Shape::choice({"YCbCr", "RGB"})),
          optional("horiz_chroma_subs", positive()),
          optional("vert_chroma_subs", positive()),
          optional("unc_parameters",
                   Shape::object({required(
                       "unc_type", Shape::choice({"planar", "YUYV", "UYVY", "AYUV", "v210", "v216",
                                                  "RGB", "RGBx", "xRGB", "BGRx", "xBGR", "RGBA",
                                                  "ARGB", "BGRA", "ABGR", "alpha"}))})),
          optional("avc_parameters", Shape::object({required("profile", Shape::integer()),
                                                    required("level", Shape::integer()),
                                                    required("flags", Shape::integer())})),
          optional("frame_rate", rate),
          optional("vfr", Shape::boolean()),
          optional("init_segments", Shape::boolean())};
}

Shape video_parameters() {
  return with_rate_rule(Shape::object(video_members(ratio(), rate()), kForbid))
      .named("VideoEssenceParameters");
}

Members audio_members() {
  return {
      required("sample_rate", positive()),
      required("channels", positive()),
      optional("bit_depth", positive()),
      optional("codec_parameters", Shape::object({optional("coded_frame_size", Shape::integer()),
                                                  optional("mp4_oti", Shape::integer())})),
      optional(
          "unc_parameters",
          Shape::object({required("unc_type", Shape::choice({"interleaved", "planar", "pairs"}))})),
      optional("init_segments", Shape::boolean())};
}

Shape audio_parameters() {
  return Shape::object(audio_members(), kForbid).named("AudioEssenceParameters");
}

Members image_members(const Shape& ratio) {
  return {required("frame_width", positive()), required("frame_height", positive()),
          optional("aspect_ratio", ratio)};
}

Shape image_parameters() {
  return Shape::object(image_members(ratio()), kForbid).named("ImageEssenceParameters");
}

Members data_members() {
  return {optional("data_type", Shape::string()), optional("init_segments", Shape::boolean())};
}

Shape data_parameters() {
  return Shape::object(data_members(), kForbid).named("DataEssenceParameters");
}

Members multi_members() { return {optional("init_segments", Shape::boolean())}; }

Shape multi_parameters() {
  return Shape::object(multi_members(), kForbid).named("MultiEssenceParameters");
}

Shape collection_item() {
  return Shape::object({required("id", uuid()), optional("role", Shape::string()),
                        optional("container_mapping", container_mapping())});
}

//! The members that a flow of any format has. Dates of a request are ignored: anything will do.
Members flow_members(const Shape& date) {
  return {required("id", uuid()),
          required("source_id", uuid()),
          optional("label", Shape::string()),
          optional("description", Shape::string()),
          optional("created_by", Shape::string()),
          optional("updated_by", Shape::string()),
          optional("tags", tags()),
          optional("metadata_version", Shape::string()),
          optional("generation", Shape::integer(0)),
          optional("created", date),
          optional("metadata_updated", date),
          optional("segments_updated", date),
          optional("status", flow_status()),
          optional("read_only", Shape::boolean()),
          optional("max_bit_rate", bit_rate()),
          optional("timerange", timerange()),
          optional("flow_collection", flow_collection()),
          optional("collected_by", Shape::array(uuid()))};
}

//! Codec and essence parameters are required of all formats but multi. `essence`: the members that
//! hold the parameters.
Shape technical_variant(Members essence, bool codec_required = true) {
  Members members = {{"codec", loose_mime_type(), codec_required},
                     optional("avg_bit_rate", bit_rate()),
                     optional("segment_duration", rate()),
                     optional("container", loose_mime_type()),
                     optional("container_mapping", container_mapping())};
  members.insert(members.end(), essence.begin(), essence.end());
  return Shape::object(std::move(members));
}

Members nested(Shape parameters, bool is_required = true) {
  return {{"essence_parameters", std::move(parameters), is_required}};
}

//! The members of a flow that a profile can hold, by format.
Shape technical_metadata() {
  return Shape::tagged(
             "format",
             {{std::string(kVideo), technical_variant(nested(video_parameters()))},
              {std::string(kAudio), technical_variant(nested(audio_parameters()))},
              {std::string(kImage), technical_variant(nested(image_parameters()))},
              {std::string(kData), technical_variant(nested(data_parameters()))},
              {std::string(kMulti), technical_variant(nested(multi_parameters(), false), false)}})
      .named("FlowTechnical");
}

//! The same with the essence parameters beside the other members, and with fractions as people
//! write them (flat_flow.h).
Shape flat_technical_metadata() {
  const Shape written =
      described(Shape::string(), {{"pattern", R"("^[1-9][0-9]{0,8}([/:][1-9][0-9]{0,8})?$")"}});
  const auto written_too = [&](const Shape& fraction) {
    return Shape::either(Shape::integer(1), Shape::either(written, fraction));
  };
  const Shape flat_ratio = written_too(ratio());
  return described(
      Shape::tagged("format", {{std::string(kVideo), with_rate_rule(technical_variant(video_members(
                                                         flat_ratio, written_too(rate()))))},
                               {std::string(kAudio), technical_variant(audio_members())},
                               {std::string(kImage), technical_variant(image_members(flat_ratio))},
                               {std::string(kData), technical_variant(data_members())},
                               {std::string(kMulti), technical_variant(multi_members(), false)}}),
      {{"not", R"({"required":["essence_parameters"]})"}});
}

//! A JSON Schema that holds when any of the members is there.
std::string any_required(std::span<const std::string_view> members) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("anyOf");
  out.begin_array();
  for (const std::string_view member : members) {
    out.begin_object();
    out.key("required");
    out.begin_array();
    out.string(member);
    out.end_array();
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return text;
}

Shape flow_of_any_format(const Shape& date) {
  return Shape::both(Shape::object(flow_members(date)), technical_metadata());
}

Shape get_urls() {
  return Shape::array(
             Shape::object(
                 {required("url", Shape::string()), optional("storage_id", uuid()),
                  optional("presigned", Shape::boolean()), optional("label", Shape::string()),
                  optional("controlled", Shape::boolean()), optional("store_type", Shape::string()),
                  optional("provider", Shape::string()), optional("region", Shape::string()),
                  optional("availability_zone", Shape::string()),
                  optional("store_product", Shape::string()), optional("tags", tags())},
                 kForbid))
      .named("GetUrls");
}

Shape put_url() {
  return Shape::object({required("url", Shape::string()), optional("content-type", Shape::string()),
                        optional("headers", Shape::dictionary(Shape::string())),
                        optional("body", Shape::string())});
}

Shape no_negative_timestamp() {
  return Shape::form("Duration", "^(0|[1-9][0-9]*):(0|[1-9][0-9]{0,8})$",
                     [](std::string_view text) -> Status {
                       REEL_ASSIGN(const time::Timestamp at, time::Timestamp::parse(text));
                       if (at.nanoseconds() >= 0) return {};
                       return invalid("'{}' must not be negative", text);
                     });
}

}  // namespace

Status check_mime_type(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kTypes = {
      "application", "audio", "font",      "example", "image",
      "message",     "model", "multipart", "text",    "video"};
  constexpr std::string_view kToken =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&'*+.^_`|~-";
  const auto is_token = [&](std::string_view part) {
    return !part.empty() && part.find_first_not_of(kToken) == std::string_view::npos;
  };
  const auto slash = text.find('/');
  const std::string_view type = text.substr(0, slash);
  const bool known = std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end() ||
                     (type.starts_with("x-") && is_token(type.substr(2)));
  if (!known || slash == std::string_view::npos || !is_token(text.substr(slash + 1))) {
    return invalid("'{}' is not a MIME type without parameters", text.substr(0, 64));
  }
  return {};
}

Shape uuid() {
  return Shape::form("UUID",
                     "^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
                     check_uuid)
      .named("Uuid");
}

Shape timerange() {
  // The pattern of the specification without what it says in words: one moment is inclusive, and
  // seconds end at 2^48, which has 15 digits.
  static const std::string kPattern =
      fmt::format(R"(^([\[(]?[\])]?|\[?{0}\]?|[\[(]?({0})?_({0})?[\])]?)$)", kTimestamp);
  return Shape::form("TimeRange", kPattern, check_timerange).named("TimeRange");
}

Shape timestamp() {
  return Shape::form("Timestamp", fmt::format("^{}$", kTimestamp), check_timestamp)
      .named("Timestamp");
}

Shape date_time() {
  return Shape::form("Date and time, RFC 3339", "", check_date_time, "date-time");
}

Shape mime_type() {
  return Shape::form("MIME Type",
                     "^(application|audio|font|example|image|message|model|multipart|text|video|"
                     "x-(?:[0-9A-Za-z!#$%&'*+.^_`|~-]+))/([0-9A-Za-z!#$%&'*+.^_`|~-]+)$",
                     check_mime_type)
      .named("MimeType");
}

Shape content_format() {
  return Shape::choice({std::string(kVideo), std::string(kImage), std::string(kAudio),
                        std::string(kData), std::string(kMulti)})
      .named("ContentFormat");
}

Shape flow_status() {
  return Shape::choice(
             {"awaiting_content", "ingesting", "replication_in_progress", "closed_complete"})
      .named("FlowStatus");
}

Shape tag_value() {
  return Shape::either(Shape::string(), Shape::array(Shape::string())).named("TagValue");
}

Shape tags() { return Shape::dictionary(tag_value()).named("Tags"); }

Shape bit_rate() { return Shape::integer(0); }

Shape error() {
  return Shape::object({required("type", Shape::string()), required("summary", Shape::string()),
                        required("time", date_time()), optional("message", Shape::string()),
                        optional("request_id", Shape::string()),
                        optional("pointer", Shape::string())})
      .named("Error");
}

Shape service() {
  return Shape::object({optional("name", Shape::string()), optional("description", Shape::string()),
                        required("type", Shape::string()), required("api_version", Shape::string()),
                        optional("service_version", Shape::string()),
                        required("min_object_timeout", timestamp()),
                        optional("min_presigned_url_timeout", timestamp()),
                        optional("event_stream_mechanisms",
                                 Shape::array(Shape::object({required("name", Shape::string()),
                                                             optional("docs", Shape::string())})))})
      .named("Service");
}

Shape service_update() {
  return Shape::object(
             {optional("name", Shape::string(1024)), optional("description", Shape::string())})
      .named("ServiceUpdate");
}

Shape storage_backends() {
  return Shape::array(
      Shape::object({required("id", uuid()), required("store_type", Shape::string()),
                     required("provider", Shape::string()),
                     required("store_product", Shape::string()), optional("label", Shape::string()),
                     optional("region", Shape::string()),
                     optional("availability_zone", Shape::string()),
                     optional("default_storage", Shape::boolean()), optional("tags", tags())})
          .named("StorageBackend"));
}

Shape source() {
  const Shape item = Shape::object({required("id", uuid()), optional("role", Shape::string())});
  return Shape::object(
             {required("id", uuid()), required("format", content_format()),
              optional("label", Shape::string()), optional("description", Shape::string()),
              optional("created_by", Shape::string()), optional("updated_by", Shape::string()),
              optional("created", date_time()), optional("updated", date_time()),
              optional("tags", tags()), optional("source_collection", Shape::array(item)),
              optional("collected_by", Shape::array(uuid()))})
      .named("Source");
}

Shape source_post() {
  return Shape::object({optional("id", uuid()), required("format", content_format()),
                        optional("label", Shape::string()),
                        optional("description", Shape::string()), optional("tags", tags())})
      .named("SourcePost");
}

Shape source_put() {
  return Shape::object({optional("id", uuid()), optional("format", content_format()),
                        optional("label", Shape::string()),
                        optional("description", Shape::string()), optional("tags", tags())})
      .named("SourcePut");
}

Shape flow_collection() {
  const auto no_member_twice = [](const Value& value) -> Status {
    std::set<std::string> seen;
    for (const Value& item : *value.as_array()) {
      const std::string& id = *item.find("id")->as_string();
      if (!seen.insert(id).second) return invalid("flow {} is collected twice", id);
    }
    return {};
  };
  return Shape::array(collection_item()).with_rule(no_member_twice).named("FlowCollection");
}

Shape flow_put() {
  // A flow takes its technical metadata from the body, or all of it from a profile. The empty
  // profile_id unlinks a flow from its profile.
  const auto linked = [](const Value& value) -> std::size_t {
    const Value* profile = value.find("profile_id");
    const bool unlink =
        profile != nullptr && profile->as_string() != nullptr && profile->as_string()->empty();
    return profile != nullptr && !unlink ? 1 : 0;
  };
  const auto nothing_technical = [](const Value& value) -> Status {
    for (const std::string_view member : kTechnicalMembers) {
      if (value.find(member) == nullptr) continue;
      return at(json::join_pointer("", member),
                invalid("'{}' comes from the profile and must not be given", member));
    }
    return {};
  };
  auto members = flow_members(Shape::any());
  members.push_back(required("profile_id", uuid()));
  const Shape from_profile =
      Shape::object(std::move(members))
          .with_rule(nothing_technical, {{"not", any_required(kTechnicalMembers)}});
  const Shape unlinked = Shape::both(flow_of_any_format(Shape::any()),
                                     Shape::object({optional("profile_id", Shape::choice({""}))}));
  return Shape::select({unlinked, from_profile}, linked).named("FlowPut");
}

Shape profile() {
  const auto one_essence = [](const Value& value) -> Status {
    const std::string& format = *value.find("flow_metadata")->find("format")->as_string();
    if (format != kMulti) return {};
    return at("/flow_metadata/format", invalid("a profile describes a single essence"));
  };
  return Shape::object({required("id", uuid()), optional("label", Shape::string()),
                        optional("description", Shape::string()),
                        optional("created_by", Shape::string()), optional("created", date_time()),
                        optional("tags", tags()), required("flow_metadata", technical_metadata())})
      .with_rule(one_essence,
                 {{"not", R"({"properties":{"flow_metadata":{"properties":{"format":{"const":")" +
                              std::string(kMulti) + R"("}}}}})"}})
      .named("Profile");
}

Shape flow() { return flow_of_any_format(date_time()).named("Flow"); }

Shape flow_post() {
  // What unflatten_flow() makes of it is checked as a flow; here readers are told both forms.
  Members members = flow_members(Shape::any());
  for (Shape::MemberShape& member : members) {
    if (member.name == "id") member.required = false;
  }
  std::string forms;
  json::Writer out(forms);
  out.begin_array();
  flat_technical_metadata().write_use(out);
  technical_metadata().write_use(out);
  out.end_array();
  return described(Shape::object(std::move(members)), {{"anyOf", forms}}).named("FlowPost");
}

Shape segment_post() {
  const Shape url =
      Shape::object({required("url", Shape::string()), required("label", Shape::string())});
  return Shape::object(
             {required("object_id", Shape::nonempty_string(1024)),
              required("timerange", timerange()), optional("init_object_id", Shape::string(1024)),
              optional("ts_offset", timestamp()), optional("object_timerange", timerange()),
              optional("last_duration", no_negative_timestamp()),
              optional("sample_offset", Shape::integer()),
              optional("sample_count", Shape::integer()), optional("get_urls", Shape::array(url)),
              optional("key_frame_count", Shape::integer(0)), optional("tags", tags())})
      .named("SegmentPost");
}

Shape segments_post() { return Shape::either(segment_post(), Shape::array(segment_post())); }

Shape segment() {
  return Shape::object(
             {required("object_id", Shape::string()), required("timerange", timerange()),
              optional("ts_offset", timestamp()), optional("last_duration", timestamp()),
              optional("object_timerange", timerange()),
              optional("sample_offset", Shape::integer()),
              optional("sample_count", Shape::integer()),
              optional("init_object", Shape::object({required("object_id", Shape::string()),
                                                     optional("get_urls", get_urls())},
                                                    kForbid)),
              optional("key_frame_count", Shape::integer()), optional("get_urls", get_urls()),
              optional("tags", tags())})
      .named("Segment");
}

Shape change() {
  return Shape::object({required("sequence", Shape::integer(1)), required("at", date_time()),
                        required("type", Shape::string()), required("actor", Shape::string()),
                        optional("flow_id", uuid()), optional("source_id", uuid()),
                        required("event", Shape::dictionary(Shape::any())),
                        optional("before", Shape::dictionary(Shape::any()))})
      .named("Change");
}

Shape failed_segments() {
  return Shape::object({required("failed_segments",
                                 Shape::array(Shape::object({required("object_id", Shape::string()),
                                                             optional("timerange", Shape::string()),
                                                             optional("error", error())})))})
      .named("FailedSegments");
}

Shape deletion_request() {
  return Shape::object({required("id", uuid()), required("flow_id", uuid()),
                        required("timerange_to_delete", timerange()),
                        optional("timerange_remaining", timerange()),
                        required("delete_flow", Shape::boolean()),
                        required("status", Shape::choice({"created", "started", "done", "error"})),
                        optional("created", date_time()), optional("created_by", Shape::string()),
                        optional("updated", date_time()), optional("expiry", date_time()),
                        optional("error", error())})
      .named("DeletionRequest");
}

Shape deletion_post() {
  return Shape::object({required("flow_id", uuid()), optional("timerange_to_delete", timerange()),
                        optional("delete_flow", Shape::boolean())})
      .named("DeletionPost");
}

Shape trash_item() {
  const Shape segments =
      Shape::object({required("flow_id", uuid()), required("timerange", timerange()),
                     required("count", Shape::integer(1))});
  return Shape::object({required("id", uuid()),
                        required("type", Shape::choice({"flow", "segments", "source"})),
                        required("deleted", date_time()), required("deleted_by", Shape::string()),
                        required("expires", date_time()), optional("flow", flow()),
                        optional("segments", segments), optional("source", source())})
      .named("TrashItem");
}

Shape restored() {
  return Shape::select({flow(), source()}, [](const Value& value) -> std::size_t {
    return value.find("source_id") == nullptr ? 1 : 0;
  });
}

Shape storage_request() {
  const auto one_of_both = [](const Value& value) -> Status {
    if (value.find("limit") == nullptr || value.find("object_ids") == nullptr) return {};
    return invalid("'limit' and 'object_ids' exclude each other");
  };
  return Shape::object({optional("limit", Shape::integer(1)),
                        optional("object_ids", Shape::array(Shape::nonempty_string(1024))),
                        optional("storage_id", uuid()), optional("content_type", mime_type()),
                        optional("presigned", Shape::boolean())})
      .with_rule(one_of_both, {{"not", R"({"required":["limit","object_ids"]})"}})
      .named("StorageRequest");
}

Shape storage_allocation() {
  return Shape::object(
             {optional("media_objects",
                       Shape::array(Shape::object({required("object_id", Shape::string()),
                                                   required("put_url", put_url()),
                                                   optional("presigned", Shape::boolean())})))},
             kForbid)
      .named("StorageAllocation");
}

Shape search_hits() {
  return Shape::array(Shape::object({required("type", Shape::choice({"source", "flow"})),
                                     required("id", uuid()), required("score", Shape::number()),
                                     optional("source", source()), optional("flow", flow())})
                          .named("SearchHit"));
}

Shape object_post() {
  return Shape::object({optional("id", Shape::nonempty_string(1024)),
                        optional("object_id", Shape::nonempty_string(1024)),
                        optional("flow_id", uuid()), optional("storage_id", uuid()),
                        optional("content_type", mime_type()),
                        optional("presigned", Shape::boolean())})
      .named("ObjectPost");
}

Shape object_allocation() {
  return Shape::object({required("object_id", Shape::string()), required("put_url", put_url()),
                        optional("presigned", Shape::boolean())})
      .named("ObjectAllocation");
}

Shape object() {
  return Shape::object(
             {required("id", Shape::string()),
              required("referenced_by_flows", Shape::array(uuid())),
              optional("first_referenced_by_flow", uuid()), optional("timerange", timerange()),
              optional("key_frame_count", Shape::integer()), optional("get_urls", get_urls()),
              optional("init_object", Shape::object({required("id", Shape::string()),
                                                     optional("get_urls", get_urls())},
                                                    kForbid))},
             kForbid)
      .named("Object");
}

Shape instance_post() {
  const auto not_both = [](const Value& value) -> Status {
    if (value.find("url") == nullptr || value.find("label") == nullptr) return {};
    return invalid("'storage_id' excludes 'url' and 'label'");
  };
  const Shape controlled = Shape::object({required("storage_id", uuid())})
                               .with_rule(not_both, {{"not", R"({"required":["url","label"]})"}});
  // Who names a storage_id has chosen the other one.
  const Shape uncontrolled =
      described(Shape::object({required("url", Shape::nonempty_string()),
                               required("label", Shape::nonempty_string(1024))}),
                {{"not", R"({"required":["storage_id"]})"}});
  return Shape::select({controlled, uncontrolled},
                       [](const Value& value) -> std::size_t {
                         return value.find("storage_id") == nullptr ? 1 : 0;
                       })
      .named("InstancePost");
}

}  // namespace reel::tams::shape

#include "cli/listing.h"

#include "base/percent.h"
#include "cli/json_fields.h"
#include "cli/table.h"

namespace reel::cli {
namespace {

//! "video" for "urn:x-nmos:format:video".
std::string short_format(const std::string& urn) {
  const auto colon = urn.rfind(':');
  return colon == urn.npos ? urn : urn.substr(colon + 1);
}

std::string format_urn(const std::string& name) {
  if (name.find(':') != name.npos) return name;
  // The one format that is TAMS' own has another prefix.
  return (name == "image" ? "urn:x-tam:format:" : "urn:x-nmos:format:") + name;
}

std::string rate_text(const json::Value& parameters) {
  const json::Value* rate = parameters.find("frame_rate");
  if (rate == nullptr) return "variable rate";
  const auto numerator = integer_field(*rate, "numerator").value_or(0);
  const auto denominator = integer_field(*rate, "denominator").value_or(1);
  if (denominator <= 0) return {};
  const double fps = static_cast<double>(numerator) / static_cast<double>(denominator);
  std::string text = fmt::format("{:.2f}", fps);
  if (text.ends_with(".00")) text.resize(text.size() - 3);
  return text + " fps";
}

std::string count_text(const json::Value& object, std::string_view name) {
  const auto count = integer_field(object, name);
  return count ? std::to_string(*count) : std::string();
}

}  // namespace

Result<std::string> list_query(const ListFilters& filters) {
  std::string query;
  const auto add = [&query](const std::string& name, const std::string& value) {
    query += query.empty() ? '?' : '&';
    query += name + '=' + percent_encode(value);
  };
  if (!filters.timerange.empty()) {
    REEL_ASSIGN(const auto range, time::TimeRange::parse(filters.timerange));
    add("timerange", range.to_string());
  }
  if (!filters.label.empty()) add("label", filters.label);
  if (!filters.format.empty()) add("format", format_urn(filters.format));
  if (!filters.source_id.empty()) add("source_id", filters.source_id);
  if (!filters.codec.empty()) add("codec", filters.codec);
  if (!filters.status.empty()) add("status", filters.status);
  for (const std::string& tag : filters.tags) {
    const auto equals = tag.find('=');
    const std::string name = percent_encode(tag.substr(0, equals));
    if (equals == tag.npos) {
      add("tag_exists." + name, "true");
    } else {
      add("tag." + name, tag.substr(equals + 1));
    }
  }
  if (filters.without_urls) add("accept_get_urls", "");
  return query;
}

std::string essence_text(const json::Value& flow) {
  std::string format = short_format(string_field(flow, "format"));
  const json::Value* parameters = flow.find("essence_parameters");
  if (format == "multi") {
    return fmt::format("multi, {} flows", array_field(flow, "flow_collection").size());
  }
  if (parameters == nullptr) return format;
  if (format == "video") {
    return fmt::format("video {}x{} {}", count_text(*parameters, "frame_width"),
                       count_text(*parameters, "frame_height"), rate_text(*parameters));
  }
  if (format == "audio") {
    return fmt::format("audio {} Hz {} ch", count_text(*parameters, "sample_rate"),
                       count_text(*parameters, "channels"));
  }
  return format;
}

Result<std::string> source_table(TamsClient&, const json::Array& sources) {
  Table table({{"SOURCE"}, {"FORMAT"}, {"LABEL", false, 40}, {"COLLECTS", true}, {"CREATED"}});
  for (const json::Value& source : sources) {
    const std::size_t collected = array_field(source, "source_collection").size();
    table.add({string_field(source, "id"), short_format(string_field(source, "format")),
               string_field(source, "label"), collected > 0 ? std::to_string(collected) : "",
               string_field(source, "created").substr(0, 19)});
  }
  return table.to_text();
}

Result<std::string> flow_table(TamsClient& client, const json::Array& flows) {
  Table table({{"FLOW"},
               {"LABEL", false, 32},
               {"ESSENCE"},
               {"CODEC"},
               {"KBIT/S", true},
               {"STATUS"},
               {"TIMERANGE"}});
  for (const json::Value& flow : flows) {
    const std::string id = string_field(flow, "id");
    auto detail = client.get("/flows/" + id + "?include_timerange=true");
    // It may have been deleted since it was listed.
    const std::string range = detail ? string_field(*detail, "timerange") : "deleted";
    table.add({id, string_field(flow, "label"), essence_text(flow), string_field(flow, "codec"),
               count_text(flow, "avg_bit_rate"), string_field(flow, "status"), range});
  }
  return table.to_text();
}

Result<std::string> segment_table(TamsClient&, const json::Array& segments) {
  Table table({{"TIMERANGE"}, {"SECONDS", true}, {"KEYS", true}, {"OFFSET", true}, {"OBJECT"}});
  for (const json::Value& entry : segments) {
    REEL_ASSIGN(const Segment segment, parse_segment(entry));
    std::string seconds;
    if (segment.timerange.is_bounded()) {
      const auto length =
          *segment.timerange.past_last_nanoseconds() - segment.timerange.first()->nanoseconds();
      seconds = fmt::format("{:.3f}", time::Timestamp::from_nanoseconds(length).to_seconds());
    }
    table.add({segment.timerange.to_string(), seconds,
               segment.key_frames > 0 ? std::to_string(segment.key_frames) : "",
               segment.ts_offset == time::Timestamp() ? "" : segment.ts_offset.to_string(),
               segment.object_id});
  }
  return table.to_text();
}

}  // namespace reel::cli

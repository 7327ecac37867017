#include "obs/otlp.h"

#include <algorithm>
#include <charconv>

#include "base/version.h"
#include "json/value.h"
#include "json/writer.h"

namespace reel::obs {
namespace {

constexpr int kStatusError = 2;

//! 64-bit numbers are texts in OTLP/JSON.
void decimal_field(json::Writer& out, std::string_view name, std::int64_t number) {
  out.field(name, std::string_view(fmt::format("{}", number)));
}

void write_value(json::Writer& out, const AttributeValue& value) {
  out.begin_object();
  if (const auto* text = std::get_if<std::string>(&value)) {
    out.field("stringValue", std::string_view(*text));
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    decimal_field(out, "intValue", *number);
  } else {
    out.field("boolValue", std::get<bool>(value));
  }
  out.end_object();
}

void write_attributes(json::Writer& out,
                      const std::vector<std::pair<std::string_view, AttributeValue>>& attributes) {
  out.key("attributes");
  out.begin_array();
  for (const auto& [name, value] : attributes) {
    out.begin_object();
    out.field("key", name);
    out.key("value");
    write_value(out, value);
    out.end_object();
  }
  out.end_array();
}

void write_span(json::Writer& out, const FinishedSpan& span) {
  out.begin_object();
  out.field("traceId", std::string_view(span.context.trace_id));
  out.field("spanId", std::string_view(span.context.span_id));
  if (!span.parent_span_id.empty()) {
    out.field("parentSpanId", std::string_view(span.parent_span_id));
  }
  out.field("name", std::string_view(span.name));
  out.field("kind", static_cast<int>(span.kind));
  decimal_field(out, "startTimeUnixNano", span.start_ns);
  decimal_field(out, "endTimeUnixNano", span.end_ns);
  write_attributes(out, span.attributes);
  if (span.failed) {
    out.key("status");
    out.begin_object();
    out.field("code", kStatusError);
    out.end_object();
  }
  out.end_object();
}

}  // namespace

std::string otlp_request(const ResourceAttributes& resource, std::span<const FinishedSpan> spans) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("resourceSpans");
  out.begin_array();
  out.begin_object();
  out.key("resource");
  out.begin_object();
  write_attributes(out, resource);
  out.end_object();
  out.key("scopeSpans");
  out.begin_array();
  out.begin_object();
  out.key("scope");
  out.begin_object();
  out.field("name", "reelhouse");
  out.field("version", kVersion);
  out.end_object();
  out.key("spans");
  out.begin_array();
  for (const FinishedSpan& span : spans) write_span(out, span);
  out.end_array();
  out.end_object();
  out.end_array();
  out.end_object();
  out.end_array();
  out.end_object();
  return text;
}

std::uint64_t otlp_rejected(std::string_view answer) {
  const auto document = json::parse(answer);
  if (!document) return 0;
  const json::Value* partial = document->find("partialSuccess");
  const json::Value* rejected = partial == nullptr ? nullptr : partial->find("rejectedSpans");
  if (rejected == nullptr) return 0;
  std::int64_t count = 0;
  if (const auto* text = rejected->as_string()) {
    std::from_chars(text->data(), text->data() + text->size(), count);
  } else {
    (void)rejected->get_int64(count);
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, count));
}

}  // namespace reel::obs

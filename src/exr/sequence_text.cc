#include "exr/sequence_text.h"

namespace reel::exr {
namespace {

void write_ranges(json::Writer& out, std::string_view key, std::span<const FrameRange> ranges) {
  out.key(key);
  out.begin_array();
  for (const FrameRange& range : ranges) {
    out.begin_array();
    out.integer(range.first);
    out.integer(range.last);
    out.end_array();
  }
  out.end_array();
}

}  // namespace

std::string ranges_text(std::span<const FrameRange> ranges, std::int64_t step) {
  std::string out;
  for (const FrameRange& range : ranges) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{}", range.first);
    if (range.last == range.first) continue;
    out += fmt::format("-{}", range.last);
    if (step > 1) out += fmt::format(" by {}", step);
  }
  return out;
}

void write_report(json::Writer& out, const SequenceReport& report) {
  out.begin_object();
  out.field("pattern", report.pattern);
  out.field("kind", report.kind == SequenceKind::tiles ? "tiles" : "frames");
  out.field("first", report.first);
  out.field("last", report.last);
  out.field("step", report.step);
  out.field("files", std::uint64_t{report.files});
  out.field("size_bytes", report.size_bytes);
  write_ranges(out, "ranges", report.ranges);
  if (report.rate) {
    out.field("time_code_rate",
              fmt::format("{}/{}", report.rate->numerator, report.rate->denominator));
    out.field("time_code_rate_declared", report.rate_declared);
  }
  out.key("varying");
  out.begin_array();
  for (const std::string& each : report.varying) out.string(each);
  out.end_array();
  out.key("faults");
  out.begin_array();
  for (const SequenceFault& fault : report.faults) {
    out.begin_object();
    out.field("code", fault.code);
    out.field("severity", severity_name(fault.severity));
    write_ranges(out, "frames", fault.frames);
    out.field("message", fault.message);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

std::string report_text(const SequenceReport& report) {
  std::string out = fmt::format("{}  {} files, {} {}", report.pattern, report.files,
                                report.kind == SequenceKind::tiles ? "tiles" : "frames",
                                ranges_text(report.ranges, report.step));
  for (const std::string& each : report.varying) out += fmt::format("\n  varies: {}", each);
  for (const SequenceFault& fault : report.faults) {
    out += fmt::format("\n  {}: {}: {}", severity_name(fault.severity),
                       ranges_text(fault.frames, report.step), fault.message);
  }
  return out + "\n";
}

}  // namespace reel::exr

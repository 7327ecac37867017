#include "exr/inspect.h"

#include <algorithm>

#include "exr/finding_codes.h"
#include "exr/rules.h"

namespace reel::exr {
namespace {

//! Those whose values are part of the shape.
constexpr std::string_view kShapeAttributes[] = {
    "acesImageContainerFlag",
    "channels",
    "chromaticities",
    "colorInteropID",
    "compression",
    "deepImageState",
    "displayWindow",
    "envmap",
    "lineOrder",
    "multiView",
    "name",
    "pixelAspectRatio",
    "tiles",
    "type",
    "view",
};

const Rule& rule_of(Code code) {
  switch (code) {
    case Code::not_found: return kFileNotFound;
    case Code::invalid: return kNotAFile;
    default: return kFileUnreadable;
  }
}

void append(Findings& to, Findings&& from) {
  for (Finding& each : from) add(to, std::move(each));
}

Status look(ByteSource& source, const InspectLimits& limits, Inspection& out) {
  REEL_ASSIGN(Walk walked, walk(source, limits.walk));
  out.header = std::move(walked.header);
  out.findings = std::move(walked.findings);
  out.header_whole = walked.whole;
  append(out.findings, check_rules(out.header, walked.whole));
  if (!walked.whole) {
    out.complete = false;
    return {};
  }
  out.shape = shape_hash(out.header);
  REEL_ASSIGN(Chunks chunks, check_chunks(source, out.header, limits.chunks));
  append(out.findings, std::move(chunks.findings));
  out.chunks = std::move(chunks.parts);
  out.complete = chunks.complete;
  return {};
}

void look_at(ByteSource& source, const InspectLimits& limits, Inspection& out) {
  const Status looked = look(source, limits, out);
  if (looked) return;
  add(out.findings, broken(kReadFailed, {}, fmt::format("The file {}", looked.error().message())));
}

//! One that is written while it is read is none that can be judged.
void check_unchanged(const FileSource& file, Findings& findings) {
  const auto now = file.state_now();
  if (!now || *now == file.state()) return;
  add(findings, broken(kFileChanged, {},
                       fmt::format("The file changed while it was read: it had {} bytes at {}, and "
                                   "then {} at {}",
                                   file.state().size, file.state().modified.to_string(), now->size,
                                   now->modified.to_string())));
}

}  // namespace

std::string_view status_name(FileStatus status) {
  switch (status) {
    case FileStatus::ok: return "ok";
    case FileStatus::findings: return "findings";
    case FileStatus::error: break;
  }
  return "error";
}

FileStatus Inspection::status() const {
  if (has_error(findings)) return FileStatus::error;
  return findings.empty() ? FileStatus::ok : FileStatus::findings;
}

Inspection inspect_file(const std::string& path, const InspectLimits& limits) {
  Inspection out;
  out.path = path;
  auto file = FileSource::open(path);
  if (!file) {
    out.findings.push_back(broken(rule_of(file.error().code()), {},
                                  fmt::format("The path {}", file.error().message())));
    return out;
  }
  out.size = (*file)->state().size;
  out.modified = (*file)->state().modified;
  look_at(**file, limits, out);
  check_unchanged(**file, out.findings);
  return out;
}

Inspection inspect(ByteSource& source, std::string path, const InspectLimits& limits) {
  Inspection out;
  out.path = std::move(path);
  out.size = source.size();
  look_at(source, limits, out);
  return out;
}

Sha256Digest shape_hash(const Header& header) {
  Sha256 shape;
  const auto add = [&](std::string_view bytes) { shape.update(as_bytes(bytes)); };
  add(std::to_string(header.version.bits));
  for (const Part& part : header.parts) {
    std::vector<const Attribute*> attributes;
    for (const Attribute& each : part.attributes) attributes.push_back(&each);
    std::sort(attributes.begin(), attributes.end(), [](const Attribute* a, const Attribute* b) {
      return a->name != b->name ? a->name < b->name : a->offset < b->offset;
    });
    add("\npart\n");
    for (const Attribute* each : attributes) {
      const bool has_value = std::find(std::begin(kShapeAttributes), std::end(kShapeAttributes),
                                       each->name) != std::end(kShapeAttributes);
      const std::string_view value = has_value ? std::string_view(each->bytes) : std::string_view();
      // With lengths, so that no two shapes have the same bytes.
      add(fmt::format("{} {} {}\n{}{}", each->name.size(), each->type.size(), value.size(),
                      each->name, each->type));
      add(value);
    }
  }
  return shape.finish();
}

}  // namespace reel::exr

#include "cli/exr_view.h"

#include <algorithm>
#include <set>

#include "exr/inspect_json.h"
#include "exr/values.h"
#include "json/writer.h"

namespace reel::cli {
namespace {

constexpr std::size_t kValueWidthMax = 100;

std::string joined(const std::set<std::string>& texts) {
  std::string out;
  for (const std::string& each : texts) out += (out.empty() ? "" : ", ") + each;
  return out;
}

std::string window_text(const exr::Box2i& window) {
  return fmt::format("{}x{}", std::int64_t{window.max.of[0]} - window.min.of[0] + 1,
                     std::int64_t{window.max.of[1]} - window.min.of[1] + 1);
}

std::string compression_text(const exr::Enumerated& value) {
  const std::string_view name = exr::compression_name(value.number);
  return name.empty() ? std::to_string(value.number) : std::string(name);
}

std::string value_text(const exr::Attribute& attribute) {
  std::string out;
  json::Writer writer(out);
  exr::write_value(writer, attribute);
  return out;
}

}  // namespace

InspectionRow inspection_row(const exr::Inspection& inspection) {
  std::set<std::string> windows;
  std::set<std::string> compressions;
  std::size_t channels = 0;
  for (const exr::Part& part : inspection.header.parts) {
    if (const auto window = exr::value_of<exr::Box2i>(part, "displayWindow")) {
      windows.insert(window_text(*window));
    }
    if (const auto compression = exr::value_of<exr::Enumerated>(part, "compression")) {
      compressions.insert(compression_text(*compression));
    }
    const auto list = exr::value_of<std::vector<exr::Channel>>(part, "channels");
    channels += list ? list->size() : 0;
  }
  const std::optional<bool> complete = inspection.complete;
  return {.path = inspection.path,
          .status = inspection.status(),
          .cells = {std::to_string(inspection.header.parts.size()), std::to_string(channels),
                    joined(windows), joined(compressions),
                    !complete   ? "?"
                    : *complete ? "yes"
                                : "no"},
          .findings = inspection.findings};
}

std::string attributes_text(const exr::Inspection& inspection) {
  Table table({{.name = "PART", .right = true},
               {.name = "ATTRIBUTE"},
               {.name = "TYPE"},
               {.name = "VALUE", .width_max = kValueWidthMax}});
  for (std::size_t i = 0; i < inspection.header.parts.size(); ++i) {
    for (const exr::Attribute& each : inspection.header.parts[i].attributes) {
      table.add({std::to_string(i), each.name, each.type, value_text(each)});
    }
  }
  return fmt::format("{}\n{}\n", inspection.path, table.to_text());
}

InspectionTables::InspectionTables()
    : files_({{.name = "FILE"},
              {.name = "STATUS"},
              {.name = "PARTS", .right = true},
              {.name = "CHANNELS", .right = true},
              {.name = "WINDOW"},
              {.name = "COMPRESSION"},
              {.name = "COMPLETE"}}),
      findings_({{.name = "FILE"},
                 {.name = "SEVERITY"},
                 {.name = "CODE"},
                 {.name = "PART", .right = true},
                 {.name = "BYTE", .right = true},
                 {.name = "MESSAGE"}}) {}

void InspectionTables::add(InspectionRow row) {
  ++count_;
  ++by_status_.at(static_cast<std::size_t>(row.status));
  finding_count_ += row.findings.size();
  for (const exr::Finding& each : row.findings) {
    findings_.add({row.path, std::string(exr::severity_name(each.severity)), std::string(each.code),
                   each.part ? std::to_string(*each.part) : "",
                   each.offset ? std::to_string(*each.offset) : "", each.message});
  }
  row.cells.insert(row.cells.begin(),
                   {std::move(row.path), std::string(exr::status_name(row.status))});
  files_.add(std::move(row.cells));
}

std::string InspectionTables::to_text() const {
  std::string out = files_.to_text();
  if (finding_count_ > 0) out += "\n" + findings_.to_text();
  return out + fmt::format("\n{} files: {} ok, {} with findings, {} with errors\n", count_,
                           by_status_[0], by_status_[1], by_status_[2]);
}

std::string differences_text(const std::vector<exr::Difference>& differences) {
  if (differences.empty()) return "";
  Table table({{.name = "PART"},
               {.name = "WHAT"},
               {.name = "NAME"},
               {.name = "FIRST", .width_max = kValueWidthMax},
               {.name = "SECOND", .width_max = kValueWidthMax}});
  const auto side = [](const std::string& json) { return json.empty() ? "-" : json; };
  for (const exr::Difference& each : differences) {
    table.add({each.part, std::string(exr::kind_name(each.kind)), each.name, side(each.first),
               side(each.second)});
  }
  return table.to_text();
}

std::string differences_json(const std::vector<exr::Difference>& differences) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (const exr::Difference& each : differences) {
    writer.begin_object();
    writer.field("kind", exr::kind_name(each.kind));
    if (each.kind != exr::Difference::Kind::version_word) {
      writer.key("part");
      exr::write_text(writer, each.part);
    }
    if (!each.name.empty()) {
      writer.key("name");
      exr::write_text(writer, each.name);
    }
    writer.raw_field("first", each.first.empty() ? "null" : each.first);
    writer.raw_field("second", each.second.empty() ? "null" : each.second);
    writer.end_object();
  }
  writer.end_array();
  return out + "\n";
}

}  // namespace reel::cli

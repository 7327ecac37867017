// links: exr
//! Any bytes as an OpenEXR file: the line that is printed about it is JSON with one entry for each
//! attribute, and a file is no different from itself.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exr/diff.h"
#include "exr/inspect_json.h"
#include "json/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reel;
  exr::MemorySource source(std::string_view(reinterpret_cast<const char*>(data), size));
  const exr::Inspection inspection = exr::inspect(source, "fuzzed");
  const std::string line = exr::to_json(inspection);
  REEL_CHECK(line.find('\n') == std::string::npos);
  const auto parsed = json::parse(line);
  REEL_CHECK(parsed.has_value());
  std::size_t attributes = 0;
  for (const exr::Part& part : inspection.header.parts) attributes += part.attributes.size();
  REEL_CHECK(parsed->find("attributes")->as_array()->size() == attributes);
  REEL_CHECK(exr::diff(inspection.header, inspection.header).empty());
  return 0;
}

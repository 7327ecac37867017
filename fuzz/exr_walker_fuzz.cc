// links: exr
//! Any bytes as an OpenEXR file: the walk ends, keeps exactly what is there, and whatever is wrong
//! has a finding.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exr/inspect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reel::exr;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  MemorySource source(bytes);
  const Inspection inspection = inspect(source, "fuzzed");
  const std::string_view header = bytes.substr(0, inspection.header.bytes);
  REEL_CHECK(inspection.header.sha256 == reel::sha256(header));
  if (inspection.header_whole) {
    REEL_CHECK(header_bytes(inspection.header) == header);
    REEL_CHECK(inspection.shape.has_value());
  } else {
    REEL_CHECK(inspection.status() == FileStatus::error && inspection.complete == false);
  }
  return 0;
}

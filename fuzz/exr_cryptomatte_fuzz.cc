// links: exr
//! Any bytes as a manifest, and their lines "name=value" as the attributes of a header.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exr/cryptomatte.h"
#include "exr/test_headers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reel::exr;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const CryptomatteLimits limits{.bytes_max = 1 << 16, .entries_max = 100};
  if (const auto manifest = read_cryptomatte_manifest(input, limits)) {
    REEL_CHECK(manifest->entries.size() + manifest->malformed <= limits.entries_max);
    REEL_CHECK(manifest->mismatched <= manifest->entries.size());
  }
  testing::PartBuilder part;
  part.set("channels", testing::channels({"c00.B", "c00.G", "c00.R"}, PixelType::float32));
  Header header = testing::make_header(part);
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    const std::size_t equals = std::min(line.find('='), line.size());
    header.parts[0].attributes.push_back(
        {.name = std::string(line.substr(0, equals)),
         .type = "string",
         .bytes = std::string(line.substr(std::min(equals + 1, line.size())))});
    input.remove_prefix(std::min(line.size() + 1, input.size()));
  }
  Findings findings;
  for (const Cryptomatte& each : cryptomattes(header, findings)) REEL_CHECK(each.ranks <= 100);
  for (const Finding& each : findings) REEL_CHECK(each.part == 0U && !each.message.empty());
  return 0;
}

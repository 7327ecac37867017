// links: exr
//! Any bytes as an idManifest attribute, and as the table inside one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <zlib.h>

#include "exr/id_manifest.h"

namespace {

using namespace reel::exr;

void decode(std::string_view bytes) {
  const IdManifestLimits limits{
      .inflated_bytes_max = 1 << 20, .text_bytes_max = 1 << 20, .values_max = 10'000};
  const auto manifest = decode_id_manifest(bytes, limits);
  if (!manifest) return;
  std::size_t text = 0;
  for (const std::string& each : manifest->strings) text += each.size();
  REEL_CHECK(text <= limits.text_bytes_max);
  for (const IdManifestGroup& group : manifest->groups) {
    REEL_CHECK(group.names.size() == group.ids.size() * group.components.size());
    for (std::size_t i = 0; i < group.ids.size(); ++i) {
      REEL_CHECK(i == 0 || group.ids[i - 1] < group.ids[i]);
      for (std::size_t k = 0; k < group.components.size(); ++k) {
        REEL_CHECK(manifest->name(group, i, k).size() <= text);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  decode({reinterpret_cast<const char*>(data), size});
  // Packing is not what is tried: without it no change of the input would get past zlib.
  uLongf packed_size = compressBound(size);
  constexpr std::size_t kSizeBytes = 8;
  std::string packed(kSizeBytes + packed_size, '\0');
  for (std::size_t i = 0; i < kSizeBytes; ++i)
    packed[i] = static_cast<char>(size >> (8 * i) & 0xff);
  REEL_CHECK(compress2(reinterpret_cast<Bytef*>(packed.data() + kSizeBytes), &packed_size, data,
                       size, 1) == Z_OK);
  decode(std::string_view(packed).substr(0, kSizeBytes + packed_size));
  return 0;
}

// links: iceberg
//! Any bytes as a manifest and as a manifest list: what is read can be written and is read again as
//! the same.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "iceberg/manifest.h"

namespace {

using namespace reel::iceberg;

const ManifestFile kManifest{.location = "m", .sequence_number = 3, .added_snapshot_id = 4};

void check_manifest(std::string_view bytes) {
  const auto entries = read_manifest(bytes, kManifest, {});
  if (!entries) return;
  const Schema schema;
  const PartitionSpec spec;
  const auto written = write_manifest({.schema = &schema, .spec = &spec}, *entries);
  REEL_CHECK(written.has_value());
  const auto again = read_manifest(*written, kManifest, {});
  REEL_CHECK(again.has_value() && again->size() == entries->size());
  for (std::size_t i = 0; i < again->size(); ++i) {
    REEL_CHECK(again->at(i).file == entries->at(i).file);
    REEL_CHECK(again->at(i).sequence_number == entries->at(i).sequence_number);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_manifest(bytes);
  (void)read_manifest_list(bytes, "list");
  return 0;
}

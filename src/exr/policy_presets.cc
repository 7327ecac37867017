#include "exr/policy.h"

namespace reel::exr {
namespace {

// Source: Netflix's requirements of VFX deliveries (16-bit EXR; no compression, ZIP or PIZ; no log
// pictures; at least 3840 pixels wide).
constexpr std::string_view kNetflixVfx = R"(name = "netflix-vfx"
title = "VFX shots for Netflix"

[[rule]]
id = "complete"
fact = "file.complete"
equals = true
why = "all pixels are there"

[[rule]]
id = "valid"
fact = "file.errors"
max = 0
why = "the file breaks no rule of the format"

[[rule]]
id = "compression"
fact = "part.compression"
in = ["none", "zips", "zip", "piz"]
why = "uncompressed, or compressed without loss"

[[rule]]
id = "half"
fact = "channel.type"
channels = ["R", "G", "B", "A"]
equals = "half"
why = "16-bit EXR"

[[rule]]
id = "width"
fact = "part.display_width"
min = 3840
why = "at least UHD"

[[rule]]
id = "linear"
fact = "part.transfer"
equals = "lin"
optional = true
why = "no log and no display encoding; a file that says nothing passes"

[[rule]]
id = "flat"
fact = "part.deep"
equals = false
)";

// Source: SMPTE ST 2065-4 (ACES image container).
constexpr std::string_view kAcesContainer = R"(name = "aces-container"
title = "ACES image container, SMPTE ST 2065-4"

[[rule]]
id = "complete"
fact = "file.complete"
equals = true

[[rule]]
id = "valid"
fact = "file.errors"
max = 0

[[rule]]
id = "one-part"
fact = "file.multipart"
equals = false

[[rule]]
id = "container-flag"
fact = "attribute.acesImageContainerFlag"
equals = 1

[[rule]]
id = "chromaticities"
fact = "attribute.chromaticities"
equals = "ap0"
why = "the primaries and white of ACES2065-1"

[[rule]]
id = "one-colour"
fact = "part.colour_conflicts"
max = 0

[[rule]]
id = "compression"
fact = "part.compression"
equals = "none"

[[rule]]
id = "half"
fact = "channel.type"
equals = "half"

[[rule]]
id = "rgb"
fact = "part.channels"
has = ["R", "G", "B"]

[[rule]]
id = "rgba-only"
fact = "part.channels"
only = [
  "R", "G", "B", "A",
  "left.R", "left.G", "left.B", "left.A", "right.R", "right.G", "right.B", "right.A",
]
why = "mono or stereo, with or without alpha"

[[rule]]
id = "columns"
fact = "channel.x_sampling"
equals = 1

[[rule]]
id = "rows"
fact = "channel.y_sampling"
equals = 1

[[rule]]
id = "scan-lines"
fact = "part.tiled"
equals = false

[[rule]]
id = "flat"
fact = "part.deep"
equals = false
)";

constexpr std::string_view kStudio = R"(name = "studio"
title = "A sample to start from: renders that the next department can work with"

[[rule]]
id = "complete"
fact = "file.complete"
equals = true

[[rule]]
id = "valid"
fact = "file.errors"
max = 0

[[rule]]
id = "file-name"
fact = "file.name"
matches = "*.exr"

[[rule]]
id = "file-size"
fact = "file.size_bytes"
max = 2_000_000_000
severity = "warning"

[[rule]]
id = "compression"
fact = "part.compression"
in = ["none", "zips", "zip", "piz", "dwaa", "dwab"]

[[rule]]
id = "square-pixels"
fact = "part.pixel_aspect_ratio"
in = [1, 2]
why = "spherical, or anamorphic 2:1"

[[rule]]
id = "depth-is-float"
fact = "channel.type"
channels = ["Z", "*.Z", "crypto*", "*.crypto*"]
equals = "float"
why = "half rounds depth and destroys ids"

[[rule]]
id = "owner"
fact = "attribute.owner"
present = true
severity = "warning"

[[rule]]
id = "time-code"
fact = "attribute.timeCode"
present = true
severity = "warning"

[[rule]]
id = "frame-rate"
fact = "attribute.framesPerSecond"
in = ["24/1", "24000/1001", "25/1", "30/1", "30000/1001", "48/1", "50/1", "60/1", "60000/1001"]
optional = true

[[rule]]
id = "colour-known"
fact = "part.primaries"
present = true
severity = "warning"

[[rule]]
id = "one-colour"
fact = "part.colour_conflicts"
max = 0
)";

}  // namespace

const std::vector<PolicyPreset>& policy_presets() {
  static const std::vector<PolicyPreset> presets = {
      {"netflix-vfx", kNetflixVfx}, {"aces-container", kAcesContainer}, {"studio", kStudio}};
  return presets;
}

}  // namespace reel::exr

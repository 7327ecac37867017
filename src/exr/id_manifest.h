#pragma once
//! OpenEXR's own table from ids in pixels to names: the attribute `idManifest` (type idmanifest).
//!
//! Source: "OpenEXR Deep IDs Specification", and what the library writes. The bytes are a size and
//! a zlib stream; neither that size nor any count inside is believed before the bytes are there.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace reel::exr {

//! What the ids of some channels mean.
struct IdManifestGroup {
  std::vector<std::string> channels;
  std::vector<std::string> components;  //!< what each name says: "model", "material"
  std::uint8_t lifetime = 0;            //!< how long an id means the same; id_lifetime_name()
  std::string hash_scheme;              //!< "MurmurHash3_32", "none"
  std::string encoding_scheme;          //!< how channels hold an id: "id", "id2"
  std::vector<std::uint64_t> ids;       //!< ascending
  //! For each id one for each component: an index into IdManifest::strings.
  std::vector<std::uint32_t> names;
};

struct IdManifest {
  std::vector<std::string> strings;
  std::vector<IdManifestGroup> groups;

  //! What the component of the group's id of this index is called.
  const std::string& name(const IdManifestGroup& group, std::size_t id,
                          std::size_t component) const {
    return strings[group.names[id * group.components.size() + component]];
  }
};

struct IdManifestLimits {
  std::size_t inflated_bytes_max = std::size_t{64} << 20;
  std::size_t text_bytes_max = std::size_t{64} << 20;  //!< of all strings, written out
  std::size_t values_max = 4'000'000;                  //!< strings, ids and names together
};

//! The table in the attribute's bytes. Code::corrupt says what is wrong with them; Code::too_large:
//! above the limits, which are checked before memory is used.
Result<IdManifest> decode_id_manifest(std::string_view bytes, const IdManifestLimits& limits = {});

//! "frame", "shot", "stable"; empty: unknown.
std::string_view id_lifetime_name(std::uint8_t lifetime);

}  // namespace reel::exr

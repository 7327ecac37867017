#pragma once
//! Cryptomattes: pixels that hold hashes of names, and the names that they are hashes of.
//!
//! Source: the Cryptomatte specification 1.2 (Psyop). Attributes `cryptomatte/<id>/name`, `hash`,
//! `conversion`, and `manifest` (JSON) or `manif_file` (the name of a file with it).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exr/finding.h"
#include "exr/header.h"

namespace reel::exr {

struct Cryptomatte {
  std::uint32_t part = 0;
  std::string id = {};  //!< tells the cryptomattes of a file apart
  // As written; empty: not there. Views into the attributes.
  std::string_view name = {};           //!< the layers are this and two digits: "crypto_object00"
  std::string_view hash = {};           //!< "MurmurHash3_32"
  std::string_view conversion = {};     //!< "uint32_to_float32"
  std::string_view manifest = {};       //!< JSON, tens of megabytes in production
  std::string_view manifest_file = {};  //!< beside the image; never opened here
  std::size_t ranks = 0;                //!< layers of ids and coverage that the file has
};

//! The cryptomattes of all parts, in file order, and what is wrong with them:
//! cryptomatte_wrong_type, cryptomatte_no_name, cryptomatte_no_channels, cryptomatte_no_manifest,
//! cryptomatte_hash_unknown, cryptomatte_file_outside, cryptomatte_not_float, cryptomatte_lossy.
//! Manifests are not read: see read_cryptomatte_manifest(). Results live as long as `header`.
std::vector<Cryptomatte> cryptomattes(const Header& header, Findings& findings);

struct CryptomatteEntry {
  std::string name;
  std::uint32_t hash = 0;
};

struct CryptomatteManifest {
  std::vector<CryptomatteEntry> entries;  //!< in the manifest's order
  std::size_t malformed = 0;              //!< names whose value is not eight hexadecimal digits
  std::string malformed_name = {};        //!< the first of them
  std::size_t mismatched = 0;             //!< entries whose hash is not their name's
  std::string mismatched_name = {};       //!< the first of them
};

struct CryptomatteLimits {
  std::size_t bytes_max = std::size_t{64} << 20;
  std::size_t entries_max = 2'000'000;
};

//! The names of a manifest. Memory is within 200 bytes for each entry and four times the text.
//! Code::too_large above the limits; Code::invalid when it is no JSON object, with the reason.
Result<CryptomatteManifest> read_cryptomatte_manifest(std::string_view json,
                                                      const CryptomatteLimits& limits = {});

//! What pixels hold for this name: its hash (MurmurHash3, 32 bits, seed 0), changed where its bits
//! would be a denormal, an infinity or no number as a float.
std::uint32_t cryptomatte_hash(std::string_view name);

}  // namespace reel::exr

#pragma once
//! All that is known of one file without decoding its pixels.

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "exr/byte_source.h"
#include "exr/chunks.h"
#include "exr/finding.h"
#include "exr/header.h"
#include "exr/walker.h"

namespace reel::exr {

struct InspectLimits {
  WalkLimits walk;
  ChunkLimits chunks;
};

enum class FileStatus : std::uint8_t {
  ok,        //!< nothing to say
  findings,  //!< warnings and notes only
  error,     //!< at least one error: it is no OpenEXR file, not all of one, or breaks its rules
};

//! "ok", "findings", "error".
std::string_view status_name(FileStatus status);

struct Inspection {
  std::string path;  //!< as given
  std::optional<std::uint64_t> size;
  std::optional<Instant> modified;
  Header header;              //!< as far as it could be read
  bool header_whole = false;  //!< it is all of it
  //! Of what makes files alike, see shape_hash(). Nothing without a whole header.
  std::optional<Sha256Digest> shape;
  std::vector<PartChunks> chunks = {};  //!< by part; empty without a whole header
  std::optional<bool> complete;         //!< see Chunks::complete; false without a whole header
  Findings findings;

  FileStatus status() const;
};

//! Whatever is wrong with the file is a finding: this never fails.
Inspection inspect_file(const std::string& path, const InspectLimits& limits = {});

//! Of bytes from elsewhere; `path` is how they are called.
Inspection inspect(ByteSource& source, std::string path, const InspectLimits& limits = {});

//! SHA-256 of the parts, of the names and types of their attributes in alphabetical order, and of
//! the values of those that say how pixels are laid out and what they mean: the same for the frames
//! of a sequence, whatever their time code, camera, preview or data window.
Sha256Digest shape_hash(const Header& header);

}  // namespace reel::exr

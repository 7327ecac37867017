#pragma once
//! Reads the header of an OpenEXR file as it stands there.
//!
//! Nothing that the file says of itself is believed before the file has the bytes. A file whose
//! header fits into 64 KiB is read once; a value that does not is read straight to where it stays,
//! together with what comes next, and what is read ahead doubles from read to read. Memory: at most
//! twice the smaller of file and limit and 1 MB, and about 200 bytes for each attribute.

#include <cstddef>
#include <cstdint>

#include "exr/byte_source.h"
#include "exr/finding.h"
#include "exr/header.h"

namespace reel::exr {

struct WalkLimits {
  std::uint64_t header_bytes_max = std::uint64_t{256} << 20;
  std::size_t attributes_max = 32'768;  //!< of all parts
};

struct Walk {
  //! What stands in the file before the first thing that is broken: `bytes` and `sha256` are of the
  //! header up to there.
  Header header;
  Findings findings;
  bool whole = false;  //!< its end was reached: `header` is all of it
};

//! Only the layout is checked here; check_rules() looks at what the attributes say. Code::io: the
//! source cannot be read.
Result<Walk> walk(ByteSource& source, const WalkLimits& limits = {});

}  // namespace reel::exr

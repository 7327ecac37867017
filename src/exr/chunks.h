#pragma once
//! Are the pixels there? Answered by the table of chunks that follows the header, and by the chunk
//! that is last in the file, without decoding any.

#include <cstdint>
#include <optional>
#include <vector>

#include "exr/byte_source.h"
#include "exr/finding.h"
#include "exr/header.h"

namespace reel::exr {

struct ChunkLimits {
  std::uint64_t entries_max = std::uint64_t{1} << 20;  //!< of all parts' tables: 8 MiB
};

struct PartChunks {
  std::optional<std::uint64_t> computed;  //!< from windows, compression and tiles
  std::optional<std::int32_t> declared;   //!< the attribute chunkCount
  std::uint64_t checked = 0;              //!< entries that were looked at
  std::uint64_t unfinished = 0;           //!< of these, zeros: never written
  std::uint64_t outside = 0;              //!< of these, not between the tables and the file's end
};

struct Chunks {
  std::vector<PartChunks> parts;
  Findings findings;
  //! All chunks are where the tables say; nothing: it cannot be told, for want of a count or
  //! because there are more entries than the limit.
  std::optional<bool> complete;
};

//! How many chunks the part should have; nothing: its attributes do not say. Counts beyond 2^63
//! come out as 2^63.
std::optional<std::uint64_t> chunk_count(const VersionWord& version, const Part& part);

//! REQUIRES: `header` is whole. Reads the tables, and the head of one chunk. Code::io.
Result<Chunks> check_chunks(ByteSource& source, const Header& header,
                            const ChunkLimits& limits = {});

}  // namespace reel::exr

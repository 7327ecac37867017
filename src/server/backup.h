#pragma once
//! Copies of a whole data directory, and back. docs/formats/backup.md says what is in one.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "server/config.h"

namespace reel::server {

struct CopyReport {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};

//! Copies tables, keys and media of the configured data directory to `directory`, which must not
//! exist or be empty. A server may run on the data directory and go on writing: the copy is what
//! was committed at one moment, with all bytes that it refers to. Media is hard-linked where the
//! file system can, for stored bytes never change; put the copy on another disk for safety against
//! the loss of a disk. A copy that was interrupted has no manifest and is refused by restore().
//! Code::corrupt names an object whose bytes are missing.
Result<CopyReport> backup(const Config& config, const std::string& directory);

//! Fills the configured data directory, which must not exist or be empty, from a backup. Media goes
//! to the configured storage of the same label. Until it is complete there is no store file, so
//! that an interrupted restore is not mistaken for a small one.
Result<CopyReport> restore(const Config& config, const std::string& directory);

}  // namespace reel::server

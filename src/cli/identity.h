#pragma once
//! Identifiers that a second run of the same ingest finds again.

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"

namespace reel::cli {

//! The name space of everything that `reelhouse ingest` names.
const Uuid& ingest_name_space();

//! What makes a file this file and no other: its length and the SHA-256 of its first, middle and
//! last megabyte. Neither path nor times, so that a copy is the same input.
Result<std::string> file_fingerprint(const std::string& path);

}  // namespace reel::cli

#pragma once
//! Identifiers that a second run of the same ingest finds again.

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"

namespace reel::cli {

//! UUID version 5 (RFC 9562, 5.5): the same name in the same name space is the same identifier.
Uuid name_based_uuid(const Uuid& name_space, std::string_view name);

//! The name space of everything that `reelhouse ingest` names.
const Uuid& ingest_name_space();

//! What makes a file this file and no other: its length and the SHA-256 of its first, middle and
//! last megabyte. Neither path nor times, so that a copy is the same input.
Result<std::string> file_fingerprint(const std::string& path);

}  // namespace reel::cli

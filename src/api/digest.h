#pragma once
//! Digest fields of RFC 9530: Repr-Digest and Content-Digest, with SHA-256.

#include <optional>
#include <string>

#include "api/message.h"
#include "base/hash.h"

namespace reel::api {

//! "sha-256=:<base64>:".
std::string digest_field(const Sha256Digest& digest);

//! The SHA-256 that a client sends with a body, nullopt when it sends none. Other algorithms are
//! ignored. Code::invalid when a field is malformed, or when two contradict each other.
Result<std::optional<Sha256Digest>> sent_digest(const Headers& headers);

}  // namespace reel::api

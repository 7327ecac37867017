#pragma once
//! What the claims of a verified JWT (RFC 7519) make of its bearer.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/clock.h"
#include "json/value.h"

namespace reel::auth {

struct ClaimRules {
  std::string issuer;         //!< `iss` must be this
  std::string audience = {};  //!< `aud` must have this; empty: whatever it is
  //! How far the issuer's clock and ours may differ.
  std::chrono::seconds leeway{60};
  //! Claims that grant: texts, split at spaces, or arrays of texts. A dot goes one object deeper
  //! ("realm_access.roles").
  std::vector<std::string> grant_claims = {};
  //! What a word in them grants.
  std::map<std::string, Permissions, std::less<>> grants = {};
  //! A claim with the auth classes of the bearer; without it in a token there is no restriction.
  std::string classes_claim = {};
};

//! "word=permission" or "word=role", the form of auth.jwt_grants.
Result<std::pair<std::string, Permissions>> parse_grant(std::string_view text);

struct Bearer {
  Identity identity;
  Instant expires;
};

//! Code::unauthorized with what is wrong: another issuer or audience, expired, not yet valid,
//! no `exp`, no `sub`. A bearer whose claims grant nothing is identified and may nothing.
Result<Bearer> read_claims(const json::Value& claims, const ClaimRules& rules, Instant now);

}  // namespace reel::auth

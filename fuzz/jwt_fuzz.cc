// links: auth
//! No bytes but a token that a key of the set signed are believed, and no bytes break the check:
//! the first line is a token, what follows is a JWKS of its own.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "auth/jwt.h"
#include "auth/key_set.h"

namespace {

using reel::auth::KeySet;
using reel::auth::TokenParts;

// The keys of RFC 7515 A.1 to A.3 and RFC 8037 A.2; nobody here has what signs with the last three.
constexpr std::string_view kKeys =
    R"({"keys":[{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8)"
    R"(W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r)"
    R"(2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665)"
    R"(xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs)"
    R"(91kzk2PAcDTW9gb54h4FRWyuXpoQ"},{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMz)"
    R"(V76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kty":"OKP","crv")"
    R"(:"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

//! What the RFCs signed with these keys says "joe" or is their example text.
bool is_of_the_rfcs(std::string_view payload) {
  return payload.find("joe") != payload.npos || payload == "Example of Ed25519 signing";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const KeySet known = *KeySet::parse(kKeys, KeySet::Secrets::refused);
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view token = text.substr(0, text.find('\n'));
  text.remove_prefix(token.size() == text.size() ? token.size() : token.size() + 1);

  const auto parts = TokenParts::parse(token);
  if (parts) {
    const auto payload = known.verify(token, *parts);
    if (payload) REEL_CHECK(is_of_the_rfcs(*payload));
    if (const auto claims = payload ? reel::json::parse(*payload) : reel::json::parse(text)) {
      (void)reel::auth::read_claims(*claims, {.issuer = "joe", .grant_claims = {"a.b", "scope"}},
                                    {1'300'000'000'000'000});
    }
  }
  const auto given = KeySet::parse(text, KeySet::Secrets::allowed);
  if (given && parts) (void)given->verify(token, *parts);
  return 0;
}

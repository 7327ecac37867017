#pragma once
//! The keys of a JWKS (RFC 7517), and signatures of tokens (RFC 7515) checked with them.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace reel::auth {

//! A compact JWS, taken apart but not checked. Views into the token.
struct TokenParts {
  std::string algorithm;
  std::string key_id;              //!< empty: the token names none
  std::string_view signing_input;  //!< header and payload as they were signed
  std::string_view payload;        //!< base64url
  std::string_view signature;      //!< base64url

  //! Code::unauthorized unless it is a JWS whose header we understand: no `crit`, not encrypted,
  //! a signature that is there.
  static Result<TokenParts> parse(std::string_view token);
};

//! The verification keys of an issuer. Immutable, thread-safe. The algorithm belongs to the key,
//! never to the token: a key of type RSA verifies RS256, EC P-256 ES256, OKP Ed25519 EdDSA, oct
//! HS256, and nothing else. So "none" finds no key, and a public key is never taken for a secret.
class KeySet {
 public:
  //! Whether secret (oct) keys may be in the set: they are in a file, not in what is published.
  enum class Secrets : std::uint8_t { allowed, refused };

  //! Keys that are not for verifying with one of these algorithms are left out, as RFC 7517 §5
  //! wants it. Code::invalid when the text is no JWKS, or a key that should do is broken or weak
  //! (RSA below 2048 bits, oct below 256).
  static Result<KeySet> parse(std::string_view text, Secrets secrets);
  KeySet();
  ~KeySet();
  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;

  std::size_t size() const;
  //! Whether a key could be the one that the token names.
  bool has_key_for(const TokenParts& parts) const;
  //! The payload, decoded. Code::unauthorized unless one of the keys signed it. `token` is what
  //! `parts` was parsed from.
  Result<std::string> verify(std::string_view token, const TokenParts& parts) const;

 private:
  struct Key;
  static Result<std::unique_ptr<Key>> read_key(const json::Value& jwk, Secrets secrets);
  bool fits(const Key& key, const TokenParts& parts) const;

  std::vector<std::unique_ptr<Key>> keys_;
};

}  // namespace reel::auth

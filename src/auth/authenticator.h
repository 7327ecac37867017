#pragma once
//! From the credential of a request to an identity.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/api_keys.h"
#include "auth/identity.h"
#include "auth/identity_cache.h"
#include "auth/jwt.h"
#include "auth/key_source.h"
#include "auth/password.h"
#include "auth/rate_limiter.h"

namespace reel::auth {

//! What a request brought. Views; empty = absent.
struct Credentials {
  std::string_view api_key;        //!< X-Api-Key
  std::string_view authorization;  //!< Authorization
  std::string_view access_token;   //!< ?access_token=, decoded
};

struct JwtOptions {
  KeySource::Options keys;
  ClaimRules claims;
};

struct Options {
  bool api_keys = false;
  std::string users_file = {};  //!< basic; empty: not offered
  std::optional<JwtOptions> jwt = std::nullopt;
  //! Wrong credentials of one address; beyond it nothing is checked any more.
  RateLimit failures = {};
};

//! Thread-safe.
class Authenticator {
 public:
  //! Reads users and keys. An issuer that cannot be reached is a warning in the log: its keys are
  //! asked for again when a token comes. REQUIRES: `keys` and `clock` outlive it.
  static Result<std::unique_ptr<Authenticator>> make(Options options, ApiKeys& keys,
                                                     const Clock& clock);

  //! How long nothing of this address is to be checked, because of its wrong credentials; zero: go
  //! on.
  std::chrono::seconds blocked_for(std::string_view address);

  //! Who it is. nullptr: that takes some patience, ask again with it. Errors: unauthorized (no
  //! credential, or a wrong one, which counts against the address), overloaded (too many passwords
  //! at once, keys being fetched). Messages never hold the credential.
  Result<IdentityPtr> identify(const Credentials& credentials, std::string_view address,
                               Patience patience);

  //! The values of WWW-Authenticate.
  const std::vector<std::string>& challenges() const { return challenges_; }
  const Options& options() const { return options_; }

  //! Takes over a changed users file. On an error the old users stay.
  Status reload();

 private:
  Authenticator(Options options, ApiKeys& keys, const Clock& clock);

  Result<IdentityPtr> check(const Credentials& credentials, Patience patience);
  Result<IdentityPtr> by_key(std::string_view key);
  Result<IdentityPtr> by_token(std::string_view token, Patience patience);
  Result<IdentityPtr> by_jwt(std::string_view token, Patience patience);
  Result<IdentityPtr> by_password(std::string_view encoded, Patience patience);

  const Options options_;
  std::vector<std::string> challenges_;
  ApiKeys& keys_;
  const Clock& clock_;
  std::unique_ptr<KeySource> key_source_;
  RateLimiter failures_;
  IdentityCache tokens_;
  IdentityCache passwords_;
  std::atomic<int> hashing_{0};
  mutable Mutex mutex_;
  std::shared_ptr<const Users> users_ GUARDED_BY(mutex_);
  std::uint64_t users_generation_ GUARDED_BY(mutex_) = 0;
};

}  // namespace reel::auth

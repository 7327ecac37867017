#include "auth/authenticator.h"

#include <algorithm>

#include "obs/log.h"

namespace reel::auth {
namespace {

//! How long a verified token or password is believed without looking again.
constexpr std::int64_t kBelievedMicros = 60 * 1'000'000;
//! Passwords hashed at once: each takes a core for 50 ms and 32 MB.
constexpr int kHashingMax = 4;
constexpr std::size_t kTokenBytesMax = 8192;

//! Authorization schemes are compared without case (RFC 9110 §11.1).
std::string_view after_scheme(std::string_view authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return {};
  const bool same =
      std::equal(scheme.begin(), scheme.end(), authorization.begin(), [](char a, char b) {
        return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
      });
  if (!same) return {};
  authorization.remove_prefix(scheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return authorization;
}

//! The classical alphabet, padded or not (RFC 7617 leaves it open).
std::optional<std::string> from_base64(std::string_view text) {
  std::string url(text);
  while (url.ends_with('=')) url.pop_back();
  std::replace(url.begin(), url.end(), '+', '-');
  std::replace(url.begin(), url.end(), '/', '_');
  return from_base64url(url);
}

std::vector<std::string> challenges_of(const Options& options) {
  std::vector<std::string> values;
  if (options.api_keys || options.jwt) values.emplace_back(R"(Bearer realm="reelhouse")");
  if (!options.users_file.empty()) {
    values.emplace_back(R"(Basic realm="reelhouse", charset="UTF-8")");
  }
  return values;
}

class CountedScope {
 public:
  explicit CountedScope(std::atomic<int>& count) : count_(count), now_(++count) {}
  ~CountedScope() { --count_; }
  CountedScope(const CountedScope&) = delete;
  CountedScope& operator=(const CountedScope&) = delete;
  int now() const { return now_; }

 private:
  std::atomic<int>& count_;
  const int now_;
};

}  // namespace

Authenticator::Authenticator(Options options, ApiKeys& keys, const Clock& clock)
    : options_(std::move(options)),
      challenges_(challenges_of(options_)),
      keys_(keys),
      clock_(clock),
      failures_(options_.failures),
      users_(std::make_shared<const Users>()) {}

Result<std::unique_ptr<Authenticator>> Authenticator::make(Options options, ApiKeys& keys,
                                                           const Clock& clock) {
  std::unique_ptr<Authenticator> made(new Authenticator(std::move(options), keys, clock));
  REEL_TRY(made->reload());
  if (made->options_.jwt) {
    REEL_ASSIGN(made->key_source_, KeySource::make(made->options_.jwt->keys));
    if (const Status status = made->key_source_->fetch(); !status) {
      // A broken file is a mistake of the operator; an issuer may be back in a minute.
      if (status.error().code() != Code::io && status.error().code() != Code::timeout) {
        return Failure(status.error().clone());
      }
      obs::log_error("no token can be verified yet", status.error());
    }
  }
  return made;
}

Status Authenticator::reload() {
  if (options_.users_file.empty()) return {};
  REEL_ASSIGN(Users fresh, Users::read(options_.users_file));
  MutexLock lock(mutex_);
  users_ = std::make_shared<const Users>(std::move(fresh));
  ++users_generation_;
  return {};
}

std::chrono::seconds Authenticator::blocked_for(std::string_view address) {
  if (!failures_.enabled()) return std::chrono::seconds(0);
  return failures_.wait(address_key(address), std::chrono::steady_clock::now());
}

Result<IdentityPtr> Authenticator::identify(const Credentials& credentials,
                                            std::string_view address, Patience patience) {
  auto identity = check(credentials, patience);
  if (!identity && identity.error().code() == Code::unauthorized && failures_.enabled()) {
    failures_.take(address_key(address), std::chrono::steady_clock::now());
  }
  return identity;
}

Result<IdentityPtr> Authenticator::check(const Credentials& credentials, Patience patience) {
  const int given = (credentials.api_key.empty() ? 0 : 1) +
                    (credentials.authorization.empty() ? 0 : 1) +
                    (credentials.access_token.empty() ? 0 : 1);
  if (given == 0) return unauthorized("a credential is required");
  if (given > 1) return unauthorized("one credential is required, not {}", given);
  if (!credentials.api_key.empty()) return by_key(credentials.api_key);
  if (!credentials.access_token.empty()) return by_token(credentials.access_token, patience);
  const std::string_view bearer = after_scheme(credentials.authorization, "bearer");
  if (!bearer.empty()) return by_token(bearer, patience);
  const std::string_view basic = after_scheme(credentials.authorization, "basic");
  if (!basic.empty()) return by_password(basic, patience);
  return unauthorized("this kind of credential is not accepted here");
}

Result<IdentityPtr> Authenticator::by_key(std::string_view key) {
  IdentityPtr identity = options_.api_keys ? keys_.find(key) : nullptr;
  if (identity == nullptr) return unauthorized("the API key is unknown, expired or revoked");
  return identity;
}

Result<IdentityPtr> Authenticator::by_token(std::string_view token, Patience patience) {
  if (token.starts_with(kKeyPrefix)) return by_key(token);
  if (!options_.jwt) return unauthorized("the token is unknown");
  return by_jwt(token, patience);
}

Result<IdentityPtr> Authenticator::by_jwt(std::string_view token, Patience patience) {
  if (token.size() > kTokenBytesMax) return unauthorized("the token is too long");
  const Sha256Digest digest = sha256(token);
  const Instant now = clock_.now();
  KeySource::View source = key_source_->view();
  if (IdentityPtr known = tokens_.find(digest, source.generation, now)) return known;
  REEL_ASSIGN(const TokenParts parts, TokenParts::parse(token));
  if (source.old || !source.keys->has_key_for(parts)) {
    if (source.fetching && !source.keys->has_key_for(parts)) {
      return overloaded("the issuer's keys are being fetched");
    }
    if (source.may_fetch) {
      if (patience == Patience::none) return nullptr;
      if (const Status status = key_source_->fetch(); !status) {
        obs::log_error("the issuer's keys stay as they were", status.error());
      }
      source = key_source_->view();
    }
  }
  REEL_ASSIGN(const std::string payload, source.keys->verify(token, parts));
  const auto claims = json::parse(payload);
  if (!claims) return unauthorized("the token is refused: its claims are no JSON object");
  REEL_ASSIGN(Bearer bearer, read_claims(*claims, options_.jwt->claims, now));
  auto identity = std::make_shared<const Identity>(std::move(bearer.identity));
  tokens_.put(digest, identity, source.generation,
              std::min(bearer.expires, Instant{now.micros + kBelievedMicros}));
  return identity;
}

Result<IdentityPtr> Authenticator::by_password(std::string_view encoded, Patience patience) {
  if (options_.users_file.empty()) return unauthorized("passwords are not accepted here");
  std::shared_ptr<const Users> users;
  std::uint64_t generation = 0;
  {
    MutexLock lock(mutex_);
    users = users_;
    generation = users_generation_;
  }
  const Sha256Digest digest = sha256(encoded);
  const Instant now = clock_.now();
  if (IdentityPtr known = passwords_.find(digest, generation, now)) return known;
  const auto decoded = from_base64(encoded);
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return unauthorized("the credential is not name:password");
  if (patience == Patience::none) return nullptr;
  const CountedScope scope(hashing_);
  if (scope.now() > kHashingMax) return overloaded("too many passwords are being checked");
  IdentityPtr identity =
      users->check(decoded->substr(0, colon), std::string_view(*decoded).substr(colon + 1));
  if (identity == nullptr) return unauthorized("the name or the password is wrong");
  passwords_.put(digest, identity, generation, {now.micros + kBelievedMicros});
  return identity;
}

}  // namespace reel::auth

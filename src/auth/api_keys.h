#pragma once
//! API keys: made, kept as hashes, revoked.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/digest_hash.h"
#include "auth/identity.h"
#include "base/clock.h"
#include "base/thread_annotations.h"
#include "base/uuid.h"
#include "store/store.h"

namespace reel::auth {

using KeyId = Id<struct KeyTag>;

//! With what every key begins, so that it is told from a JWT, and found by secret scanners.
inline constexpr std::string_view kKeyPrefix = "rhk_";

struct ApiKey {
  KeyId id;
  std::string name;
  Role role = Role::viewer;
  std::optional<std::vector<std::string>> classes;  //!< as in Identity
  Instant created;
  std::string created_by;
  std::optional<Instant> expires;
  std::optional<Instant> last_used;  //!< stored to ten minutes
};

struct NewApiKey {
  std::string name;
  Role role = Role::viewer;
  std::optional<std::vector<std::string>> classes = std::nullopt;
  std::optional<Instant> expires = std::nullopt;
};

//! The keys of one store, and a table of their hashes in memory, so that looking one up reads
//! nothing. A key is 256 random bits; nobody finds those by trying, so one SHA-256 hides them as
//! well as a slow hash would, and a request costs a microsecond. Thread-safe.
class ApiKeys {
 public:
  //! Creates the table if need be and reads it. REQUIRES: the others outlive it.
  static Result<std::unique_ptr<ApiKeys>> open(store::Store& store, const Clock& clock,
                                               Random& random);

  struct Created {
    ApiKey key;
    std::string secret;  //!< shown this once, kept nowhere
  };
  //! Code::invalid when it would be expired already.
  Result<Created> create(const NewApiKey& wanted, std::string_view by);
  //! Effective at once, also for requests on open connections. Code::not_found.
  Status revoke(KeyId id);
  //! Oldest first, expired ones included.
  std::vector<ApiKey> list() const;

  //! Who a key stands for; nullptr when it is unknown or has expired.
  IdentityPtr find(std::string_view secret);

  //! Writes down when keys were last used, as far as that moved by ten minutes.
  Status save_uses();

 private:
  struct Entry {
    ApiKey key;
    IdentityPtr identity;
    std::optional<Instant> used;  //!< in memory; key.last_used is what the store has
  };

  ApiKeys(store::Store& store, const Clock& clock, Random& random)
      : store_(store), clock_(clock), random_(random) {}
  Status load() EXCLUDES(mutex_);
  void add(const Sha256Digest& digest, ApiKey key) REQUIRES(mutex_);

  store::Store& store_;
  const Clock& clock_;
  Random& random_;
  mutable Mutex mutex_;
  std::unordered_map<Sha256Digest, Entry, DigestHash> by_digest_ GUARDED_BY(mutex_);
};

}  // namespace reel::auth

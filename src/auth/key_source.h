#pragma once
//! Where the issuer's keys come from: a JWKS file or URL, cached.

#include <chrono>
#include <memory>
#include <string>

#include "auth/key_set.h"
#include "base/thread_annotations.h"
#include "http/client/client.h"

namespace reel::auth {

//! Thread-safe. Fetching may take seconds and is done by whoever calls fetch(); everyone else goes
//! on with the keys that are there.
class KeySource {
 public:
  struct Options {
    std::string location;  //!< path of a file, or an https URL (http only to this machine)
    std::chrono::seconds keep{300};          //!< after it the keys are fetched again
    std::chrono::seconds attempt_pause{10};  //!< between two attempts, whoever wants them
    //! With keys older than this nothing is verified: what was revoked must not live for ever
    //! because the issuer cannot be reached.
    std::chrono::hours trust_max{24};
  };

  //! Code::invalid when the location is neither a file nor such a URL.
  static Result<std::unique_ptr<KeySource>> make(Options options);

  struct View {
    std::shared_ptr<const KeySet> keys;  //!< never null, empty when there are none to trust
    std::uint64_t generation = 0;        //!< changes with the keys
    bool old = false;                    //!< should be fetched again
    bool may_fetch = false;              //!< an attempt is allowed now
    bool fetching = false;               //!< another thread is at it
  };
  View view() const;

  //! Fetches, unless someone does or the last attempt was just now. Blocks for seconds. On an error
  //! the old keys stay.
  Status fetch();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  KeySource(Options options, std::unique_ptr<http::Client> client)
      : options_(std::move(options)), client_(std::move(client)) {}
  Result<std::string> read() const;
  bool is_url() const { return client_ != nullptr; }
  bool attempt_allowed(TimePoint now) const REQUIRES(mutex_);

  const Options options_;
  const std::unique_ptr<http::Client> client_;  //!< null for a file
  mutable Mutex mutex_;
  std::shared_ptr<const KeySet> keys_ GUARDED_BY(mutex_) = std::make_shared<const KeySet>();
  std::string text_ GUARDED_BY(mutex_);  //!< of keys_
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;
  bool fetching_ GUARDED_BY(mutex_) = false;
  TimePoint fetched_ GUARDED_BY(mutex_) = TimePoint::min();
  TimePoint attempted_ GUARDED_BY(mutex_) = TimePoint::min();
};

}  // namespace reel::auth

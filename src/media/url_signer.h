#pragma once
//! Expiring URLs for reading and writing objects through this server.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"

namespace reel::media {

enum class UrlUse : char { get = 'g', put = 'p' };

//! What a verified URL allows.
struct UrlGrant {
  UrlUse use = UrlUse::get;
  StorageId storage;
  std::string object_id;
  //! The only Content-Type that may be sent; empty = any. REQUIRES: empty for get.
  std::string content_type;
};

//! Signs with HMAC-SHA-256. Thread-safe. What exactly is signed: docs/formats/media.md.
class UrlSigner {
 public:
  //! Reads the key file, or creates it with a random key and mode 0600 in an existing directory.
  //! Code::invalid for a key file that others may read, or of another size than 32 bytes.
  static Result<std::unique_ptr<UrlSigner>> open(const std::string& key_file);
  //! For tests.
  static std::unique_ptr<UrlSigner> with_key(std::string_view key);
  ~UrlSigner();

  //! "/media/<storage id>/<percent-encoded object id>?expires=…&signature=…", with "type=…" for a
  //! content type. Valid at least until `not_before_expiry`; rounded up to a whole minute so that
  //! URLs repeat and caches can hit. REQUIRES: `not_before_expiry` is later than 1970, the texts
  //! in `grant` are UTF-8.
  void append_path(std::string& out, const UrlGrant& grant, Instant not_before_expiry) const;

  //! Checks a request path and query that append_path() made. Other query parameters are ignored,
  //! as proxies and clients add them. Code::forbidden when the signature does not fit or the URL
  //! has expired at `now`; Code::not_found when the path is not that of an object.
  Result<UrlGrant> verify(UrlUse use, std::string_view raw_path, std::string_view raw_query,
                          Instant now) const;

 private:
  struct State;
  explicit UrlSigner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace reel::media

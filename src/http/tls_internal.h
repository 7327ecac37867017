#pragma once
//! The server's certificate, replaced while it runs.

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/result.h"
#include "base/thread_annotations.h"
#include "http/server.h"

namespace reel::http {

//! Holds the current TLS context and makes a new one when the files change. Thread-safe.
class TlsSource {
 public:
  static Result<std::unique_ptr<TlsSource>> make(TlsOptions options);

  //! Shared: connections keep the context that they were made with.
  std::shared_ptr<boost::asio::ssl::context> context() const EXCLUDES(mutex_);

  //! Reads the files; on failure the old context stays.
  Status reload() EXCLUDES(mutex_);
  //! Looks at size and time of the files, and reloads when they differ. A failure is logged once
  //! per change.
  void reload_if_changed() EXCLUDES(mutex_);

 private:
  explicit TlsSource(TlsOptions options) : options_(std::move(options)) {}

  const TlsOptions options_;
  mutable Mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> context_ GUARDED_BY(mutex_);
  std::string seen_ GUARDED_BY(mutex_);  //!< size and time of the files when last read
};

}  // namespace reel::http

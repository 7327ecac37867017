#pragma once
//! A whole server in this process: store, media, API, sockets, wired from a configuration.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "server/config.h"

namespace reel::server {

//! A server that answers. For one thread, except where said.
class Running {
 public:
  //! Opens the data directory, creating it if need be, and serves. Errors are one clear sentence:
  //! conflict when another server runs on the directory, unsupported when a newer program wrote
  //! it, io when something cannot be written or the address is taken.
  static Result<std::unique_ptr<Running>> start(const Config& config);
  //! Stops, see stop().
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  //! "http://127.0.0.1:8000", with the port that was chosen when the configured one is 0.
  const std::string& url() const;

  //! Takes over what may change while serving: the TLS certificate, the log level and the users
  //! file. On an error the old ones stay.
  Status reload(const Config& config);

  //! Lets requests in flight end (limits.drain_ms_max), then stops everything. Idempotent.
  void stop();

 private:
  class Impl;
  explicit Running(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

//! Serves until SIGTERM or SIGINT, then stops gracefully; a second one ends the process at once,
//! which the store survives. SIGHUP reads the configuration again for reload(). `on_ready` is
//! called with the URL once requests are answered. REQUIRES: the only thread of the process.
Status serve(const Config& config, const std::function<void(const std::string& url)>& on_ready);

}  // namespace reel::server

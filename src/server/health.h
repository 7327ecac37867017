#pragma once
//! Whether a server is well, and the routes that tell: /livez, /readyz, /health, /metrics.

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "api/route.h"
#include "obs/metrics.h"
#include "server/config.h"
#include "store/store.h"

namespace reel::server {

//! Looks at the things that a server depends on. Thread-safe.
class Health {
 public:
  //! REQUIRES: the store outlives this.
  Health(const Config& config, const store::Store& store);

  struct Dependency {
    std::string name;
    bool ok = true;
    std::string detail;  //!< why not, or a number worth knowing
    std::optional<std::uint64_t> free_bytes;
  };
  std::vector<Dependency> look() const;

  //! From now on the server is not ready: it will stop soon.
  void set_draining() { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const { return draining_.load(std::memory_order_relaxed); }
  double uptime_s() const;

 private:
  struct Disk {
    std::string name;
    std::string path;
  };
  const store::Store& store_;
  std::vector<Disk> disks_;
  const std::uint64_t disk_free_bytes_min_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<bool> draining_{false};
};

//! REQUIRES: both outlive the routes.
std::vector<api::Route> operations_routes(const Health& health, const obs::Registry& metrics);

//! Gauges that are asked for when /metrics is read: rows of sources, flows and segments, memory,
//! disk, uptime. REQUIRES: `store` and `health` outlive the registry.
void add_server_metrics(obs::Registry& metrics, store::Store& store, const Health& health);

}  // namespace reel::server

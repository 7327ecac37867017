#pragma once
//! Whether a server is well, and the routes that tell: /livez, /readyz, /health, /metrics.

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "api/route.h"
#include "obs/metrics.h"
#include "server/config.h"
#include "server/trace_exporter.h"
#include "server/webhook_courier.h"
#include "store/store.h"
#include "tams/context.h"

namespace reel::server {

//! Looks at the things that a server depends on. Thread-safe.
class Health {
 public:
  //! REQUIRES: the store outlives this.
  Health(const Config& config, const store::Store& store);

  struct Dependency {
    std::string name;
    bool ok = true;
    bool needed = true;  //!< false: the server serves as well without it
    std::string detail;  //!< why not, or a number worth knowing
    std::optional<std::uint64_t> free_bytes;
  };
  std::vector<Dependency> look() const;

  //! Each is looked at from now on; null: not any more.
  void watch_exporter(const TraceExporter* exporter) { exporter_.store(exporter); }
  void watch_courier(const WebhookCourier* courier) { courier_.store(courier); }
  //! Of the last webhook that is told of changes; nullopt while none is watched.
  std::optional<WebhookCourier::Lag> event_lag() const;

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
  std::atomic<const TraceExporter*> exporter_{nullptr};
  std::atomic<const WebhookCourier*> courier_{nullptr};
};

//! REQUIRES: both outlive the routes.
std::vector<api::Route> operations_routes(const Health& health, const obs::Registry& metrics);

//! What is asked for when /metrics is read: rows of sources, flows and segments, what was removed
//! and what waits for it, memory, disk, uptime. REQUIRES: the registry is not rendered after the
//! end of `context` and `health`.
void add_server_metrics(obs::Registry& metrics, const tams::Context& context,
                        const store::Store& store, const Health& health);

}  // namespace reel::server

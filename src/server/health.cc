#include "server/health.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/statvfs.h>
#include <unistd.h>

#include "analytics/reports.h"
#include "analytics/tables.h"
#include "base/version.h"
#include "json/writer.h"
#include "server/data_directory.h"
#include "tams/tables.h"

namespace reel::server {
namespace {

using json::Shape;

std::optional<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs disk{};
  if (::statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

//! Resident memory of this process.
double memory_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &total, &resident);
  std::fclose(file);
  return read == 2 ? static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE))
                   : 0;
}

//! Rows of a table, from its ledger; 0 when the store cannot be read.
double rows(store::Store& store, std::string_view table) {
  const auto snapshot = store.snapshot();
  if (!snapshot) return 0;
  const auto entries = (*snapshot)->ledger(table);
  if (!entries) return 0;
  std::int64_t sum = 0;
  for (const store::LedgerEntry& entry : *entries) sum += entry.rows;
  return static_cast<double>(sum);
}

bool all_ok(const std::vector<Health::Dependency>& dependencies) {
  return std::all_of(dependencies.begin(), dependencies.end(),
                     [](const Health::Dependency& d) { return d.ok; });
}

api::Response status_answer(bool ok, std::string_view status) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("status", status);
  out.end_object();
  return api::Response::json(ok ? 200 : 503, std::move(text));
}

api::Response health_answer(const Health& health) {
  const auto dependencies = health.look();
  const bool ok = all_ok(dependencies) && !health.draining();
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("status", health.draining() ? "draining" : (ok ? "ok" : "unwell"));
  out.field("version", kVersion);
  out.field("uptime_s", health.uptime_s());
  out.key("dependencies");
  out.begin_object();
  for (const Health::Dependency& dependency : dependencies) {
    out.key(dependency.name);
    out.begin_object();
    out.field("status", dependency.ok ? "ok" : "unwell");
    if (!dependency.detail.empty()) out.field("detail", std::string_view(dependency.detail));
    if (dependency.free_bytes) out.field("free_bytes", *dependency.free_bytes);
    out.end_object();
  }
  out.end_object();
  out.end_object();
  return api::Response::json(ok ? 200 : 503, std::move(text));
}

Shape health_shape() {
  const Shape dependency = Shape::object({json::required("status", Shape::string()),
                                          json::optional("detail", Shape::string()),
                                          json::optional("free_bytes", Shape::integer(0))});
  return Shape::object({json::required("status", Shape::choice({"ok", "unwell", "draining"})),
                        json::required("version", Shape::string()),
                        json::required("uptime_s", Shape::number()),
                        json::required("dependencies", Shape::dictionary(dependency))})
      .named("Health");
}

api::Route operation(std::string path, std::string id, std::string summary, api::Handler handler) {
  const Shape shape = Shape::object({json::required("status", Shape::string())});
  return {.method = api::Method::get,
          .path = std::move(path),
          .id = std::move(id),
          .group = "Operations",
          .summary = std::move(summary),
          .needs = auth::Need::nothing,
          .answers = {{200, "Well", shape}, {503, "Not now", shape}},
          .handler = std::move(handler)};
}

}  // namespace

Health::Health(const Config& config, const store::Store& store)
    : store_(store), disk_free_bytes_min_(config.limits.disk_free_bytes_min) {
  disks_.push_back({"data_directory", config.data_dir});
  for (const StorageConfig& storage : config.storage) {
    disks_.push_back({"storage:" + storage.label, storage.path});
  }
}

std::vector<Health::Dependency> Health::look() const {
  std::vector<Dependency> found;
  const store::StoreHealth store = store_.health();
  found.push_back(
      {.name = "store", .ok = store.writable, .detail = store.reason, .free_bytes = {}});
  for (const Disk& disk : disks_) {
    Dependency dependency{.name = disk.name, .detail = {}, .free_bytes = free_bytes(disk.path)};
    if (!dependency.free_bytes) {
      dependency.ok = false;
      dependency.detail = std::strerror(errno);
    } else if (*dependency.free_bytes < disk_free_bytes_min_) {
      dependency.ok = false;
      dependency.detail = fmt::format("less than {} bytes are free", disk_free_bytes_min_);
    }
    found.push_back(std::move(dependency));
  }
  return found;
}

double Health::uptime_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

std::vector<api::Route> operations_routes(const Health& health, const obs::Registry& metrics) {
  std::vector<api::Route> routes = {
      operation("/livez", "GET_livez", "Whether the process answers at all",
                [](const api::Call&) { return status_answer(true, "ok"); }),
      operation("/readyz", "GET_readyz", "Whether requests should be sent here",
                [&health](const api::Call&) {
                  if (health.draining()) return status_answer(false, "draining");
                  const bool ok = all_ok(health.look());
                  return status_answer(ok, ok ? "ok" : "unwell");
                }),
      operation("/health", "GET_health", "The state of everything the server depends on",
                [&health](const api::Call&) { return health_answer(health); }),
      operation("/metrics", "GET_metrics", "Metrics as Prometheus text", [&](const api::Call&) {
        api::Response response;
        response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        response.body = metrics.render();
        return response;
      })};
  // Probes have no credential and learn a word; the rest is for those who may look.
  routes[2].needs = routes[3].needs = auth::Need::read;
  routes[2].confinement = routes[3].confinement = api::Confinement::harmless;
  routes[2].answers[0].shape = routes[2].answers[1].shape = health_shape();
  routes[3].answers = {{200, "All metrics"}};
  routes[3].produces = "text/plain";
  return routes;
}

void add_server_metrics(obs::Registry& metrics, store::Store& store, const Health& health) {
  const std::vector<std::pair<std::string, std::string_view>> tables = {
      {"tams_sources_total", tams::table::kSources},
      {"tams_flows_total", tams::table::kFlows},
      {"tams_segments_total", tams::table::kSegments},
      {"tams_objects_total", tams::table::kObjects}};
  for (const auto& [name, table] : tables) {
    metrics.gauge_callback(name, fmt::format("Rows of the table {}", table), {},
                           [&store, rows_of = table] { return rows(store, rows_of); });
  }
  metrics.gauge_callback("tams_storage_bytes_total",
                         "Bytes of the objects that segments use, also those in the trash", {},
                         [&store] {
                           const auto bytes = analytics::stored_bytes(store);
                           return bytes ? static_cast<double>(*bytes) : 0.0;
                         });
  metrics.gauge_callback("reelhouse_analytics_lag_changes",
                         "Changes that the kept figures do not contain yet", {}, [&store] {
                           const auto behind = analytics::changes_behind(store);
                           return behind ? static_cast<double>(*behind) : 0.0;
                         });
  metrics.gauge_callback("tams_memory_usage_bytes", "Resident memory of the server", {},
                         memory_bytes);
  metrics.gauge_callback("reelhouse_uptime_seconds", "Time since the start", {},
                         [&health] { return health.uptime_s(); });
  for (const Health::Dependency& dependency : health.look()) {
    if (!dependency.free_bytes) continue;
    metrics.gauge_callback("reelhouse_disk_free_bytes", "Free space for unprivileged users",
                           {{"disk", dependency.name}}, [&health, name = dependency.name] {
                             for (const Health::Dependency& found : health.look()) {
                               if (found.name == name && found.free_bytes) {
                                 return static_cast<double>(*found.free_bytes);
                               }
                             }
                             return 0.0;
                           });
  }
  metrics.gauge_callback("reelhouse_store_writable", "1 when the store takes writes", {},
                         [&store] { return store.health().writable ? 1.0 : 0.0; });
}

}  // namespace reel::server

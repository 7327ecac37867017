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
#include "tams/deletions.h"
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
double rows(store::RowStore& store, std::string_view table) {
  const auto snapshot = store.snapshot();
  if (!snapshot) return 0;
  const auto entries = (*snapshot)->ledger(table);
  if (!entries) return 0;
  std::int64_t sum = 0;
  for (const store::LedgerEntry& entry : *entries) sum += entry.rows;
  return static_cast<double>(sum);
}

bool can_serve(const std::vector<Health::Dependency>& dependencies) {
  return std::all_of(dependencies.begin(), dependencies.end(),
                     [](const Health::Dependency& d) { return d.ok || !d.needed; });
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
  const bool ok = can_serve(dependencies) && !health.draining();
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
    out.field("needed", dependency.needed);
    if (!dependency.detail.empty()) out.field("detail", std::string_view(dependency.detail));
    if (dependency.free_bytes) out.field("free_bytes", *dependency.free_bytes);
    out.end_object();
  }
  out.end_object();
  if (const auto lag = health.event_lag()) {
    out.key("events");
    out.begin_object();
    out.field("lag_changes", lag->changes);
    out.field("lag_s", lag->seconds);
    out.end_object();
  }
  out.end_object();
  return api::Response::json(ok ? 200 : 503, std::move(text));
}

Shape health_shape() {
  const Shape dependency = Shape::object({json::required("status", Shape::choice({"ok", "unwell"})),
                                          json::required("needed", Shape::boolean()),
                                          json::optional("detail", Shape::string()),
                                          json::optional("free_bytes", Shape::integer(0))});
  const Shape events = Shape::object(
      {json::required("lag_changes", Shape::integer(0)), json::required("lag_s", Shape::number())});
  return Shape::object({json::required("status", Shape::choice({"ok", "unwell", "draining"})),
                        json::required("version", Shape::string()),
                        json::required("uptime_s", Shape::number()),
                        json::required("dependencies", Shape::dictionary(dependency)),
                        json::optional("events", events)})
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
      {.name = "store", .ok = store.writable, .detail = store.reason, .free_bytes = std::nullopt});
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
  if (const TraceExporter* exporter = exporter_.load()) {
    std::string trouble = exporter->trouble();
    found.push_back({.name = "tracing",
                     .ok = trouble.empty(),
                     .needed = false,
                     .detail = std::move(trouble),
                     .free_bytes = std::nullopt});
  }
  return found;
}

std::optional<WebhookCourier::Lag> Health::event_lag() const {
  const WebhookCourier* courier = courier_.load();
  if (courier == nullptr) return std::nullopt;
  const WebhookCourier::Lag created = courier->lag("created");
  const WebhookCourier::Lag started = courier->lag("started");
  return created.changes > started.changes ? created : started;
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
                  const bool ok = can_serve(health.look());
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

namespace {

void add_table_metrics(obs::Registry& metrics, store::RowStore& store) {
  const auto add = [&](std::string_view name, std::string_view help, const obs::Labels& labels,
                       std::string_view table) {
    metrics.gauge_callback(name, help, labels, [&store, table] { return rows(store, table); });
  };
  add("tams_sources_total", "Sources", {}, tams::table::kSources);
  add("tams_flows_total", "Flows", {}, tams::table::kFlows);
  add("tams_segments_total", "Segments", {}, tams::table::kSegments);
  add("tams_objects_total", "Objects", {}, tams::table::kObjects);
  const auto figure = [&](std::string_view name, std::string_view help, auto of) {
    metrics.gauge_callback(name, help, {}, [&store, of] {
      const auto found = of(store);
      return found ? static_cast<double>(*found) : 0.0;
    });
  };
  figure("tams_storage_bytes_total",
         "Bytes of the objects that segments use, also those in the trash",
         analytics::stored_bytes);
  figure("reelhouse_analytics_lag_changes", "Changes that the kept figures do not contain yet",
         analytics::changes_behind);
  const std::string_view waiting = "reelhouse_removal_waiting";
  const std::string_view help = "What is to be removed, or to be looked at whether it is";
  metrics.gauge_callback(waiting, help, {{"kind", "requests"}}, [&store] {
    return static_cast<double>(tams::deletions_waiting(store).value_or(0));
  });
  add(waiting, help, {{"kind", "objects"}}, tams::table::kObjectsToCheck);
  add(waiting, help, {{"kind", "files"}}, tams::table::kMediaGarbage);
  add("reelhouse_copies_waiting", "Copies of objects to be made", {}, tams::table::kObjectCopies);
}

void add_analytics_metrics(obs::Registry& metrics, store::RowStore& store) {
  const auto add = [&](std::string_view name, std::string_view help,
                       Result<std::int64_t> (*read)(store::RowStore&)) {
    metrics.gauge_callback(name, help, {},
                           [&store, read] { return static_cast<double>(read(store).value_or(0)); });
  };
  add("tams_storage_bytes_total", "Bytes of the objects that segments use, also those in the trash",
      analytics::stored_bytes);
  add("reelhouse_analytics_lag_changes", "Changes that the kept figures do not contain yet",
      analytics::changes_behind);
}

void add_removal_metrics(obs::Registry& metrics, const tams::Removed& removed) {
  const auto add = [&](std::string_view name, std::string_view help, const obs::Counter& counter) {
    metrics.counter_callback(name, help, {},
                             [&counter] { return static_cast<double>(counter.value()); });
  };
  add("reelhouse_removed_segments_total", "Segments removed", removed.segments);
  add("reelhouse_removed_objects_total", "Objects removed", removed.objects);
  add("reelhouse_removed_files_total", "Files of objects removed", removed.files);
  add("reelhouse_removed_bytes_total", "Bytes of these files", removed.bytes);
}

void add_disk_metrics(obs::Registry& metrics, const Health& health) {
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
}

}  // namespace

void add_server_metrics(obs::Registry& metrics, const tams::Context& context,
                        const store::Store& store, const Health& health) {
  add_table_metrics(metrics, context.store);
  add_analytics_metrics(metrics, context.store);
  add_removal_metrics(metrics, *context.removed);
  add_disk_metrics(metrics, health);
  metrics.gauge_callback("tams_memory_usage_bytes", "Resident memory of the server", {},
                         memory_bytes);
  metrics.gauge_callback("reelhouse_uptime_seconds", "Time since the start", {},
                         [&health] { return health.uptime_s(); });
  metrics.gauge_callback("reelhouse_store_writable", "1 when the store takes writes", {},
                         [&store] { return store.health().writable ? 1.0 : 0.0; });
}

}  // namespace reel::server

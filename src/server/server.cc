#include "server/server.h"

#include <algorithm>
#include <csignal>
#include <iterator>

#include "analytics/refresh.h"
#include "analytics/tables.h"
#include "api/application.h"
#include "api/auth_routes.h"
#include "api/routes.h"
#include "api/sql_routes.h"
#include "base/version.h"
#include "http/server.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "server/authentication.h"
#include "server/data_directory.h"
#include "server/health.h"
#include "server/janitor.h"
#include "server/trace_exporter.h"
#include "server/webhook_courier.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/service.h"
#include "tams/tables.h"

namespace reel::server {
namespace {

constexpr std::chrono::milliseconds kJanitorPause{30'000};
constexpr std::chrono::milliseconds kCounterPause{5'000};

Result<http::ServerOptions> http_options(const Config& config) {
  REEL_ASSIGN(const auto address, parse_address(config.http_address));
  http::ServerOptions options;
  options.address = address.first;
  options.port = address.second;
  if (!config.tls_certificate.empty()) {
    options.tls =
        http::TlsOptions{.certificate_file = config.tls_certificate, .key_file = config.tls_key};
  }
  options.io_threads = config.http_io_threads;
  options.worker_threads = config.http_worker_threads;
  options.limits = config.limits.http;
  options.cors.allowed_origins = config.cors_origins;
  return options;
}

api::TamsApplication::Options application_options(const Config& config,
                                                  auth::Authenticator* authenticator) {
  return {.public_url = config.public_url,
          .trust_forwarded = config.trust_forwarded,
          .authenticator = authenticator,
          .peer_rate = {.per_second = config.limits.peer_requests_per_second},
          .identity_rate = {.per_second = config.limits.identity_requests_per_second},
          .document = {.title = "Reelhouse: time-addressable media store",
                       .version = "8.2",
                       .description = fmt::format("Reelhouse {}, which offers the BBC TAMS API 8.2 "
                                                  "and operations of its own.",
                                                  kVersion),
                       .security = security_schemes(config)}};
}

//! Name and description of the configuration, unless the service has its own already.
Status seed_service(const tams::Context& context, const Config& config) {
  REEL_ASSIGN(const std::string text, tams::get_service(context));
  REEL_ASSIGN(const json::Value service, json::parse(text));
  json::Value update{json::Object{}};
  if (service.find("name") == nullptr && !config.service_name.empty()) {
    update.set("name", config.service_name);
  }
  if (service.find("description") == nullptr && !config.service_description.empty()) {
    update.set("description", config.service_description);
  }
  return tams::update_service(context, update);
}

CourierOptions courier_options(const Config& config, obs::Tracer* tracer) {
  CourierOptions options = config.webhooks;
  options.allowed_networks = config.limits.tams.webhook_networks;
  options.tracer = tracer;
  return options;
}

}  // namespace

//! Members in the order in which they need each other; destroyed in the opposite one.
class Running::Impl {
 public:
  Impl(Config config, std::unique_ptr<obs::Registry> metrics,
       std::unique_ptr<events::ChangeSignal> changes, std::unique_ptr<store::Store> store,
       tams::Storage storage)
      : config_(std::move(config)),
        metrics_(std::move(metrics)),
        changes_(std::move(changes)),
        store_(std::move(store)),
        storage_(std::move(storage)),
        context_{.store = *store_,
                 .storage = storage_,
                 .clock = system_clock(),
                 .random = system_random(),
                 .changes = *changes_,
                 .limits = config_.limits.tams},
        health_(config_, *store_) {
    add_server_metrics(*metrics_, context_, *store_, health_);
  }
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status start() {
    REEL_TRY(tams::ensure_tables(*store_));
    REEL_TRY(analytics::prepare(*store_));
    REEL_TRY(seed_service(context_, config_));
    REEL_ASSIGN(api_keys_, auth::ApiKeys::open(*store_, system_clock(), system_random()));
    if (!config_.auth_modes.empty()) {
      REEL_ASSIGN(auto wanted, auth_options(config_));
      REEL_ASSIGN(authenticator_,
                  auth::Authenticator::make(std::move(wanted), *api_keys_, system_clock()));
    }
    if (!config_.tracing.endpoint.empty()) {
      REEL_ASSIGN(exporter_, TraceExporter::start(config_.tracing, *metrics_));
      health_.watch_exporter(exporter_.get());
    }
    feed_ = std::make_unique<events::ChangeFeed>(*store_, *changes_);
    sql_ = make_sql(config_, *store_);
    application_ = std::make_unique<api::TamsApplication>(
        all_routes(), context_, application_options(config_, authenticator_.get()));
    REEL_ASSIGN(auto options, http_options(config_));
    options.tracer = tracer();
    const bool tls = options.tls.has_value();
    std::string host = options.address;
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    REEL_ASSIGN(http_, http::Server::make(std::move(options), *application_, *metrics_));
    add_load_metrics();
    REEL_TRY(http_->start());
    url_ = fmt::format("{}://{}:{}", tls ? "https" : "http", host, http_->port());
    const tams::Caller courier{.principal = "webhooks",
                               .base_url = config_.public_url.empty() ? url_ : config_.public_url};
    REEL_ASSIGN(courier_, WebhookCourier::start(context_, courier,
                                                courier_options(config_, tracer()), *metrics_));
    health_.watch_courier(courier_.get());
    std::vector<Janitor::Chore> chores = cleaning_chores(context_);
    chores.push_back({"writing down when API keys were last used",
                      [&keys = *api_keys_](const std::stop_token&) { return keys.save_uses(); }});
    cleaner_ = std::make_unique<Janitor>(std::move(chores), cleaning_, kJanitorPause);
    counter_ = std::make_unique<Janitor>(counting_chores(context_), counting_, kCounterPause,
                                         Janitor::Priority::low);
    deleter_ = std::make_unique<Janitor>(deleting_chores(context_, *store_), *context_.deletions,
                                         kJanitorPause);
    copier_ = std::make_unique<Janitor>(copying_chores(context_), *context_.copies, kJanitorPause);
    return {};
  }

  const std::string& url() const { return url_; }

  Status reload(const Config& config) {
    obs::configure_log(config.log_level, config_.log_format);
    if (authenticator_) REEL_TRY(authenticator_->reload());
    return config_.tls_certificate.empty() ? Status() : http_->reload();
  }

  void stop() {
    health_.set_draining();
    if (http_) {
      http_->drain(std::chrono::milliseconds(config_.limits.drain_ms_max));
      http_->stop();
      http_.reset();
    }
    health_.watch_courier(nullptr);
    courier_.reset();
    health_.watch_exporter(nullptr);
    exporter_.reset();
    copier_.reset();
    counter_.reset();
    if (const Status status = analytics::save_reads(context_); !status) {
      obs::log_error("writing down how often media was read", status.error());
    }
    deleter_.reset();
    cleaner_.reset();
    if (api_keys_) {
      if (const Status status = api_keys_->save_uses(); !status) {
        obs::log_error("writing down when API keys were last used", status.error());
      }
    }
    store_->stop();
  }

 private:
  obs::Tracer* tracer() { return exporter_ ? &exporter_->tracer() : nullptr; }

  std::vector<api::Route> all_routes() {
    std::vector<api::Route> routes = api::product_routes();
    const auto add = [&](std::vector<api::Route> more) {
      std::ranges::move(more, std::back_inserter(routes));
    };
    add(api::tables_routes(*store_));
    add(api::auth_routes(*api_keys_));
    add(operations_routes(health_, *metrics_));
    add(api::event_routes(*feed_));
    add(api::sql_routes(
        *sql_, {.rows_max = config_.sql.rows_max, .seconds_max = config_.sql.seconds_max}));
    return routes;
  }

  void add_load_metrics() {
    metrics_->gauge_callback("reelhouse_http_in_flight", "Requests being read or handled", {},
                             [this] { return static_cast<double>(http_->load().in_flight); });
    metrics_->gauge_callback("reelhouse_http_worker_queue_jobs", "Jobs that wait for a worker", {},
                             [this] { return static_cast<double>(http_->load().queued); });
    metrics_->gauge_callback("reelhouse_sql_running", "Requests whose SQL statements run", {},
                             [this] { return static_cast<double>(sql_->running()); });
  }

  const Config config_;
  const std::unique_ptr<obs::Registry> metrics_;         // the store counts in it
  const std::unique_ptr<events::ChangeSignal> changes_;  // the store's committer uses it
  const std::unique_ptr<store::Store> store_;
  const tams::Storage storage_;
  const tams::Context context_;
  Health health_;
  std::unique_ptr<auth::ApiKeys> api_keys_;
  std::unique_ptr<auth::Authenticator> authenticator_;  //!< null: everybody may do everything
  std::unique_ptr<TraceExporter> exporter_;             //!< null: nothing is traced
  std::unique_ptr<events::ChangeFeed> feed_;
  std::unique_ptr<sql::Engine> sql_;
  std::unique_ptr<api::TamsApplication> application_;
  std::unique_ptr<http::Server> http_;
  Wakeup cleaning_;
  Wakeup counting_;
  std::unique_ptr<Janitor> cleaner_;
  std::unique_ptr<Janitor> counter_;
  std::unique_ptr<Janitor> deleter_;
  std::unique_ptr<Janitor> copier_;
  std::unique_ptr<WebhookCourier> courier_;
  std::string url_;
};

Running::Running(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Running::~Running() = default;

Result<std::unique_ptr<Running>> Running::start(const Config& config) {
  REEL_TRY(check_exposure(config));
  // The store comes first: its lock keeps other servers out of the directory.
  auto metrics = std::make_unique<obs::Registry>();
  auto changes = std::make_unique<events::ChangeSignal>();
  REEL_ASSIGN(auto store,
              store::open_sqlite_store({.path = data_path(config, kStoreFile),
                                        .convert_rows_max = config.limits.convert_rows_max,
                                        .committed = [&told = *changes] { told.notify(); },
                                        .metrics = metrics.get()}));
  REEL_ASSIGN(tams::Storage storage, open_storage(config));
  auto impl = std::make_unique<Impl>(config, std::move(metrics), std::move(changes),
                                     std::move(store), std::move(storage));
  REEL_TRY(impl->start());
  return std::unique_ptr<Running>(new Running(std::move(impl)));
}

const std::string& Running::url() const { return impl_->url(); }
Status Running::reload(const Config& config) { return impl_->reload(config); }
void Running::stop() { impl_->stop(); }

namespace {

//! Reads the configuration again; a mistake in it changes nothing.
void reload_configuration(Running& running, const Config& config) {
  const auto fresh = load_config(config.sources);
  if (!fresh) {
    obs::log_error("the configuration stays as it was", fresh.error());
    return;
  }
  if (const Status status = running.reload(*fresh); !status) {
    obs::log_error("the configuration stays as it was", status.error());
    return;
  }
  obs::log(obs::Level::info, "configuration read again");
}

void log_start(const Config& config) {
  obs::log(obs::Level::info, "starting",
           {{"version", kVersion}, {"configuration", to_line(config)}});
  for (const std::string& warning : config.warnings) obs::log(obs::Level::warning, warning);
}

}  // namespace

Status serve(const Config& config, const std::function<void(const std::string& url)>& on_ready) {
  // Before anything starts a thread, also the log's: a thread inherits the mask, and a signal that
  // one of them does not block would end the process.
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&awaited, number);
  ::pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed socket is an error of the write, not of the process

  obs::configure_log(config.log_level, config.log_format);
  log_start(config);
  REEL_ASSIGN(auto running, Running::start(config));
  obs::log(obs::Level::info, "ready", {{"url", running->url()}});
  on_ready(running->url());
  int number = 0;
  while (::sigwait(&awaited, &number) == 0 && number == SIGHUP) {
    reload_configuration(*running, config);
  }
  obs::log(obs::Level::info, "stopping", {{"signal", number}});
  for (const int deadly : {SIGTERM, SIGINT}) std::signal(deadly, SIG_DFL);
  std::signal(SIGHUP, SIG_IGN);
  ::pthread_sigmask(SIG_UNBLOCK, &awaited, nullptr);
  running->stop();
  obs::log(obs::Level::info, "stopped");
  obs::flush_log();
  return {};
}

}  // namespace reel::server

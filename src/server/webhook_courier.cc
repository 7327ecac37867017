#include "server/webhook_courier.h"

#include <algorithm>

#include "events/change_log.h"
#include "obs/log.h"

namespace reel::server {
namespace {

//! A commit's signal is acted on at most so often; commits come in swarms.
constexpr std::chrono::milliseconds kBreath{5};
//! Pauses end, and a lost signal is noticed, within this time.
constexpr std::chrono::milliseconds kTick{250};

// How much of the log one stretch covers.
constexpr std::size_t kMessagesMax = 100;
constexpr std::size_t kMessageBytesMax = std::size_t{1} << 20;
constexpr std::int64_t kChangesMax = 2000;
//! A webhook for whom nothing was saves its place after so many changes.
constexpr std::int64_t kUnsavedMax = 1000;

constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;

//! Without the path and query of the receiver's URL: there is no telling what in them is a secret.
void describe(obs::Span& span, const tams::WebhookJob& job,
              const Result<http::ClientResponse>& answer) {
  const std::string origin = http::url_origin(job.url);
  span.set("http.request.method", std::string("POST"));
  span.set("url.full", origin + "/");
  const auto [address, port] =
      http::split_authority(std::string_view(origin).substr(origin.find("://") + 3));
  span.set("server.address", std::string(address));
  if (port != 0) span.set("server.port", std::int64_t{port});
  span.set("reelhouse.webhook.id", job.id.to_string());
  if (!answer) {
    span.fail(code_name(answer.error().code()));
    return;
  }
  span.set("http.response.status_code", std::int64_t{answer->status});
  if (!answer->ok()) span.fail(std::to_string(answer->status));
}

}  // namespace

WebhookCourier::WebhookCourier(const tams::Context& context, tams::Caller caller,
                               CourierOptions options, obs::Registry& metrics,
                               std::unique_ptr<http::Client> client)
    : context_(context),
      caller_(std::move(caller)),
      options_(std::move(options)),
      client_(std::move(client)),
      delivered_(metrics.counter("reelhouse_webhook_delivered_total",
                                 "Events that a webhook's receiver accepted")),
      failed_(metrics.counter("reelhouse_webhook_failed_total",
                              "Attempts to deliver an event that failed")),
      duration_(metrics.histogram("reelhouse_webhook_duration_seconds",
                                  "Attempts to deliver an event, whatever came of them",
                                  obs::latency_buckets_seconds())),
      workers_(std::make_unique<WorkerPool>(
          WorkerPool::Options{.threads = options_.threads, .queue_max = options_.threads * 64})) {
  listener_ = context_.changes.add([this] {
    const MutexLock lock(mutex_);
    look_again_ = true;
    wake_.notify_one();
  });
  for (const char* status : {"created", "started", "error"}) {
    metrics.gauge_callback("reelhouse_webhook_lag_changes",
                           "Changes that the last webhook in this status has not passed",
                           {{"status", status}},
                           [this, status] { return static_cast<double>(lag(status).changes); });
    metrics.gauge_callback("reelhouse_webhook_lag_seconds",
                           "Age of the oldest change that the last webhook in this status has "
                           "not passed",
                           {{"status", status}}, [this, status] { return lag(status).seconds; });
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Result<std::unique_ptr<WebhookCourier>> WebhookCourier::start(const tams::Context& context,
                                                              tams::Caller caller,
                                                              CourierOptions options,
                                                              obs::Registry& metrics) {
  REEL_ASSIGN(auto client, http::Client::make({.only_public_and = options.allowed_networks}));
  return std::unique_ptr<WebhookCourier>(new WebhookCourier(
      context, std::move(caller), std::move(options), metrics, std::move(client)));
}

WebhookCourier::~WebhookCourier() {
  context_.changes.remove(listener_);
  stop_.request_stop();
  thread_.request_stop();
  thread_.join();
  workers_->stop();
}

void WebhookCourier::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (const Status status = dispatch(); !status) {
      obs::log_error("looking for webhooks with something to tell", status.error());
    }
    std::this_thread::sleep_for(kBreath);
    MutexLock lock(mutex_);
    wake_.wait_for(mutex_, stop, kTick, [this]() REQUIRES(mutex_) { return look_again_; });
    look_again_ = false;
  }
}

Status WebhookCourier::dispatch() {
  REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
  REEL_ASSIGN(const auto states, tams::webhook_states(*snapshot));
  REEL_ASSIGN(const std::int64_t newest, events::newest_change(*snapshot));
  std::map<std::string, Behind, std::less<>> behind;
  for (const tams::WebhookState& state : states) {
    const bool ready = claim(state, newest);
    {
      const MutexLock lock(mutex_);
      const Lane& lane = lanes_[state.id];
      const std::int64_t seen =
          lane.revision == state.revision ? std::max(lane.examined, state.cursor) : state.cursor;
      const auto place = behind.try_emplace(state.status, Behind{newest, 0}).first;
      if (seen < place->second.seen) place->second = {seen, newest - seen};
    }
    if (ready && !workers_->submit([this, id = state.id] { serve(id); })) {
      const MutexLock lock(mutex_);
      lanes_[state.id].busy = false;
      if (lanes_[state.id].failures > 0) --failing_busy_;
    }
  }
  const MutexLock lock(mutex_);
  behind_ = std::move(behind);
  std::erase_if(lanes_, [&](const auto& lane) {
    return !lane.second.busy && std::none_of(states.begin(), states.end(), [&](const auto& state) {
      return state.id == lane.first;
    });
  });
  return {};
}

//! Whether the webhook has something to do now; it is busy then.
bool WebhookCourier::claim(const tams::WebhookState& state, std::int64_t newest) {
  const MutexLock lock(mutex_);
  Lane& lane = lanes_[state.id];
  if (lane.busy || (state.status != "created" && state.status != "started")) return false;
  if (lane.revision != state.revision) {
    // A client has changed it: what failed before may work now.
    lane = Lane{.revision = state.revision, .examined = state.cursor, .not_before = {}};
  }
  const bool behind = std::max(lane.examined, state.cursor) < newest;
  if (!behind && state.status == "started") return false;
  if (SteadyClock::now() < lane.not_before) return false;
  if (lane.failures > 0) {
    if (failing_busy_ >= std::max<std::size_t>(1, options_.threads / 2)) return false;
    ++failing_busy_;
  }
  lane.busy = true;
  return true;
}

void WebhookCourier::serve(WebhookId id) {
  Lane lane;
  {
    const MutexLock lock(mutex_);
    lane = lanes_[id];
  }
  const bool was_failing = lane.failures > 0;
  if (!stop_.stop_requested()) {
    if (const Status status = serve_stretch(id, lane); !status) {
      // The store refuses, or a client has changed the webhook: look again in a moment.
      if (status.error().code() != Code::conflict && status.error().code() != Code::not_found) {
        obs::log_error("telling a webhook", status.error());
      }
      lane.not_before = SteadyClock::now() + kTick;
    }
  }
  const MutexLock lock(mutex_);
  if (was_failing) --failing_busy_;
  lane.busy = false;
  lanes_[id] = lane;
  look_again_ = true;
  wake_.notify_one();
}

Status WebhookCourier::serve_stretch(WebhookId id, Lane& lane) {
  std::optional<tams::WebhookJob> job;
  Stretch stretch;
  {
    // Not held while the receiver is talked to.
    REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
    REEL_ASSIGN(job, tams::webhook_job(*snapshot, id));
    if (!job) return {};
    if (lane.revision != job->revision) {
      lane = Lane{.revision = job->revision, .busy = true, .not_before = {}};
    }
    lane.examined = std::max(lane.examined, job->cursor);
    REEL_ASSIGN(stretch, read_stretch(*snapshot, *job, lane.examined));
  }
  std::int64_t delivered = lane.examined;
  std::optional<Error> failed;
  for (const Message& message : stretch.messages) {
    if (stop_.stop_requested()) break;
    if (const Status status = deliver(*job, message); !status) {
      failed = status.error().clone();
      break;
    }
    delivered = message.sequence;
  }
  const bool stopped = stop_.stop_requested();
  if (stopped) failed.reset();  // it was broken off
  if (stopped && delivered == lane.examined) return {};
  if (!stopped && !failed) delivered = stretch.end;
  const bool nothing_to_save = stretch.messages.empty() && job->status == "started" &&
                               !job->failing_since && delivered - job->cursor < kUnsavedMax;
  lane.examined = delivered;
  if (nothing_to_save) return {};
  return save(*job, lane, delivered, failed ? &*failed : nullptr);
}

Result<WebhookCourier::Stretch> WebhookCourier::read_stretch(store::Snapshot& snapshot,
                                                             const tams::WebhookJob& job,
                                                             std::int64_t after) {
  Stretch stretch{.messages = {}, .end = after};
  std::size_t bytes = 0;
  std::int64_t looked_at = 0;
  Status rendered;
  REEL_TRY(events::read_changes(snapshot, after, [&](const events::Change& change) {
    if (job.filter.matches(change)) {
      auto text = tams::event_message(context_, caller_, snapshot, job.shaping, change);
      if (!text) {
        rendered = Failure(std::move(text).error());
        return false;
      }
      bytes += text->size();
      stretch.messages.push_back({change.sequence, *std::move(text)});
    }
    stretch.end = change.sequence;
    return ++looked_at < kChangesMax && stretch.messages.size() < kMessagesMax &&
           bytes < kMessageBytesMax;
  }));
  REEL_TRY(std::move(rendered));
  return stretch;
}

Result<http::ClientResponse> WebhookCourier::timed_send(const http::ClientRequest& request) {
  const obs::Stopwatch watch(duration_);
  return client_->send(request);
}

Status WebhookCourier::deliver(const tams::WebhookJob& job, const Message& message) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = job.url;
  request.headers = {{"Content-Type", "application/json"}};
  if (job.api_key) request.headers.push_back(*job.api_key);
  request.body = message.text;
  request.answer_bytes_max = kAnswerBytesMax;
  request.connect_timeout = std::chrono::milliseconds(options_.timeout_ms);
  request.total_timeout = std::chrono::milliseconds(options_.timeout_ms);
  request.stop = stop_.get_token();
  obs::Span span(options_.tracer, "POST", obs::SpanKind::client);
  if (std::string parent = span.traceparent(); !parent.empty()) {
    request.headers.emplace_back("traceparent", std::move(parent));
  }
  auto answer = timed_send(request);
  if (span.recording()) describe(span, job, answer);
  if (answer && answer->ok()) {
    delivered_.add();
    return {};
  }
  if (stop_.stop_requested()) return cancelled("the server stops");
  failed_.add();
  if (!answer) return Failure(std::move(answer).error());
  return io("the receiver answered {}", answer->status);
}

Status WebhookCourier::save(const tams::WebhookJob& job, Lane& lane, std::int64_t delivered,
                            const Error* failed) {
  tams::WebhookProgress progress{.cursor = delivered};
  if (failed != nullptr) {
    const Instant now = context_.clock.now();
    const bool some_worked = delivered > job.cursor;
    progress.failing_since = some_worked ? now : job.failing_since.value_or(now);
    lane.failures = some_worked ? 1 : lane.failures + 1;
    lane.not_before = SteadyClock::now() + pause_after(lane.failures);
    const std::int64_t failing_s = (now.micros - progress.failing_since->micros) / 1'000'000;
    if (failing_s >= options_.give_up_after_s) {
      progress.given_up = fmt::format("No event could be delivered for {} s; last: {}", failing_s,
                                      failed->message());
      obs::log(obs::Level::warning, "a webhook is given up", {{"webhook", job.id.to_string()}});
    }
    // Saying so once is enough: the retries change nothing but the clock.
    const bool known = job.failing_since && !some_worked && progress.given_up.empty();
    if (known) return {};
  } else {
    lane.failures = 0;
    lane.not_before = {};
  }
  return tams::save_progress(context_, job, progress);
}

//! Between half and all of a span that doubles with each failure.
std::chrono::milliseconds WebhookCourier::pause_after(unsigned failures) {
  const unsigned doublings = std::min(failures - 1, 20U);
  const std::uint64_t span = std::min<std::uint64_t>(
      std::uint64_t{options_.retry_ms_min} << doublings, options_.retry_ms_max);
  std::uint32_t random = 0;
  context_.random.fill(reinterpret_cast<unsigned char*>(&random), sizeof(random));
  return std::chrono::milliseconds(span / 2 + random % (span / 2 + 1));
}

WebhookCourier::Lag WebhookCourier::lag(std::string_view status) const {
  Behind behind;
  {
    const MutexLock lock(mutex_);
    const auto found = behind_.find(status);
    if (found == behind_.end() || found->second.changes == 0) return {};
    behind = found->second;
  }
  Lag lag{.changes = behind.changes};
  const auto snapshot = context_.store.snapshot();
  if (!snapshot) return lag;
  (void)events::read_changes(**snapshot, behind.seen, [&](const events::Change& change) {
    lag.seconds = static_cast<double>(context_.clock.now().micros - change.at.micros) / 1e6;
    return false;
  });
  return lag;
}

}  // namespace reel::server

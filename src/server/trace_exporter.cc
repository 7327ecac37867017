#include "server/trace_exporter.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "base/uuid.h"
#include "base/version.h"
#include "obs/log.h"

namespace reel::server {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

//! A span waits at most so long for others.
constexpr milliseconds kPause{1'000};
constexpr std::size_t kMessageSpansMax = 512;
constexpr milliseconds kSendMax{10'000};
constexpr milliseconds kRetryPauseMin{250};
constexpr milliseconds kRetryPauseMax{15'000};
//! What nobody took for so long is given up, for newer spans wait.
constexpr milliseconds kRetryMax{60'000};
constexpr milliseconds kFlushMax{3'000};
constexpr std::size_t kAnswerBytesMax = 64 << 10;

Result<http::ClientHeaders> read_headers(const std::string& file) {
  http::ClientHeaders headers = {{"Content-Type", "application/json"}};
  if (file.empty()) return headers;
  std::ifstream in(file);
  if (!in) return invalid("'tracing.headers_file' {} cannot be read", file);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == line.npos) {
      return invalid("'tracing.headers_file' {}:{}: must be like 'Name: value'", file, number);
    }
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    headers.emplace_back(line.substr(0, colon), value == line.npos ? "" : line.substr(value));
  }
  return headers;
}

obs::Counter& dropped(obs::Registry& metrics, const std::string& reason) {
  return metrics.counter("reelhouse_trace_spans_dropped_total", "Spans that no collector got",
                         {{"reason", reason}});
}

//! The seconds of a Retry-After field; zero when there is none. Dates are not worth reading here.
milliseconds retry_after(const http::ClientResponse& answer) {
  std::uint32_t seconds = 0;
  if (const std::string* text = answer.find_header("Retry-After")) {
    std::from_chars(text->data(), text->data() + text->size(), seconds);
  }
  return std::min<milliseconds>(std::chrono::seconds(seconds), kRetryPauseMax);
}

//! Between half and all of it, so that servers which lost their collector together do not return
//! together.
milliseconds jittered(milliseconds pause) {
  std::uint32_t random = 0;
  system_random().fill(reinterpret_cast<unsigned char*>(&random), sizeof(random));
  const auto half = static_cast<std::uint64_t>(pause.count()) / 2;
  return milliseconds(half + random % (half + 1));
}

bool may_be_taken_later(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

Result<std::unique_ptr<TraceExporter>> TraceExporter::start(const TracingOptions& options,
                                                            obs::Registry& metrics) {
  REEL_ASSIGN(auto headers, read_headers(options.headers_file));
  REEL_ASSIGN(auto client, http::Client::make());
  return std::unique_ptr<TraceExporter>(
      new TraceExporter(options, std::move(headers), metrics, std::move(client)));
}

TraceExporter::TraceExporter(const TracingOptions& options, http::ClientHeaders headers,
                             obs::Registry& metrics, std::unique_ptr<http::Client> client)
    : url_(options.endpoint + "/v1/traces"),
      resource_{{"service.name", options.service_name},
                {"service.version", std::string(kVersion)},
                {"service.instance.id", Uuid::random().to_string()}},
      headers_(std::move(headers)),
      client_(std::move(client)),
      exported_(
          metrics.counter("reelhouse_trace_spans_exported_total", "Spans that the collector took")),
      refused_(dropped(metrics, "refused")),
      unreachable_(dropped(metrics, "unreachable")),
      tracer_({.sample_ratio = options.sample_ratio}, dropped(metrics, "queue_full")),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

TraceExporter::~TraceExporter() {
  thread_.request_stop();
  {
    MutexLock lock(mutex_);
    changed_.wait_for(mutex_, kFlushMax, [this]() REQUIRES(mutex_) { return done_; });
  }
  break_off_.request_stop();
  thread_.join();
}

std::string TraceExporter::trouble() const {
  const MutexLock lock(mutex_);
  return trouble_;
}

void TraceExporter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    tracer_.wait(stop, kPause);
    send_all(tracer_.take(), stop);
  }
  send_all(tracer_.take(), stop);
  const MutexLock lock(mutex_);
  done_ = true;
  changed_.notify_all();
}

void TraceExporter::send_all(std::vector<obs::FinishedSpan> spans, const std::stop_token& stop) {
  std::span<const obs::FinishedSpan> left(spans);
  while (!left.empty()) {
    const auto some = left.first(std::min(left.size(), kMessageSpansMax));
    deliver(some, stop);
    tracer_.settle(some.size());
    left = left.subspan(some.size());
  }
}

void TraceExporter::deliver(std::span<const obs::FinishedSpan> spans, const std::stop_token& stop) {
  const std::string message = obs::otlp_request(resource_, spans);
  const auto give_up_at = SteadyClock::now() + kRetryMax;
  milliseconds pause = kRetryPauseMin;
  while (true) {
    milliseconds longer{0};
    if (send(message, spans.size(), longer)) return;
    const milliseconds wait = std::max(jittered(pause), longer);
    // While the server stops, each message has one attempt.
    if (stop.stop_requested() || SteadyClock::now() + wait > give_up_at) {
      return unreachable_.add(spans.size());
    }
    {
      MutexLock lock(mutex_);
      changed_.wait_for(mutex_, stop, wait, [] { return false; });
    }
    pause = std::min(pause * 2, kRetryPauseMax);
  }
}

bool TraceExporter::send(const std::string& message, std::size_t span_count, milliseconds& pause) {
  http::ClientRequest request{.method = "POST", .url = url_, .headers = headers_, .body = message};
  request.answer_bytes_max = kAnswerBytesMax;
  request.connect_timeout = kSendMax;
  request.total_timeout = kSendMax;
  request.stop = break_off_.get_token();
  const auto answer = client_->send(request);
  if (!answer) {
    note(answer.error().message());
    return false;
  }
  if (!answer->ok()) {
    note(fmt::format("the collector answered {}", answer->status));
    pause = retry_after(*answer);
    if (may_be_taken_later(answer->status)) return false;
    refused_.add(span_count);
    return true;
  }
  const auto refused = std::min<std::uint64_t>(obs::otlp_rejected(answer->body), span_count);
  refused_.add(refused);
  exported_.add(span_count - refused);
  note(refused > 0 ? fmt::format("the collector refused {} of {} spans", refused, span_count) : "");
  return true;
}

//! Logs only what changes: not each of many attempts.
void TraceExporter::note(std::string trouble) {
  bool began = false;
  bool ended = false;
  {
    const MutexLock lock(mutex_);
    began = trouble_.empty() && !trouble.empty();
    ended = !trouble_.empty() && trouble.empty();
    trouble_ = trouble;
  }
  if (began) obs::log(obs::Level::warning, "spans are not taken", {{"reason", trouble}});
  if (ended) obs::log(obs::Level::info, "spans are taken again");
}

}  // namespace reel::server

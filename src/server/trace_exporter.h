#pragma once
//! Sends spans to an OpenTelemetry collector: OTLP over HTTP, as JSON.

#include <condition_variable>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"
#include "http/client/client.h"
#include "obs/metrics.h"
#include "obs/otlp.h"

namespace reel::server {

struct TracingOptions {
  std::string endpoint = {};  //!< "http://collector:4318"; empty: nothing is traced
  double sample_ratio = 1;
  std::string service_name = "reelhouse";
  std::string headers_file = {};  //!< lines "Name: value", sent with every message
};

//! One thread that empties a tracer's queue into a collector. What the collector cannot take now
//! (429, 502, 503, 504, no connection) is tried again with growing pauses for a minute; what it
//! refuses is not. Meanwhile the queue fills, and then spans are dropped: requests never wait.
class TraceExporter {
 public:
  //! Code::invalid when the headers file cannot be used. REQUIRES: metrics outlive it.
  static Result<std::unique_ptr<TraceExporter>> start(const TracingOptions& options,
                                                      obs::Registry& metrics);
  //! Sends what waits, for a few seconds at most. REQUIRES: nobody records any more.
  ~TraceExporter();
  TraceExporter(const TraceExporter&) = delete;
  TraceExporter& operator=(const TraceExporter&) = delete;

  obs::Tracer& tracer() { return tracer_; }
  //! Why the last message was not taken; empty when it was.
  std::string trouble() const;

 private:
  TraceExporter(const TracingOptions& options, http::ClientHeaders headers, obs::Registry& metrics,
                std::unique_ptr<http::Client> client);
  void run(const std::stop_token& stop);
  void send_all(std::vector<obs::FinishedSpan> spans, const std::stop_token& stop);
  //! Tries until the message is taken, refused, or given up.
  void deliver(std::span<const obs::FinishedSpan> spans, const std::stop_token& stop);
  //! One attempt. False: it should be tried again, after `pause` if that is longer than planned.
  bool send(const std::string& message, std::size_t span_count, std::chrono::milliseconds& pause);
  void note(std::string trouble) EXCLUDES(mutex_);

  const std::string url_;
  const obs::ResourceAttributes resource_;
  const http::ClientHeaders headers_;
  const std::unique_ptr<http::Client> client_;
  obs::Counter& exported_;
  obs::Counter& refused_;
  obs::Counter& unreachable_;
  obs::Tracer tracer_;
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::string trouble_ GUARDED_BY(mutex_);
  bool done_ GUARDED_BY(mutex_) = false;
  std::stop_source break_off_;  //!< ends a message at hand
  std::jthread thread_;
};

}  // namespace reel::server

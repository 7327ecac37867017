#pragma once
//! Carries changes to the webhooks that want them.

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"
#include "base/worker_pool.h"
#include "http/client/client.h"
#include "obs/metrics.h"
#include "obs/span.h"
#include "tams/webhooks.h"

namespace reel::server {

struct CourierOptions {
  std::size_t threads = 16;
  std::uint32_t timeout_ms = 10'000;       //!< for one delivery
  std::uint32_t retry_ms_min = 500;        //!< after the first failure; doubles with each further
  std::uint32_t retry_ms_max = 300'000;    //!< the pause between two attempts at most
  std::int64_t give_up_after_s = 259'200;  //!< without one success: the webhook becomes `error`
  std::vector<Network> allowed_networks;   //!< beside public addresses
  obs::Tracer* tracer = nullptr;           //!< outlives the courier; null: nothing is traced
};

//! Delivers every change in the log's order to each webhook whose filter it passes, at least once:
//! the place in the log is saved after the receiver said 2xx, for some deliveries together. A
//! delivery that fails is tried again, after a growing pause, until it succeeds or the webhook is
//! given up; only this webhook waits meanwhile. Webhooks whose last attempt failed share half of
//! the threads, so that receivers which do not answer leave room for those which do.
class WebhookCourier {
 public:
  //! `caller`: whose address stands in get_urls. REQUIRES: context and metrics outlive it.
  static Result<std::unique_ptr<WebhookCourier>> start(const tams::Context& context,
                                                       tams::Caller caller, CourierOptions options,
                                                       obs::Registry& metrics);
  //! Breaks off deliveries at hand; they are repeated after the next start.
  ~WebhookCourier();
  WebhookCourier(const WebhookCourier&) = delete;
  WebhookCourier& operator=(const WebhookCourier&) = delete;

  //! How far behind the newest change the last webhook in a status is.
  struct Lag {
    std::int64_t changes = 0;
    double seconds = 0;  //!< since the oldest change that it has not passed
  };
  //! From any thread. A store that cannot be read tells nothing: 0 seconds.
  Lag lag(std::string_view status) const EXCLUDES(mutex_);

 private:
  using SteadyClock = std::chrono::steady_clock;

  //! What is known of one webhook beside its row.
  struct Lane {
    std::int64_t revision = -1;
    std::int64_t examined = 0;  //!< as the cursor, but not saved for what is filtered out
    bool busy = false;
    unsigned failures = 0;  //!< in a row
    SteadyClock::time_point not_before;
  };
  struct Message {
    std::int64_t sequence;
    std::string text;
  };
  //! A stretch of the log for one webhook.
  struct Stretch {
    std::vector<Message> messages;
    std::int64_t end = 0;  //!< the last change that was looked at
  };

  WebhookCourier(const tams::Context& context, tams::Caller caller, CourierOptions options,
                 obs::Registry& metrics, std::unique_ptr<http::Client> client);
  void run(const std::stop_token& stop);
  //! Hands webhooks that have something to do to the workers.
  Status dispatch() EXCLUDES(mutex_);
  bool claim(const tams::WebhookState& state, std::int64_t newest) EXCLUDES(mutex_);
  //! One stretch of one webhook, on a worker.
  void serve(WebhookId id) EXCLUDES(mutex_);
  Status serve_stretch(WebhookId id, Lane& lane);
  Result<Stretch> read_stretch(store::Snapshot& snapshot, const tams::WebhookJob& job,
                               std::int64_t after);
  Result<http::ClientResponse> timed_send(const http::ClientRequest& request);
  Status deliver(const tams::WebhookJob& job, const Message& message);
  Status save(const tams::WebhookJob& job, Lane& lane, std::int64_t delivered, const Error* failed);
  std::chrono::milliseconds pause_after(unsigned failures);

  const tams::Context& context_;
  const tams::Caller caller_;
  const CourierOptions options_;
  const std::unique_ptr<http::Client> client_;
  obs::Counter& delivered_;
  obs::Counter& failed_;
  obs::Histogram& duration_;
  mutable Mutex mutex_;
  std::condition_variable_any wake_;
  bool look_again_ GUARDED_BY(mutex_) = true;
  std::map<WebhookId, Lane> lanes_ GUARDED_BY(mutex_);
  std::size_t failing_busy_ GUARDED_BY(mutex_) = 0;
  //! By status: the place of the last webhook, which is behind the newest change.
  struct Behind {
    std::int64_t seen = 0;
    std::int64_t changes = 0;
  };
  std::map<std::string, Behind, std::less<>> behind_ GUARDED_BY(mutex_);
  std::stop_source stop_;
  std::uint64_t listener_ = 0;
  std::unique_ptr<WorkerPool> workers_;
  std::jthread thread_;
};

}  // namespace reel::server

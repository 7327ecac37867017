#include "server/janitor.h"

#include "events/change_log.h"
#include "obs/log.h"
#include "tams/flows.h"
#include "tams/objects.h"

namespace reel::server {

namespace {

Status trim_change_log(const tams::Context& context) {
  constexpr std::size_t kAtOnce = 1000;
  constexpr std::int64_t kDayUs = 86'400'000'000;
  const Instant horizon{context.clock.now().micros - context.limits.change_log_days * kDayUs};
  while (true) {
    REEL_ASSIGN(const std::size_t gone, events::trim_changes(context.store, horizon, kAtOnce));
    if (gone < kAtOnce) return {};
  }
}

}  // namespace

Janitor::Janitor(const tams::Context& context, auth::ApiKeys& keys, std::chrono::milliseconds pause)
    : context_(context),
      keys_(keys),
      pause_(pause),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Janitor::~Janitor() {
  thread_.request_stop();
  thread_.join();
}

void Janitor::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (const Status status = tams::resume_flow_removals(context_); !status) {
      obs::log_error("removing the segments of deleted flows", status.error());
    }
    if (const Status status = tams::collect_unused(context_); !status) {
      obs::log_error("removing objects that nothing uses", status.error());
    }
    if (const Status status = trim_change_log(context_); !status) {
      obs::log_error("forgetting old changes", status.error());
    }
    if (const Status status = keys_.save_uses(); !status) {
      obs::log_error("writing down when API keys were last used", status.error());
    }
    MutexLock lock(mutex_);
    wake_.wait_for(mutex_, stop, pause_, [] { return false; });
  }
}

}  // namespace reel::server

#include "server/janitor.h"

#include "analytics/refresh.h"
#include "events/change_log.h"
#include "obs/log.h"
#include "tams/deletions.h"
#include "tams/garbage.h"
#include "tams/idempotency.h"
#include "tams/instances.h"
#include "tams/trash.h"

namespace reel::server {

namespace {

constexpr int kLowNice = 15;
constexpr std::int64_t kDayUs = 86'400'000'000;

Status trim_change_log(const tams::Context& context) {
  constexpr std::size_t kAtOnce = 1000;
  const Instant horizon{context.clock.now().micros - context.limits.change_log_days * kDayUs};
  while (true) {
    REEL_ASSIGN(const std::size_t gone, events::trim_changes(context.store, horizon, kAtOnce));
    if (gone < kAtOnce) return {};
  }
}

//! Forgets dropped columns and tables, a few rows at a time.
Status purge_dropped(const tams::Context& context, store::Store& store,
                     const std::stop_token& stop) {
  constexpr std::size_t kRowsAtOnce = 200;
  const Instant horizon{context.clock.now().micros - context.limits.undrop_days * kDayUs};
  store::PurgePlace place;
  Pace pace(*context.demand);
  while (!stop.stop_requested()) {
    REEL_ASSIGN(store::PurgeStep step, store.purge(horizon, kRowsAtOnce, place));
    if (step.done) return {};
    place = std::move(step.next);
    pace.rest();
  }
  return {};
}

}  // namespace

Janitor::Janitor(std::vector<Chore> chores, Wakeup& wakeup, std::chrono::milliseconds pause,
                 Priority priority)
    : chores_(std::move(chores)),
      wakeup_(wakeup),
      pause_(pause),
      priority_(priority),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Janitor::~Janitor() {
  thread_.request_stop();
  thread_.join();
}

void Janitor::run(const std::stop_token& stop) {
  if (priority_ == Priority::low) lower_priority(kLowNice);
  while (!stop.stop_requested()) {
    for (const Chore& chore : chores_) {
      const Status status = chore.work(stop);
      if (!status) obs::log_error(chore.name, status.error());
    }
    wakeup_.wait(stop, pause_);
  }
}

std::vector<Janitor::Chore> cleaning_chores(const tams::Context& context) {
  const auto chore = [&](std::string name, Status (*work)(const tams::Context&)) {
    return Janitor::Chore{std::move(name),
                          [&context, work](const std::stop_token&) { return work(context); }};
  };
  return {chore("removing objects that nothing uses", tams::collect_unused),
          chore("removing objects that were never registered", tams::collect_unregistered),
          chore("forgetting old idempotency keys", tams::forget_old_keys),
          chore("forgetting old changes", trim_change_log)};
}

std::vector<Janitor::Chore> counting_chores(const tams::Context& context) {
  return {{"bringing the figures up to date",
           [&context](const std::stop_token& stop) { return analytics::refresh(context, stop); }},
          {"writing down how often media was read",
           [&context](const std::stop_token&) { return analytics::save_reads(context); }}};
}

std::vector<Janitor::Chore> deleting_chores(const tams::Context& context, store::Store& store) {
  return {{"deleting what has been in the trash for its time",
           [&context](const std::stop_token& stop) {
             return tams::purge_expired_trash(context, stop);
           }},
          {"deleting what was requested",
           [&context](const std::stop_token& stop) {
             return tams::carry_out_deletions(context, stop);
           }},
          {"purging dropped columns and tables", [&context, &store](const std::stop_token& stop) {
             return purge_dropped(context, store, stop);
           }}};
}

std::vector<Janitor::Chore> copying_chores(const tams::Context& context) {
  return {{"copying objects to other storage backends",
           [&context](const std::stop_token& stop) { return tams::make_copies(context, stop); }}};
}

}  // namespace reel::server

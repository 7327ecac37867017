#include "events/change_feed.h"

#include <algorithm>

#include "events/change_log.h"
#include "obs/log.h"

namespace reel::events {
namespace {

//! How precisely `at_latest` is kept.
constexpr std::chrono::milliseconds kTick{250};

}  // namespace

ChangeFeed::ChangeFeed(store::Store& store, ChangeSignal& signal)
    : store_(store), signal_(signal), thread_([this](const std::stop_token& stop) { run(stop); }) {
  listener_ = signal_.add([this] {
    const MutexLock lock(mutex_);
    look_again_ = true;
    changed_.notify_one();
  });
}

ChangeFeed::~ChangeFeed() {
  signal_.remove(listener_);
  thread_.request_stop();
  thread_.join();
}

ChangeFeed::Ticket ChangeFeed::wait(std::int64_t after, std::chrono::milliseconds at_latest,
                                    std::function<void()> wake) {
  const MutexLock lock(mutex_);
  const Ticket ticket = next_++;
  waiters_.emplace(ticket, Waiter{after, Clock::now() + at_latest, std::move(wake)});
  look_again_ = true;  // it may have read before a commit whose signal found nobody waiting
  changed_.notify_one();
  return ticket;
}

void ChangeFeed::cancel(Ticket ticket) {
  const MutexLock lock(mutex_);
  waiters_.erase(ticket);
}

void ChangeFeed::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool look_now = false;
    {
      MutexLock lock(mutex_);
      changed_.wait_for(mutex_, stop, kTick, [this]() REQUIRES(mutex_) { return look_again_; });
      look_now = look_again_ && !waiters_.empty();
      look_again_ = false;
    }
    if (look_now) newest_ = look();
    wake_due(newest_);
  }
}

std::int64_t ChangeFeed::look() {
  const auto snapshot = store_.snapshot();
  if (!snapshot) return newest_;
  const auto newest = newest_change(**snapshot);
  if (!newest) {
    obs::log_error("looking for new changes", newest.error());
    return newest_;
  }
  return *newest;
}

void ChangeFeed::wake_due(std::int64_t newest) {
  const auto now = Clock::now();
  // Under the lock, so that cancel() can promise what it does.
  const MutexLock lock(mutex_);
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (waiter->second.after >= newest && waiter->second.deadline > now) {
      ++waiter;
      continue;
    }
    waiter->second.wake();
    waiter = waiters_.erase(waiter);
  }
}

}  // namespace reel::events

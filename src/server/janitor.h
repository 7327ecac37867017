#pragma once
//! Work that is due now and then and that nobody waits for.

#include <chrono>
#include <condition_variable>
#include <thread>

#include "auth/api_keys.h"
#include "base/thread_annotations.h"
#include "tams/context.h"

namespace reel::server {

//! Finishes what requests or an earlier process left behind: removals of flows, bytes that nothing
//! refers to, changes older than the log reaches back; writes down when API keys were last used.
//! Errors are logged and tried again the next time.
class Janitor {
 public:
  //! Begins at once. REQUIRES: the context and the keys outlive the janitor.
  Janitor(const tams::Context& context, auth::ApiKeys& keys, std::chrono::milliseconds pause);
  //! Waits for the piece of work at hand.
  ~Janitor();
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

 private:
  void run(const std::stop_token& stop);

  const tams::Context& context_;
  auth::ApiKeys& keys_;
  const std::chrono::milliseconds pause_;
  Mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace reel::server

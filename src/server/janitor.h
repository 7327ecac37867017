#pragma once
//! Work that nobody waits for.

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/wakeup.h"
#include "tams/context.h"

namespace reel::server {

//! A thread that does a list of chores now and then, and at once when it is woken. Errors are
//! logged and tried again the next time.
class Janitor {
 public:
  struct Chore {
    std::string name;  //!< for the log: "removing …"
    std::function<Status(const std::stop_token&)> work;
  };

  //! How the thread stands against those of requests.
  enum class Priority : std::uint8_t {
    equal,
    low,  //!< it gets what they leave
  };

  //! Begins at once. REQUIRES: `wakeup`, and what the chores use, outlive the janitor.
  Janitor(std::vector<Chore> chores, Wakeup& wakeup, std::chrono::milliseconds pause,
          Priority priority = Priority::equal);
  //! Waits for the chore at hand.
  ~Janitor();
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

 private:
  void run(const std::stop_token& stop);

  const std::vector<Chore> chores_;
  Wakeup& wakeup_;
  const std::chrono::milliseconds pause_;
  const Priority priority_;
  std::jthread thread_;
};

//! What requests or an earlier process left behind: objects and bytes that nothing refers to,
//! changes older than the log reaches back, keys of requests long done.
std::vector<Janitor::Chore> cleaning_chores(const tams::Context& context);
//! Keeping the figures up to date. Apart, because others must not wait for it.
std::vector<Janitor::Chore> counting_chores(const tams::Context& context);
//! Deletion requests, the trash, and what was dropped; and copies of objects between backends.
//! Apart, because they may take hours.
std::vector<Janitor::Chore> deleting_chores(const tams::Context& context, store::Store& store);
std::vector<Janitor::Chore> copying_chores(const tams::Context& context);

}  // namespace reel::server

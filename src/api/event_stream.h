#pragma once
//! The change log as Server-Sent Events (WHATWG HTML, 9.2).

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/message.h"
#include "events/change_feed.h"
#include "events/event_filter.h"
#include "tams/context.h"
#include "tams/event_message.h"

namespace reel::api {

//! What one client wants to see.
struct EventStreamOptions {
  tams::Caller caller;
  events::EventFilter filter;
  tams::EventShaping shaping;
  std::optional<std::int64_t> last_event_id;  //!< unset: from now on
};

//! Tells changes behind a number, then new ones as they come. `id:` is the change's number; it also
//! moves on, without an event, when the filter leaves changes out, so that a resumed client need
//! not pass them again. A client whose number is not in the log any more gets an `error` event and
//! what is left. Every heartbeat without news is a comment.
class EventStream final : public BodyStream {
 public:
  //! REQUIRES: context and feed outlive it.
  static Result<std::shared_ptr<EventStream>> open(const tams::Context& context,
                                                   events::ChangeFeed& feed,
                                                   EventStreamOptions options);
  ~EventStream() override;
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  Result<bool> read(std::string& out) override;
  void when_ready(std::function<void()> wake) override;
  bool endless() const override { return true; }

 private:
  EventStream(const tams::Context& context, events::ChangeFeed& feed, EventStreamOptions options,
              std::int64_t position)
      : context_(context), feed_(feed), options_(std::move(options)), position_(position) {}

  const tams::Context& context_;
  events::ChangeFeed& feed_;
  const EventStreamOptions options_;
  std::int64_t position_;   //!< the last change that was looked at
  std::int64_t told_ = -1;  //!< the last id that was sent
  std::string preamble_;    //!< sent before the first event
  events::ChangeFeed::Ticket ticket_ = 0;
  bool waited_ = false;  //!< since the last read
};

}  // namespace reel::api

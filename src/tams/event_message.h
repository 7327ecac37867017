#pragma once
//! Changes as followers are told them: webhooks and the event stream.

#include <string>

#include "events/change_log.h"
#include "tams/context.h"
#include "tams/get_urls.h"

namespace reel::tams {

//! How segments look in flows/segments_added.
struct EventShaping {
  UrlSelection urls;
  bool include_object_timerange = false;
};

//! {"event_timestamp", "event_type", "event"} (TAMS 8.2, webhooks), in one line. Objects that are
//! gone meanwhile have no get_urls.
Result<std::string> event_message(const Context& context, const Caller& caller,
                                  store::Snapshot& snapshot, const EventShaping& shaping,
                                  const events::Change& change);

}  // namespace reel::tams

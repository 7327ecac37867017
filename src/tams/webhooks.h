#pragma once
//! Webhooks: who wants to be told which changes, and how far each has got. Rules: TAMS 8.2
//! /service/webhooks. Sending is somebody else's work; see WebhookJob.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "events/event_filter.h"
#include "json/value.h"
#include "tams/context.h"
#include "tams/event_message.h"
#include "tams/listing.h"

namespace reel::tams {

//! The rules of a body that its shape cannot say: where it may go, what its key may be.
Status check_webhook(const Limits& limits, const json::Value& body);
//! The filter in a body that passed its shape.
events::EventFilter webhook_filter(const json::Value& body);

//! Registers a webhook from a body that passed shape::webhook_post(); it is told what happens from
//! now on. Returns it as GET shows it.
Result<std::string> create_webhook(const Context& context, const Caller& caller,
                                   const json::Value& body);
Result<std::string> get_webhook(const Context& context, WebhookId id);
//! From a body that passed shape::webhook_put(). An api_key_value that is not given stays as long
//! as its api_key_name does. Status `created` makes a failed webhook go on where it stopped; a
//! disabled one begins with what happens from now on. Errors: not_found, invalid.
Result<std::string> replace_webhook(const Context& context, const Caller& caller, WebhookId id,
                                    const json::Value& body);
Status delete_webhook(const Context& context, const Caller& caller, WebhookId id);
//! By URL.
Result<Page> list_webhooks(const Context& context, const TagFilter& tags, const PageRequest& page);

//! What a sender needs to know of a webhook.
struct WebhookJob {
  WebhookId id;
  std::string url;
  std::optional<std::pair<std::string, std::string>> api_key;  //!< header field
  events::EventFilter filter;
  EventShaping shaping;
  std::string status;       //!< "created" or "started"
  std::int64_t cursor = 0;  //!< every change up to here is delivered, or none of its business
  std::int64_t revision = 0;
  std::optional<Instant> failing_since;
};

//! One line per webhook.
struct WebhookState {
  WebhookId id;
  std::string status;
  std::int64_t cursor = 0;
  std::int64_t revision = 0;  //!< counts changes by clients
};
Result<std::vector<WebhookState>> webhook_states(store::Snapshot& snapshot);

//! nullopt when it is not there, disabled or given up.
Result<std::optional<WebhookJob>> webhook_job(store::Snapshot& snapshot, WebhookId id);

//! How far a sender got.
struct WebhookProgress {
  std::int64_t cursor = 0;
  std::optional<Instant> failing_since = std::nullopt;
  std::string given_up = {};  //!< why, if it gave up
};
//! Code::conflict when a client changed the webhook since the job was read.
Status save_progress(const Context& context, const WebhookJob& job,
                     const WebhookProgress& progress);

}  // namespace reel::tams

#pragma once
//! Requests that are done once, however often they are sent: the client gives each a key, and the
//! key is kept with the outcome in the commit that does the request. After
//! draft-ietf-httpapi-idempotency-key-header; docs/decisions/0010-idempotency-keys.md.

#include <optional>

#include "json/value.h"
#include "tams/context.h"

namespace reel::tams {

//! How long a key is remembered, at least.
inline constexpr std::int64_t kKeyLifetimeSeconds = 86'400;

//! What remember_outcome() kept when the caller's request was done; nullopt when it was not done
//! yet, or has no key. Code::key_reused when the key belongs to another request. To be asked first
//! in each attempt, before anything that the request itself has changed is looked at.
Result<std::optional<json::Value>> earlier_outcome(store::Snapshot& snapshot, const Caller& caller);

//! Adds the outcome to the batch that does the request, unless the request has no key. The batch
//! fails with conflict when the request was done meanwhile; the next attempt finds its outcome.
//! `outcome`: what the same answer is made of, without secrets.
void remember_outcome(const Context& context, const Caller& caller, const json::Value& outcome,
                      store::Batch& batch);

//! Forgets the keys whose time is over.
Status forget_old_keys(const Context& context);

}  // namespace reel::tams

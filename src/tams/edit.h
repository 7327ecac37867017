#pragma once
//! Read, change, commit, and again when someone else was faster.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"
#include "tams/context.h"

namespace reel::tams {

//! One attempt at a write: what it reads, and what it will commit.
struct Write {
  const Context& context;
  const Caller& caller;
  store::Snapshot& snapshot;
  store::Batch batch = {};
};

//! Waits before the next attempt: not at all at first, then a random while that grows to some
//! milliseconds, so that writers of one row stop meeting each other.
void wait_before_attempt(int attempt);

//! Runs `attempt` again as long as it ends with conflict, a bounded number of times; the last
//! conflict is returned. Each attempt reads a fresh snapshot.
template <class Attempt>
auto retry_on_conflict(const Attempt& attempt) -> decltype(attempt()) {
  constexpr int kAttemptsMax = 200;
  for (int i = 1;; ++i) {
    auto outcome = attempt();
    if (outcome || outcome.error().code() != Code::conflict || i == kAttemptsMax) return outcome;
    wait_before_attempt(i + 1);
  }
}

//! A member of a document; absent tags are {}, an absent read_only is false, anything else absent
//! is Code::not_found.
Result<json::Value> document_member(const json::Value& document, std::string_view member,
                                    std::string_view kind, std::string_view id);

//! Sets the member, or removes it when there is no value.
void assign_member(json::Value& document, std::string_view member,
                   const std::optional<json::Value>& value);

//! Sets or removes one tag. Code::not_found when a tag to remove is absent.
Status assign_tag(json::Value& document, std::string_view name,
                  const std::optional<json::Value>& value, std::string_view kind,
                  std::string_view id);

}  // namespace reel::tams

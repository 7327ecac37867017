#pragma once
//! Read, change, commit, and again when someone else was faster.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"
#include "store/retry.h"
#include "tams/context.h"

namespace reel::tams {

//! One attempt at a write: what it reads, and what it will commit.
struct Write {
  const Context& context;
  const Caller& caller;
  store::Snapshot& snapshot;
  store::Batch batch = {};
};

using store::retry_on_conflict;

//! Holds the caller's condition, if there is one, against what `show` gives, for which
//! Code::not_found means that nothing is there. The batch must require what keeps it so.
Status check_condition(const Caller& caller, const std::function<Result<std::string>()>& show);

//! A member of a document; absent tags are {}, an absent read_only is false, anything else absent
//! is Code::not_found. `owner` names the document in errors: "flow <id>".
Result<json::Value> document_member(const json::Value& document, std::string_view member,
                                    std::string_view owner);

//! Sets the member, or removes it when there is no value.
void assign_member(json::Value& document, std::string_view member,
                   const std::optional<json::Value>& value);

//! A change of a document, or of a part of it.
struct Edit {
  std::function<Status(json::Value& document)> change;
  //! The part as GET shows it; null: the part is the whole document.
  std::function<Result<std::string>(const json::Value& document)> show = nullptr;
  bool even_if_read_only = false;
};

//! Sets a member, or removes it when there is no value.
Edit edit_member(std::string_view member, std::optional<json::Value> value, std::string owner);
//! The same for one tag. Code::not_found when a tag to remove is absent.
Edit edit_tag(std::string_view name, std::optional<json::Value> value, std::string owner);

}  // namespace reel::tams

#pragma once
//! Profiles: technical metadata that flows share. They never change once created.

#include <optional>
#include <string>

#include "json/value.h"
#include "tams/context.h"
#include "tams/listing.h"

namespace reel::tams {

//! Creates a profile from a body that passed shape::profile(). Returns it as GET shows it. Errors:
//! not_found (body id differs), invalid (it exists).
Result<std::string> create_profile(const Context& context, const Caller& caller, ProfileId id,
                                   const json::Value& body);

Result<std::string> get_profile(const Context& context, ProfileId id);

struct ProfileFilter {
  std::optional<std::string> format;
  std::optional<std::string> codec;
  std::optional<std::string> label;
};
//! A page of profiles as a JSON array, most recent first.
Result<Page> list_profiles(const Context& context, const ProfileFilter& filter,
                           const PageRequest& page);

//! The technical members that a profile fixes. Code::invalid ("/profile_id") when there is no such
//! profile.
Result<json::Value> profile_metadata(store::Snapshot& snapshot, const std::string& id);

}  // namespace reel::tams

#pragma once
//! Who may use a server, as it is configured.

#include <functional>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "base/result.h"
#include "server/config.h"

namespace reel::server {

//! Code::invalid when anybody who can reach the address could do anything, and nothing in the
//! configuration says that this is meant. Warns in the log when credentials would travel in plain.
Status check_exposure(const Config& config);

//! Code::invalid names the setting that is missing or wrong. REQUIRES: auth.modes is not empty.
Result<auth::Options> auth_options(const Config& config);

//! For DocumentInfo::security.
std::vector<std::string> security_schemes(const Config& config);

//! Opens the API keys of the configured data directory, which nobody may be serving, for `work`.
//! Code::conflict when a server runs on it: it has the keys, and /auth/keys.
Status with_api_keys(const Config& config, const std::function<Status(auth::ApiKeys&)>& work);

}  // namespace reel::server

#include "server/authentication.h"

#include <algorithm>

#include <arpa/inet.h>

#include "base/clock.h"
#include "obs/log.h"
#include "server/data_directory.h"
#include "store/sqlite/sqlite_store.h"

namespace reel::server {
namespace {

bool has_mode(const Config& config, std::string_view mode) {
  const auto& modes = config.auth_modes;
  return std::find(modes.begin(), modes.end(), mode) != modes.end();
}

bool is_loopback(const std::string& address) {
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, address.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

Result<auth::JwtOptions> jwt_options(const Config& config) {
  if (config.auth_jwt_issuer.empty() || config.auth_jwt_keys.empty()) {
    return invalid("the mode jwt needs 'auth.jwt_issuer' and 'auth.jwt_keys'");
  }
  auth::JwtOptions options;
  options.keys = {.location = config.auth_jwt_keys,
                  .keep = std::chrono::seconds(config.auth_jwt_keys_keep_s),
                  .attempt_pause = std::chrono::seconds(config.auth_jwt_keys_pause_s)};
  options.claims = {.issuer = config.auth_jwt_issuer,
                    .audience = config.auth_jwt_audience,
                    .leeway = std::chrono::seconds(config.auth_jwt_leeway_s),
                    .grant_claims = config.auth_jwt_grant_claims,
                    .grants = {},
                    .classes_claim = config.auth_jwt_classes_claim};
  for (const std::string& text : config.auth_jwt_grants) {
    auto grant = auth::parse_grant(text);
    if (!grant) return invalid("'auth.jwt_grants': {}", grant.error().message());
    options.claims.grants[grant->first].add(grant->second);
  }
  return options;
}

}  // namespace

Status check_exposure(const Config& config) {
  REEL_ASSIGN(const auto address, parse_address(config.http_address));
  if (is_loopback(address.first)) return {};
  if (config.auth_modes.empty() && !config.auth_allow_anonymous) {
    return invalid(
        "anybody who can reach {} could do anything: set 'auth.modes', or "
        "'auth.allow_anonymous' if that is meant",
        config.http_address);
  }
  if (!config.auth_modes.empty() && config.tls_certificate.empty() && !config.trust_forwarded) {
    obs::log(obs::Level::warning,
             "credentials travel in plain: neither tls.certificate nor a proxy",
             {{"address", config.http_address}});
  }
  return {};
}

Result<auth::Options> auth_options(const Config& config) {
  auth::Options options;
  options.api_keys = has_mode(config, "api_key");
  options.failures = {.per_second = config.limits.auth_failures_per_second};
  if (has_mode(config, "basic")) {
    if (config.auth_users_file.empty()) {
      return invalid("the mode basic needs 'auth.users_file'");
    }
    options.users_file = config.auth_users_file;
  }
  if (has_mode(config, "jwt")) {
    REEL_ASSIGN(options.jwt, jwt_options(config));
  }
  return options;
}

std::vector<std::string> security_schemes(const Config& config) {
  std::vector<std::string> names;
  const bool tokens = has_mode(config, "api_key") || has_mode(config, "jwt");
  if (has_mode(config, "api_key")) names.emplace_back("api_key");
  if (tokens) names.insert(names.end(), {"bearer", "access_token"});
  if (has_mode(config, "basic")) names.emplace_back("basic");
  return names;
}

Status with_api_keys(const Config& config, const std::function<Status(auth::ApiKeys&)>& work) {
  REEL_ASSIGN(const auto store, store::open_sqlite_store({.path = data_path(config, kStoreFile)}));
  REEL_ASSIGN(const auto keys, auth::ApiKeys::open(*store, system_clock(), system_random()));
  Status status = work(*keys);
  store->stop();
  return status;
}

}  // namespace reel::server

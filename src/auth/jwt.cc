#include "auth/jwt.h"

#include <algorithm>
#include <array>

namespace reel::auth {
namespace {

Failure refused(std::string_view why) { return unauthorized("the token is refused: {}", why); }

//! A NumericDate in microseconds; nullopt when the claim is no such number.
std::optional<std::int64_t> micros(const json::Value& claims, std::string_view name) {
  constexpr double kYear9999 = 253'402'300'799.0;
  const json::Value* claim = claims.find(name);
  double seconds = 0;
  if (claim == nullptr || !claim->get_double(seconds)) return std::nullopt;
  if (!(seconds >= 0)) return std::nullopt;
  return static_cast<std::int64_t>(std::min(seconds, kYear9999) * 1e6);
}

bool is_or_has(const json::Value* claim, std::string_view wanted) {
  if (claim == nullptr) return false;
  if (const std::string* text = claim->as_string()) return *text == wanted;
  const json::Array* items = claim->as_array();
  return items != nullptr && std::any_of(items->begin(), items->end(), [&](const auto& item) {
           return item.as_string() != nullptr && *item.as_string() == wanted;
         });
}

const json::Value* find_claim(const json::Value& claims, std::string_view path) {
  // A claim whose name has dots, as namespaced ones do, goes before a path.
  if (const json::Value* claim = claims.find(path)) return claim;
  const json::Value* place = &claims;
  while (place != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    place = place->find(path.substr(0, dot));
    path = dot == path.npos ? std::string_view() : path.substr(dot + 1);
  }
  return place;
}

//! The texts of a claim, one split at spaces.
std::vector<std::string> words(const json::Value* claim) {
  std::vector<std::string> found;
  if (claim == nullptr) return found;
  if (const json::Array* items = claim->as_array()) {
    for (const json::Value& item : *items) {
      if (const std::string* text = item.as_string()) found.push_back(*text);
    }
  }
  if (const std::string* text = claim->as_string()) {
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      if (space > 0) found.emplace_back(rest.substr(0, space));
      rest = space == rest.npos ? std::string_view() : rest.substr(space + 1);
    }
  }
  return found;
}

Status check_times(const json::Value& claims, const ClaimRules& rules, Instant now) {
  const std::int64_t leeway = std::chrono::microseconds(rules.leeway).count();
  const auto expires = micros(claims, "exp");
  if (!expires) return refused("it does not say when it expires");
  if (now.micros >= *expires + leeway) return refused("it has expired");
  if (claims.find("nbf") != nullptr) {
    const auto begins = micros(claims, "nbf");
    if (!begins || now.micros < *begins - leeway) return refused("it is not valid yet");
  }
  return {};
}

}  // namespace

Result<std::pair<std::string, Permissions>> parse_grant(std::string_view text) {
  using enum Permission;
  const std::size_t equals = text.rfind('=');
  if (equals == text.npos || equals == 0) return invalid("'{}' is not word=permission", text);
  const std::string word(text.substr(0, equals));
  const std::string_view name = text.substr(equals + 1);
  constexpr std::array kNames = {std::pair{"read", read}, std::pair{"write", write},
                                 std::pair{"delete", erase}};
  for (const auto& [known, permission] : kNames) {
    if (name == known) return std::pair(word, Permissions{permission});
  }
  const auto role = parse_role(name);
  if (!role) {
    return invalid("'{}': grant read, write, delete, viewer, editor or admin, not '{}'", text,
                   name);
  }
  return std::pair(word, role_permissions(*role));
}

Result<Bearer> read_claims(const json::Value& claims, const ClaimRules& rules, Instant now) {
  if (claims.as_object() == nullptr) return refused("its claims are no JSON object");
  const json::Value* issuer = claims.find("iss");
  if (issuer == nullptr || *issuer != json::Value(rules.issuer)) {
    return refused("another issuer made it");
  }
  if (!rules.audience.empty() && !is_or_has(claims.find("aud"), rules.audience)) {
    return refused("it is for another audience");
  }
  REEL_TRY(check_times(claims, rules, now));
  const json::Value* subject = claims.find("sub");
  if (subject == nullptr) subject = claims.find("client_id");
  if (subject == nullptr || subject->as_string() == nullptr || subject->as_string()->empty()) {
    return refused("it does not say whose it is");
  }
  Bearer bearer;
  bearer.identity.name = *subject->as_string();
  for (const std::string& claim : rules.grant_claims) {
    for (const std::string& word : words(find_claim(claims, claim))) {
      const auto grant = rules.grants.find(word);
      if (grant != rules.grants.end()) bearer.identity.permissions.add(grant->second);
    }
  }
  if (!rules.classes_claim.empty()) {
    if (const json::Value* classes = find_claim(claims, rules.classes_claim)) {
      bearer.identity.classes = words(classes);
    }
  }
  bearer.expires = {*micros(claims, "exp") + std::chrono::microseconds(rules.leeway).count()};
  return bearer;
}

}  // namespace reel::auth

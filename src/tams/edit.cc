#include "tams/edit.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

namespace reel::tams {

void wait_before_attempt(int attempt) {
  constexpr int kFreeAttempts = 2;
  constexpr int kWaitMsMax = 20;
  if (attempt <= kFreeAttempts) return;
  thread_local std::minstd_rand random(std::random_device{}());
  const int limit_us = std::min(attempt, kWaitMsMax) * 1000;
  std::this_thread::sleep_for(
      std::chrono::microseconds(std::uniform_int_distribution(0, limit_us)(random)));
}

Result<json::Value> document_member(const json::Value& document, std::string_view member,
                                    std::string_view kind, std::string_view id) {
  if (const json::Value* value = document.find(member)) return *value;
  if (member == "tags") return json::Value(json::Object{});
  if (member == "read_only") return json::Value(false);
  return not_found("{} {} has no {}", kind, id, member);
}

void assign_member(json::Value& document, std::string_view member,
                   const std::optional<json::Value>& value) {
  if (value) {
    document.set(member, *value);
  } else {
    document.erase(member);
  }
}

Status assign_tag(json::Value& document, std::string_view name,
                  const std::optional<json::Value>& value, std::string_view kind,
                  std::string_view id) {
  json::Value* tags = document.find("tags");
  if (tags == nullptr) tags = &document.set("tags", json::Object{});
  if (value) {
    tags->set(name, *value);
  } else if (!tags->erase(name)) {
    return not_found("{} {} has no tag '{}'", kind, id, name);
  }
  return {};
}

}  // namespace reel::tams

#include "tams/edit.h"

namespace reel::tams {

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

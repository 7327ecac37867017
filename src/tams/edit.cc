#include "tams/edit.h"

namespace reel::tams {

Status check_condition(const Caller& caller, const std::function<Result<std::string>()>& show) {
  if (!caller.condition) return {};
  auto shown = show();
  if (shown) return caller.condition(*std::move(shown));
  if (shown.error().code() != Code::not_found) return Failure(std::move(shown).error());
  return caller.condition(std::nullopt);
}

Result<json::Value> document_member(const json::Value& document, std::string_view member,
                                    std::string_view owner) {
  if (const json::Value* value = document.find(member)) return *value;
  if (member == "tags") return json::Value(json::Object{});
  if (member == "read_only") return json::Value(false);
  return not_found("{} has no {}", owner, member);
}

void assign_member(json::Value& document, std::string_view member,
                   const std::optional<json::Value>& value) {
  if (value) {
    document.set(member, *value);
  } else {
    document.erase(member);
  }
}

Edit edit_member(std::string_view member, std::optional<json::Value> value, std::string owner) {
  const auto change = [name = std::string(member),
                       value = std::move(value)](json::Value& document) {
    assign_member(document, name, value);
    return Status();
  };
  const auto show = [name = std::string(member),
                     owner = std::move(owner)](const json::Value& document) -> Result<std::string> {
    REEL_ASSIGN(const json::Value shown, document_member(document, name, owner));
    return json::to_text(shown);
  };
  return {.change = change, .show = show};
}

Edit edit_tag(std::string_view name, std::optional<json::Value> value, std::string owner) {
  const auto absent = [tag = std::string(name), owner = std::move(owner)] {
    return not_found("{} has no tag '{}'", owner, tag);
  };
  const auto change = [absent, tag = std::string(name),
                       value = std::move(value)](json::Value& document) -> Status {
    json::Value* tags = document.find("tags");
    if (tags == nullptr) tags = &document.set("tags", json::Object{});
    if (value) {
      tags->set(tag, *value);
    } else if (!tags->erase(tag)) {
      return absent();
    }
    return {};
  };
  const auto show = [absent,
                     tag = std::string(name)](const json::Value& document) -> Result<std::string> {
    const json::Value* tags = document.find("tags");
    const json::Value* shown = tags == nullptr ? nullptr : tags->find(tag);
    if (shown == nullptr) return absent();
    return json::to_text(*shown);
  };
  return {.change = change, .show = show};
}

}  // namespace reel::tams

#include "cli/json_fields.h"

#include <charconv>

namespace reel::cli {

std::optional<std::int64_t> integer_field(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  if (member == nullptr) return std::nullopt;
  std::int64_t value = 0;
  if (member->get_int64(value)) return value;
  const std::string* text = member->as_string();
  if (text == nullptr) return std::nullopt;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

const json::Array& array_field(const json::Value& object, std::string_view name) {
  static const json::Array kNone;
  const json::Value* member = object.find(name);
  const json::Array* array = member != nullptr ? member->as_array() : nullptr;
  return array != nullptr ? *array : kNone;
}

const json::Value* find_path(const json::Value& object,
                             std::initializer_list<std::string_view> path) {
  const json::Value* at = &object;
  for (const std::string_view name : path) {
    at = at->find(name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace reel::cli

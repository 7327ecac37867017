#pragma once
//! Short ways to look into JSON that another program wrote.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"

namespace reel::cli {

//! The string member, empty when it is absent or something else.
inline std::string string_field(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  const std::string* text = member != nullptr ? member->as_string() : nullptr;
  return text != nullptr ? *text : std::string();
}

//! An integer, also when it is written as a string, as ffprobe does.
std::optional<std::int64_t> integer_field(const json::Value& object, std::string_view name);

//! The array member, or an empty one.
const json::Array& array_field(const json::Value& object, std::string_view name);

//! The value `path` leads to, nullptr when any step is missing.
const json::Value* find_path(const json::Value& object,
                             std::initializer_list<std::string_view> path);

}  // namespace reel::cli

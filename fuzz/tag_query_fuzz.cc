// links: api
//! Any bytes as a query string of tags, up to the first line break, and as the tags of a document
//! behind it: what the declared parameters accept makes a filter that says what a look at each tag
//! says.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/parameters.h"
#include "json/value.h"

namespace {

using reel::api::Query;
using reel::json::Value;

bool accepted(const reel::api::Route& route, const Query& query) {
  return std::all_of(query.all().begin(), query.all().end(), [&](const auto& parameter) {
    std::string_view family;
    const auto* declared = reel::api::declared_parameter(route, parameter.first, &family);
    return declared != nullptr && declared->shape.check_text(parameter.second).has_value();
  });
}

bool is_or_has(const Value& tag, const std::string& wanted) {
  const auto is = [&](const Value& value) {
    return value.as_string() != nullptr && *value.as_string() == wanted;
  };
  const auto* list = tag.as_array();
  return list != nullptr ? std::any_of(list->begin(), list->end(), is) : is(tag);
}

//! One condition by itself.
bool holds(const std::string& name, const std::string& value, const Value& tags) {
  constexpr std::string_view kExists = "tag_exists.";
  if (name.starts_with(kExists)) {
    return (tags.find(name.substr(kExists.size())) != nullptr) == (value == "true");
  }
  const Value* tag = tags.find(std::string_view(name).substr(4));
  const auto wanted = reel::api::comma_list(value);
  return tag != nullptr && std::any_of(wanted.begin(), wanted.end(),
                                       [&](const auto& item) { return is_or_has(*tag, item); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const reel::api::Route route{.query_parameters =
                                          reel::api::tag_parameters("tag", "documents")};
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const auto query = Query::parse(input.substr(0, end));
  if (!query || !accepted(route, *query)) return 0;
  const auto filter = reel::api::tag_filter(*query, "tag");
  const std::string_view text = input.substr(std::min(end + 1, input.size()));
  const bool matches = filter.matches(text);
  const auto tags = reel::json::parse(text);
  if (!tags || tags->as_object() == nullptr) return 0;
  const auto& all = query->all();
  const bool wanted = std::all_of(all.begin(), all.end(), [&](const auto& condition) {
    return holds(condition.first, condition.second, *tags);
  });
  REEL_CHECK(matches == wanted);
  return 0;
}

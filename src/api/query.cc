#include "api/route.h"
#include "base/percent.h"

namespace reel::api {

namespace {
constexpr std::size_t kParametersMax = 200;
}

Result<Query> Query::parse(std::string_view raw) {
  Query query;
  while (!raw.empty()) {
    const std::size_t end = raw.find('&');
    const std::string_view pair = raw.substr(0, end);
    raw = end == std::string_view::npos ? std::string_view() : raw.substr(end + 1);
    if (pair.empty()) continue;
    if (query.parameters_.size() == kParametersMax) {
      return invalid("more than {} query parameters", kParametersMax);
    }
    const std::size_t equals = pair.find('=');
    const std::string_view raw_name = pair.substr(0, equals);
    auto name = percent_decode(raw_name, Plus::space);
    if (!name) return Failure(std::move(name).error().at("?" + std::string(raw_name)));
    const std::string_view raw_value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    auto value = percent_decode(raw_value, Plus::space);
    if (!value) return Failure(std::move(value).error().at("?" + *name));
    query.parameters_.emplace_back(*std::move(name), *std::move(value));
  }
  return query;
}

const std::string* Query::find(std::string_view name) const {
  for (const auto& [parameter, value] : parameters_) {
    if (parameter == name) return &value;
  }
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> Query::with_prefix(std::string_view prefix) const {
  std::vector<std::pair<std::string, std::string>> rest;
  for (const auto& [name, value] : parameters_) {
    if (name.starts_with(prefix)) rest.emplace_back(name.substr(prefix.size()), value);
  }
  return rest;
}

void Query::add(std::string name, std::string value) {
  parameters_.emplace_back(std::move(name), std::move(value));
}

const Parameter* declared_parameter(const Route& route, std::string_view name,
                                    std::string_view* family) {
  constexpr std::string_view kAnyName = "{name}";
  for (const Parameter& parameter : route.query_parameters) {
    if (parameter.name == name) return &parameter;
    std::string_view prefix = parameter.name;
    if (!prefix.ends_with(kAnyName)) continue;
    prefix.remove_suffix(kAnyName.size());
    if (!name.starts_with(prefix)) continue;
    if (family != nullptr) *family = prefix;
    return &parameter;
  }
  return nullptr;
}

}  // namespace reel::api

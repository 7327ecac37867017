#include "base/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/core.h>

namespace reel {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

//! As far as it is below the limit.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= limit) return limit;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, row[j + 1] + 1});
    }
    if (*std::min_element(row.begin(), row.end()) >= limit) return limit;
  }
  return row.back();
}

}  // namespace

const std::string_view* nearest_name(std::string_view name,
                                     const std::vector<std::string_view>& names) {
  if (name.size() > kNameShownMax) return nullptr;
  constexpr std::size_t kStepsMax = 3;
  std::size_t nearest = std::min(name.size() / 2, kStepsMax) + 1;
  const std::string_view* found = nullptr;
  for (const std::string_view& one : names) {
    const std::size_t steps = distance(name, one, nearest);
    if (steps >= nearest) continue;
    nearest = steps;
    found = &one;
  }
  return found;
}

std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& names) {
  const std::string_view* found = nearest_name(name, names);
  return found == nullptr ? std::string() : fmt::format(" (the nearest is '{}')", *found);
}

}  // namespace reel

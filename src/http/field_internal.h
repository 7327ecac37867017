#pragma once
//! Pieces of field values.

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace reel::http {

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

//! Equal without regard to ASCII case.
inline bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

inline std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

//! Calls `visit` with each trimmed, non-empty element of a comma-separated list. Not for lists
//! whose elements quote commas.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const std::string_view element = trim(list.substr(0, comma)); !element.empty()) {
      visit(element);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

}  // namespace reel::http

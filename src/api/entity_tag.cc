#include "api/entity_tag.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"

namespace reel::api {
namespace {

struct Tag {
  std::string_view quoted;
  bool weak = false;
};

//! Takes one tag from the front of `list`. Tags may contain commas.
std::optional<Tag> take_tag(std::string_view& list) {
  Tag tag;
  if (list.starts_with("W/")) {
    tag.weak = true;
    list.remove_prefix(2);
  }
  if (list.empty() || list.front() != '"') return std::nullopt;
  const std::size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  tag.quoted = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

void skip(std::string_view& list, std::string_view separators) {
  list.remove_prefix(std::min(list.find_first_not_of(separators), list.size()));
}

bool names(std::string_view list, std::string_view etag, bool strongly) {
  skip(list, " \t");
  if (list.starts_with('*') && list.find_first_not_of(" \t", 1) == std::string_view::npos) {
    return true;
  }
  const auto wanted = take_tag(etag);
  if (!wanted || (strongly && wanted->weak)) return false;
  while (!list.empty()) {
    const auto tag = take_tag(list);
    if (!tag) return false;
    if (tag->quoted == wanted->quoted && !(strongly && tag->weak)) return true;
    skip(list, " \t,");
  }
  return false;
}

}  // namespace

std::string strong_etag(std::string_view bytes) { return '"' + hash128(bytes).to_hex() + '"'; }

std::string gzip_etag(std::string_view etag) {
  std::string out(etag);
  if (out.size() >= 2 && out.front() == '"' && out.back() == '"') {
    out.insert(out.size() - 1, "-gzip");
  }
  return out;
}

bool names_etag(std::string_view list, std::string_view etag) { return names(list, etag, false); }

bool names_etag_strongly(std::string_view list, std::string_view etag) {
  return names(list, etag, true);
}

}  // namespace reel::api

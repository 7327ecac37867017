#include "http/conditional.h"

#include <optional>

#include "base/hash.h"
#include "http/field_internal.h"

namespace reel::http {
namespace {

std::string_view without_weakness(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return etag;
}

//! Takes one tag from the front of `list`: its quoted part. Tags may contain commas.
std::optional<std::string_view> take_tag(std::string_view& list) {
  list = without_weakness(list);
  if (list.empty() || list.front() != '"') return std::nullopt;
  const std::size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
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

bool names_etag(std::string_view if_none_match, std::string_view etag) {
  std::string_view list = trim(if_none_match);
  if (list == "*") return true;
  const std::string_view wanted = without_weakness(etag);
  while (!list.empty()) {
    const auto tag = take_tag(list);
    if (!tag) return false;
    if (*tag == wanted) return true;
    const std::size_t next = list.find_first_not_of(" \t,");
    list.remove_prefix(std::min(next, list.size()));
  }
  return false;
}

void apply_if_none_match(const api::Headers& request, api::Response& answer) {
  if (answer.status != 200) return;
  const std::string* list = request.find("If-None-Match");
  const std::string* etag = answer.headers.find("ETag");
  if (list == nullptr || etag == nullptr || !names_etag(*list, *etag)) return;
  answer.status = 304;
  answer.body = std::string();
  for (const std::string_view name : {"Content-Type", "Content-Encoding", "Content-Language",
                                      "Content-Range", "Content-Length"}) {
    answer.headers.remove(name);
  }
}

}  // namespace reel::http

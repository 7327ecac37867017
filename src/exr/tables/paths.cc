#include "exr/tables/paths.h"

#include <vector>

#include "base/percent.h"

namespace reel::exr {
namespace {

constexpr std::size_t kIdDigits = 32;

//! The part of a URI in front of its path; empty when it is none.
std::string_view authority_of(std::string_view path) {
  const std::size_t colon = path.find("://");
  if (colon == std::string_view::npos || colon == 0) return {};
  const auto is_scheme = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
  };
  for (const char c : path.substr(0, colon)) {
    if (!is_scheme(c)) return {};
  }
  return path.substr(0, path.find('/', colon + 3));
}

//! Texts of which each has its length in front, so that no two lists of them are the same bytes.
std::string id_of(std::initializer_list<std::string_view> texts) {
  Sha256 hash;
  for (const std::string_view text : texts) {
    hash.update(as_bytes(fmt::format("{}:", text.size())));
    hash.update(as_bytes(text));
  }
  return to_hex(hash.finish()).substr(0, kIdDigits);
}

}  // namespace

Result<std::string> normalize_path(std::string_view path) {
  if (!is_utf8(path)) return invalid("the path is not UTF-8 text, so no table can hold it");
  const std::string_view authority = authority_of(path);
  if (authority.empty() && !path.starts_with('/')) {
    return invalid("the path {} is relative: say below which directory", path);
  }
  std::vector<std::string_view> pieces;
  for (std::string_view rest = path.substr(authority.size()); !rest.empty();) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (piece == "..") {
      if (!pieces.empty()) pieces.pop_back();
    } else if (!piece.empty() && piece != ".") {
      pieces.push_back(piece);
    }
  }
  std::string out(authority);
  for (const std::string_view piece : pieces) out.append("/").append(piece);
  return out.empty() ? std::string("/") : out;
}

std::string file_id(std::string_view normalized_path, const Sha256Digest& header) {
  return id_of({normalized_path, {reinterpret_cast<const char*>(header.data()), header.size()}});
}

std::string sequence_id(std::string_view normalized_directory, std::string_view prefix,
                        std::string_view suffix) {
  return id_of({normalized_directory, prefix, suffix});
}

}  // namespace reel::exr

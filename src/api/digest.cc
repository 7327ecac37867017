#include "api/digest.h"

#include <algorithm>

namespace reel::api {
namespace {

constexpr std::string_view kAlgorithm = "sha-256=";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

//! ":<base64>:" (RFC 8941 3.3.5), nullopt when it is no SHA-256.
std::optional<Sha256Digest> read_bytes(std::string_view text) {
  constexpr std::size_t kPaddedBytes = 44;
  if (text.size() != kPaddedBytes + 2 || text.front() != ':' || !text.ends_with("=:")) {
    return std::nullopt;
  }
  std::string safe(text.substr(1, kPaddedBytes - 1));
  for (char& c : safe) {
    if (c == '-' || c == '_') return std::nullopt;
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  const auto bytes = from_base64url(safe);
  Sha256Digest digest;
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::transform(bytes->begin(), bytes->end(), digest.begin(),
                 [](char c) { return static_cast<Sha256Digest::value_type>(c); });
  return digest;
}

//! The SHA-256 in a dictionary of digests, if there is one.
Result<std::optional<Sha256Digest>> read_field(std::string_view name, std::string_view field) {
  std::optional<Sha256Digest> digest;
  while (!field.empty()) {
    const std::size_t comma = field.find(',');
    const std::string_view member = trimmed(field.substr(0, comma));
    field = comma == std::string_view::npos ? std::string_view() : field.substr(comma + 1);
    if (!member.starts_with(kAlgorithm)) continue;
    digest = read_bytes(member.substr(kAlgorithm.size()));
    if (!digest) {
      return at(std::string(name),
                invalid("'{}' is not a SHA-256 as in RFC 9530", member.substr(0, 128)));
    }
  }
  return digest;
}

}  // namespace

std::string digest_field(const Sha256Digest& digest) {
  std::string base64 = to_base64url(digest);
  std::replace(base64.begin(), base64.end(), '-', '+');
  std::replace(base64.begin(), base64.end(), '_', '/');
  return fmt::format("{}:{}=:", kAlgorithm, base64);
}

Result<std::optional<Sha256Digest>> sent_digest(const Headers& headers) {
  std::optional<Sha256Digest> sent;
  // A body is uploaded as it is to be kept, so both fields speak of the same bytes.
  for (const char* name : {"Content-Digest", "Repr-Digest"}) {
    const std::string* field = headers.find(name);
    if (field == nullptr) continue;
    REEL_ASSIGN(const auto digest, read_field(name, *field));
    if (digest && sent && *digest != *sent) {
      return at(name, invalid("contradicts Content-Digest"));
    }
    if (digest) sent = digest;
  }
  return sent;
}

}  // namespace reel::api

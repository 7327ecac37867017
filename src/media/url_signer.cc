#include "media/url_signer.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

#include <sys/stat.h>

#include "base/hash.h"
#include "base/percent.h"
#include "media/file_internal.h"

namespace reel::media {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::int64_t kExpiryStepSeconds = 60;
constexpr std::string_view kPathPrefix = "/media/";
constexpr std::size_t kUuidLength = 36;

std::int64_t rounded_up_seconds(Instant at) {
  constexpr std::int64_t kStepMicros = kExpiryStepSeconds * 1'000'000;
  return (at.micros + kStepMicros - 1) / kStepMicros * kExpiryStepSeconds;
}

template <class Unsigned>
void append_big_endian(std::string& out, Unsigned value) {
  for (std::size_t i = sizeof(value); i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
}

//! Fixed widths first and the length of the object id before it: no two grants share a message.
std::string message_of(const UrlGrant& grant, std::int64_t expires) {
  std::string message;
  message.reserve(64 + grant.object_id.size() + grant.content_type.size());
  message.push_back(static_cast<char>(grant.use));
  const auto& storage = grant.storage.uuid.bytes;
  message.append(storage.begin(), storage.end());
  append_big_endian(message, static_cast<std::uint64_t>(expires));
  append_big_endian(message, static_cast<std::uint32_t>(grant.object_id.size()));
  message += grant.object_id;
  message += grant.content_type;
  return message;
}

//! The parameters that append_path() writes, still encoded.
struct SignedQuery {
  std::optional<std::string_view> type;
  std::optional<std::string_view> expires;
  std::optional<std::string_view> signature;
};

//! nullopt when one of them occurs twice.
std::optional<SignedQuery> read_query(std::string_view query) {
  SignedQuery read;
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    const auto equals = field.find('=');
    if (equals == field.npos) continue;
    const std::string_view name = field.substr(0, equals);
    auto* const value = name == "type"        ? &read.type
                        : name == "expires"   ? &read.expires
                        : name == "signature" ? &read.signature
                                              : nullptr;
    if (value == nullptr) continue;
    if (*value) return std::nullopt;
    *value = field.substr(equals + 1);
  }
  return read;
}

std::optional<std::int64_t> read_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [past, error] = std::from_chars(text.begin(), text.end(), seconds);
  if (error != std::errc{} || past != text.end() || seconds < 0) return std::nullopt;
  return seconds;
}

Result<std::string> read_key(const std::string& key_file) {
  const Descriptor file(::open(key_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return not_found("no key file {}", key_file);
    return system_failure("opening", key_file);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_failure("reading", key_file);
  const unsigned permissions = status.st_mode & 0777U;
  if ((permissions & 077U) != 0) {
    return invalid("others may use the key file {} (mode {:04o}); allow only its owner: chmod 600",
                   key_file, permissions);
  }
  std::array<char, kKeyBytes + 1> buffer{};
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got < 0) return system_failure("reading", key_file);
  if (got != static_cast<ssize_t>(kKeyBytes)) {
    return invalid("the key file {} must hold exactly {} bytes", key_file, kKeyBytes);
  }
  return std::string(buffer.data(), kKeyBytes);
}

//! Writes a new key under a temporary name (mkostemp gives it mode 0600) and links it into place:
//! no half-written key is ever seen, and of two processes only the first one's key stays.
Status create_key(const std::string& key_file) {
  std::array<unsigned char, kKeyBytes> key{};
  system_random().fill(key.data(), key.size());
  std::string staged = key_file + ".XXXXXX";
  const Descriptor file(::mkostemp(staged.data(), O_CLOEXEC));
  if (!file) return system_failure("creating", key_file);
  const bool written =
      ::write(file.get(), key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
      ::fsync(file.get()) == 0;
  const bool linked = written && (::link(staged.c_str(), key_file.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(staged.c_str());
  errno = error;
  if (!linked) return system_failure("creating", key_file);
  const auto slash = key_file.rfind('/');
  const std::string folder = slash == key_file.npos ? "." : key_file.substr(0, slash + 1);
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) return system_failure("syncing", folder);
  return {};
}

}  // namespace

struct UrlSigner::State {
  HmacSha256 hmac;

  explicit State(std::string_view key) : hmac(key) {}
  //! The signature in base64url.
  std::string sign(std::string_view message) const { return to_base64url(hmac.sign(message)); }
};

UrlSigner::UrlSigner(std::unique_ptr<State> state) : state_(std::move(state)) {}
UrlSigner::~UrlSigner() = default;

Result<std::unique_ptr<UrlSigner>> UrlSigner::open(const std::string& key_file) {
  auto key = read_key(key_file);
  if (!key && key.error().code() == Code::not_found) {
    REEL_TRY(create_key(key_file));
    key = read_key(key_file);
  }
  if (!key) return Failure(std::move(key).error());
  return with_key(*key);
}

std::unique_ptr<UrlSigner> UrlSigner::with_key(std::string_view key) {
  return std::unique_ptr<UrlSigner>(new UrlSigner(std::make_unique<State>(key)));
}

void UrlSigner::append_path(std::string& out, const UrlGrant& grant,
                            Instant not_before_expiry) const {
  REEL_CHECK(grant.use == UrlUse::put || grant.content_type.empty());
  const std::int64_t expires = rounded_up_seconds(not_before_expiry);
  out += kPathPrefix;
  grant.storage.uuid.append_to(out);
  out += '/';
  append_percent_encoded(out, grant.object_id);
  out += '?';
  if (!grant.content_type.empty()) {
    out += "type=";
    append_percent_encoded(out, grant.content_type);
    out += '&';
  }
  out += "expires=";
  char digits[20];
  out.append(digits, std::to_chars(digits, std::end(digits), expires).ptr);
  out += "&signature=";
  out += state_->sign(message_of(grant, expires));
}

Result<UrlGrant> UrlSigner::verify(UrlUse use, std::string_view raw_path,
                                   std::string_view raw_query, Instant now) const {
  const std::size_t object_at = kPathPrefix.size() + kUuidLength + 1;
  if (!raw_path.starts_with(kPathPrefix) || raw_path.size() < object_at ||
      raw_path[object_at - 1] != '/') {
    return not_found("no object at this path");
  }
  const auto storage = StorageId::parse(raw_path.substr(kPathPrefix.size(), kUuidLength));
  auto object_id = percent_decode(raw_path.substr(object_at));
  if (!storage || !object_id) return not_found("no object at this path");

  const auto query = read_query(raw_query);
  if (!query || !query->expires || !query->signature) {
    return forbidden("this URL needs one 'expires' and one 'signature'");
  }
  const auto expires = read_seconds(*query->expires);
  auto content_type = percent_decode(query->type.value_or(""));
  if (!expires || !content_type) return forbidden("the signature does not fit this URL");
  UrlGrant grant{use, *storage, *std::move(object_id), *std::move(content_type)};
  if (!equal_constant_time(state_->sign(message_of(grant, *expires)), *query->signature)) {
    return forbidden("the signature does not fit this URL");
  }
  if (now.micros / 1'000'000 >= *expires) return forbidden("this URL has expired");
  return grant;
}

}  // namespace reel::media

// links: media
//! What a signed URL grants is what was signed, whatever bytes the ids hold; a URL in which one
//! byte was changed grants the same or nothing; any other path and query grant nothing.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/percent.h"
#include "media/url_signer.h"

namespace {

using reel::media::UrlGrant;
using reel::media::UrlSigner;
using reel::media::UrlUse;

constexpr reel::Instant kNow{1'800'000'000'000'000};
constexpr reel::Instant kLater{1'800'000'600'000'000};

//! Takes up to `count` bytes from the front.
std::string_view take(std::string_view& rest, std::size_t count) {
  const std::string_view taken = rest.substr(0, count);
  rest.remove_prefix(taken.size());
  return taken;
}

std::uint8_t take_byte(std::string_view& rest) {
  const std::string_view taken = take(rest, 1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

reel::Result<UrlGrant> verify(const UrlSigner& signer, UrlUse use, std::string_view url) {
  const auto mark = url.find('?');
  const std::string_view query = mark == url.npos ? std::string_view() : url.substr(mark + 1);
  return signer.verify(use, url.substr(0, mark), query, kNow);
}

void check_same(const UrlGrant& a, const UrlGrant& b) {
  REEL_CHECK(a.use == b.use && a.storage == b.storage && a.object_id == b.object_id &&
             a.content_type == b.content_type);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto signer = UrlSigner::with_key("the key of the fuzz target, 32 B");
  std::string_view rest(reinterpret_cast<const char*>(data), size);

  const UrlUse use = take_byte(rest) % 2 == 0 ? UrlUse::get : UrlUse::put;
  const std::size_t changed_at = take_byte(rest) * 256U + take_byte(rest);
  const char changed_to = static_cast<char>(take_byte(rest));
  REEL_CHECK(!verify(*signer, use, rest));

  UrlGrant grant;
  grant.use = use;
  grant.storage = *reel::StorageId::parse("5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a");
  if (use == UrlUse::put) grant.content_type = take(rest, take_byte(rest) % 32);
  grant.object_id = rest;
  if (!reel::is_utf8(grant.content_type) || !reel::is_utf8(grant.object_id)) return 0;

  std::string url;
  signer->append_path(url, grant, kLater);
  const auto granted = verify(*signer, use, url);
  REEL_CHECK(granted);
  check_same(*granted, grant);

  url[changed_at % url.size()] = changed_to;
  const auto after_change = verify(*signer, use, url);
  if (after_change) check_same(*after_change, grant);
  return 0;
}

// links: http
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/entity_tag.h"
#include "base/result.h"
#include "http/compress.h"
#include "http/range.h"

//! Range, If-None-Match and Accept-Encoding from one input: a served range lies within the whole.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view field(reinterpret_cast<const char*>(data), size);
  for (const std::uint64_t total : {0ULL, 1ULL, 1'000ULL, ~0ULL}) {
    const auto range = reel::http::read_range(field, total);
    if (range.kind != reel::http::RangeRequest::Kind::part) continue;
    REEL_CHECK(range.count > 0 && range.first < total && range.count <= total - range.first);
  }
  (void)reel::api::names_etag(field, "\"tag\"");
  (void)reel::http::prefers_gzip(field);
  return 0;
}

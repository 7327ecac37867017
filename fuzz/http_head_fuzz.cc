// links: http
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/chunked.h"
#include "http/head_check.h"

//! A head in arbitrary pieces, then its chunked body: never a crash, and however the bytes are cut
//! the outcome is the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using reel::http::HeadScanner;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadScanner whole;
  const auto outcome = whole.scan(bytes);
  HeadScanner piecewise;
  auto last = HeadScanner::Outcome::need_more;
  for (std::size_t n = 0; n <= size && last == HeadScanner::Outcome::need_more; ++n) {
    last = piecewise.scan(bytes.substr(0, n));
  }
  REEL_CHECK(last == outcome);
  if (outcome != HeadScanner::Outcome::complete) return 0;
  REEL_CHECK(piecewise.head_bytes() == whole.head_bytes());
  const auto parsed =
      reel::http::parse_head(bytes.substr(whole.head_begin(), whole.head_bytes()), {});
  if (!parsed) return 0;
  REEL_CHECK(parsed->head.path.starts_with('/'));
  REEL_CHECK(!(parsed->head.chunked && parsed->head.content_length));
  if (!parsed->head.chunked) return 0;
  std::string_view rest = bytes.substr(whole.head_begin() + whole.head_bytes());
  reel::http::ChunkedDecoder decoder;
  std::string body;
  while (!rest.empty() && !decoder.done()) {
    const auto taken = decoder.feed(rest, body, body.size() + 7);
    if (!taken) return 0;
    REEL_CHECK(*taken > 0);
    rest.remove_prefix(*taken);
  }
  return 0;
}

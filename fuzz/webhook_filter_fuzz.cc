// links: tams
//! Any bytes as the body of a webhook: what its shape accepts makes a filter that can be asked, and
//! a URL that the rules accept has nothing in it that could end a line.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/value.h"
#include "tams/shapes.h"
#include "tams/webhooks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const reel::json::Shape shape = reel::tams::shape::webhook_post();
  const auto body = reel::json::parse({reinterpret_cast<const char*>(data), size});
  if (!body || !shape.check(*body)) return 0;
  const auto filter = reel::tams::webhook_filter(*body);
  for (const auto type : reel::events::kEventTypes) {
    reel::events::Change change{.at = {}, .type = std::string(type), .actor = {}, .payload = {}};
    (void)filter.matches(change);
    change.flow_id.emplace();
    change.source_id.emplace();
    (void)filter.matches(change);
  }
  if (!reel::tams::check_webhook({}, *body)) return 0;
  for (const char c : *body->find("url")->as_string()) REEL_CHECK(c > ' ' && c < 127);
  return 0;
}

// links: tams
//! Any bytes as a request body: parsing and every shape end in an answer; what was parsed is
//! written back as JSON that reads the same; what a shape accepted holds the values that handlers
//! rely on.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "json/value.h"
#include "tams/shapes.h"
#include "time/time_range.h"

namespace {

namespace json = reel::json;
namespace shape = reel::tams::shape;

void check_segment(const json::Value& body) {
  static const json::Shape segment = shape::segment_post();
  if (!segment.check(body)) return;
  const std::string& range = *body.find("timerange")->as_string();
  REEL_CHECK(reel::time::TimeRange::parse(range).has_value());
  REEL_CHECK(!body.find("object_id")->as_string()->empty());
}

void check_flow(const json::Value& body) {
  static const json::Shape flow = shape::flow_put();
  if (!flow.check(body)) return;
  REEL_CHECK(reel::FlowId::parse(*body.find("id")->as_string()).has_value());
  REEL_CHECK(body.find("format")->as_string() != nullptr);
  const json::Value* collection = body.find("flow_collection");
  if (collection == nullptr) return;
  for (const json::Value& item : *collection->as_array()) {
    REEL_CHECK(reel::FlowId::parse(*item.find("id")->as_string()).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = json::parse(text);
  if (!value) return 0;
  const auto again = json::parse(json::to_text(*value));
  REEL_CHECK(again.has_value() && *again == *value);
  check_flow(*value);
  check_segment(*value);
  for (const json::Shape& other : {shape::storage_request(), shape::service_update(),
                                   shape::tag_value(), shape::flow_collection()}) {
    (void)other.check(*value);
  }
  return 0;
}

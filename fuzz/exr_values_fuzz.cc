// links: exr
//! A type, a NUL and any bytes as the value of an attribute: decoding says what they mean or what
//! is wrong with them, and what it says is JSON.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exr/inspect_json.h"
#include "json/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reel;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  exr::Attribute attribute;
  attribute.type = bytes.substr(0, end);
  attribute.bytes = bytes.substr(std::min(end + 1, bytes.size()));
  const Result<exr::Value> value = exr::decode(attribute);
  REEL_CHECK(value.has_value() || !value.error().message().empty());
  REEL_CHECK(value.has_value() || exr::is_known_type(attribute.type));
  std::string text;
  json::Writer writer(text);
  exr::write_value(writer, attribute);
  REEL_CHECK(json::parse(text).has_value());
  return 0;
}

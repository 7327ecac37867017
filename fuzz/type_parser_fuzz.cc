// links: store
//! Any bytes as the name of a type: what is taken is printed as a name that means the same.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using reel::store::Type;
  const auto type = Type::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!type) return 0;
  REEL_CHECK(check_type(*type).has_value());
  const auto again = Type::parse(type->to_string());
  REEL_CHECK(again.has_value() && *again == *type);
  return 0;
}

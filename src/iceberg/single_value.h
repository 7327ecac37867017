#pragma once
//! Single values as bytes, and the bounds of columns made of them (Iceberg specification, Appendix
//! D).

#include <optional>
#include <string>
#include <string_view>

#include "iceberg/schema.h"

namespace reel::iceberg {

//! The value in Iceberg's binary form. A column of the store's uint64 may give its numbers to a
//! decimal. Code::invalid when the value is none of the type; Code::unsupported for nested types.
Result<std::string> to_bytes(const Type& type, const store::Value& value);
//! The inverse. Bytes that were written before the type was promoted are read as well.
//! Code::corrupt when the length is wrong.
Result<store::Value> from_bytes(const Type& type, std::string_view bytes);

//! What a manifest says of the smallest and the largest value of a column in a file: text is cut to
//! 16 characters and binary to 16 bytes, the upper bound then rounded up. nullopt where there is no
//! bound to give: for null, NaN, nested types, and text that cannot be rounded up. Errors as in
//! to_bytes().
Result<std::optional<std::string>> lower_bound(const Type& type, const store::Value& smallest);
Result<std::optional<std::string>> upper_bound(const Type& type, const store::Value& largest);

//! Two's complement, big-endian, as few bytes as hold the number.
std::string minimal_big_endian(store::Int128 number);

}  // namespace reel::iceberg

#pragma once
//! Percent-encoding of URL parts (RFC 3986 §2).

#include <string>
#include <string_view>

#include "base/result.h"

namespace reel {

//! Appends `text` with everything encoded but A-Z a-z 0-9 - . _ ~; safe as a path segment, a query
//! name and a query value.
void append_percent_encoded(std::string& out, std::string_view text);
std::string percent_encode(std::string_view text);

//! What '+' stands for: itself in a path, a space in a query.
enum class Plus : std::uint8_t { literal, space };

//! The decoded text. Code::invalid when a '%' is not followed by two hex digits, or when the
//! result is not UTF-8.
Result<std::string> percent_decode(std::string_view text, Plus plus = Plus::literal);

//! Whether `text` is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace reel

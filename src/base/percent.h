#pragma once
//! Percent-encoding of URLs (RFC 3986 §2.1).

#include <optional>
#include <string>
#include <string_view>

namespace reel {

//! Appends `text` with every byte but letters, digits, '-', '.', '_' and '~' as "%XX", so that it
//! can stand as one path segment or as one query value.
void append_percent_encoded(std::string& out, std::string_view text);
std::string percent_encoded(std::string_view text);

//! The bytes that were encoded; nullopt when a '%' is not followed by two hex digits. '+' is a
//! plus, not a space.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace reel
